"""The same rows give the same predictions from every format of a file, from the form, the command line and Python."""

from __future__ import annotations

import csv
import datetime
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from autotrain_gradio.api.python_data import parse_inputs
from autotrain_gradio.core.inputs import form, parse_arguments
from autotrain_gradio.tasks.tabular import INPUTS
from autotrain_gradio.tasks.tabular_classification import train as classification
from autotrain_gradio.training.tabular.predictor import Predictor, load
from tests.trials import Trial

Row = dict[str, Any]
CITIES = ["Berlin", "São Paulo", "Zürich", "Cafe\u0301 Noir", "A", "A-", "007"]
DAYS = st.dates(datetime.date(2019, 1, 1), datetime.date(2025, 12, 31))
COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "size": st.integers(-99_999, 99_999).map(lambda n: n / 100),
    "count": st.integers(0, 5000),
    "share": st.integers(0, 1000).map(lambda n: n / 1000),
    "flag": st.booleans(),
    "city": st.sampled_from([*CITIES, "Nowhere"]),
    "zone": st.integers(1, 4),
    "when": DAYS,
    "note": st.text(st.characters(codec="utf-8", categories=("Ll", "Lu")), min_size=1, max_size=12),
}
CELLS = {name: cells if name == "zone" else st.none() | cells for name, cells in COLUMNS.items()}
"""A row without any cell is none."""
ROWS = st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4)


@dataclass(frozen=True)
class Style:
    """How a file of text writes cells."""

    delimiter: str = ","
    decimal: str = "."
    true: str = "True"
    false: str = "False"
    day: str = "%Y-%m-%d"
    missing: str = ""
    percent: str = ""

    def write(self, path: Path, rows: list[Row]) -> Path:
        """Write the rows into a file."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=self.delimiter)
            writer.writerow(rows[0])
            writer.writerows([self.cell(value, name) for name, value in row.items()] for row in rows)
        return path

    def cell(self, value: Any, name: str = "") -> str:
        """Return a cell as text. name: of its column."""
        if name == "share" and value is not None and self.percent:
            return f"{100 * value:.1f}{self.percent}".replace(".", self.decimal)
        if value is None:
            return self.missing
        if isinstance(value, bool):
            return self.true if value else self.false
        if isinstance(value, float):
            return f"{value:.{3 if name == 'share' else 2}f}".replace(".", self.decimal)
        return value.strftime(self.day) if isinstance(value, datetime.date) else str(value)


TEXT = Style()
GERMAN = Style(";", ",", "WAHR", "FALSCH", "%d.%m.%Y", "n/a", " %")
STYLES = {
    "comma.csv": TEXT,
    "german.csv": GERMAN,
    "upper.csv": Style(",", ".", "TRUE", "FALSE", "%Y/%m/%d", "NaN", "%"),
    "numbers.csv": Style("|", ".", "1", "0"),
    "table.tsv": Style("\t", ".", "yes", "no"),
}


@lru_cache
def _model(style: str) -> Predictor:
    """Return a model that was trained on a file of this style; `target` follows from all columns."""
    draw = np.random.default_rng(7)
    folder, rows = Path(tempfile.mkdtemp(prefix="same-prediction-")), []
    for n in range(160):
        row: Row = {
            "size": float(draw.integers(-99_999, 99_999)) / 100,
            "count": int(draw.integers(0, 5000)),
            "share": float(draw.integers(0, 1001)) / 1000,
            "flag": bool(draw.random() < 0.5),
            "city": CITIES[int(draw.integers(len(CITIES)))],
            "zone": int(draw.integers(1, 5)),
            "when": datetime.date(2019, 1, 1) + datetime.timedelta(int(draw.integers(0, 2500))),
            "note": " ".join(draw.choice(["late", "early", "torn", "fine", "blue"], 5)) + f" {n}",
        }
        value = (
            row["size"] / 1000
            + row["share"]
            + row["count"] / 5000
            + row["flag"]
            + CITIES.index(row["city"]) / 7
            + row["zone"] / 4
        )
        row["target"] = "high" if value + (row["when"].year - 2019) / 7 + draw.normal() > 3 else "low"
        for name in ("size", "count", "share", "flag", "city", "when"):
            if draw.random() < 0.05:
                row[name] = None
        rows.append(row)
    path = STYLES[style].write(folder / style, rows)
    options = {"kinds": {"zone": "category"}}
    data = {"source": "path", "path": str(path), "columns": {"target": "target"}, "options": options}
    spec = {"task": "tabular", "model": "logistic_regression", "data": data, "params": {"num_trials": 1}}
    trial = Trial(folder / "run", spec)
    classification.train(trial.reporter())
    model = load(trial.directory)
    kinds = {f.name: f.kind for f in model.form.features}
    assert kinds == {
        **{
            "size": "number",
            "count": "number",
            "share": "number",
            "flag": "number" if style == "numbers.csv" else "category",
        },
        **{"city": "category", "zone": "category", "when": "date", "note": "text"},
    }
    return model


def _xlsx(path: Path, rows: list[Row]) -> Path:
    book = openpyxl.Workbook()
    for cells in (list(rows[0]), *(list(row.values()) for row in rows)):
        book.active.append(cells)
    for (cell,) in book.active.iter_rows(
        min_row=2, min_col=1 + list(rows[0]).index("share"), max_col=1 + list(rows[0]).index("share")
    ):
        cell.number_format = "0.0%"
    book.save(path)
    return path


def _json_lines(path: Path, rows: list[Row]) -> Path:
    path.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows), encoding="utf-8")
    return path


def _parquet(path: Path, rows: list[Row]) -> Path:
    pd.DataFrame({n: pd.Series([r[n] for r in rows], dtype=object) for n in rows[0]}).to_parquet(path, index=False)
    return path


FILES: Mapping[str, Callable[[Path, list[Row]], Path]] = {
    **{name: style.write for name, style in STYLES.items()},
    **{"book.xlsx": _xlsx, "rows.jsonl": _json_lines, "rows.parquet": _parquet},
}


def _scores(model: Predictor, path: Path) -> list[float]:
    (answer,) = model([{"table": str(path)}])
    with Path(answer["file"]).open(encoding="utf-8", newline="") as file:
        return [float(row["score high"]) for row in csv.DictReader(file)]


def _numpy(value: Any) -> Any:
    """Return a value as NumPy and pandas have it."""
    if value is None:
        return np.nan
    if isinstance(value, datetime.date):
        return pd.Timestamp(value)
    return {bool: np.bool_, int: np.int64, float: np.float64}.get(type(value), str)(value)


def _given(model: Predictor, style: str, rows: list[Row], folder: Path) -> dict[str, list[Any]]:
    """Return the inputs of the form, the command line and Python for the rows."""
    features = [{"name": f.name, "typical": f.typical} for f in model.form.features]
    in_form = [{n: v if isinstance(v, int | float) else TEXT.cell(v) for n, v in row.items()} for row in rows]
    in_form = [{n: str(v) if n in ("flag", "zone") and v is not None else v for n, v in row.items()} for row in in_form]
    frame = pd.DataFrame(rows).astype({"when": "datetime64[s]"})
    written = [[f"{name}={STYLES[style].cell(value, name)}" for name, value in row.items()] for row in rows]
    return {
        "form": [{"row": form.row(features, [row[f["name"]] for f in features])} for row in in_form],
        "command line": [given for words in written for _, given in parse_arguments(INPUTS, words)],
        "DataFrame": parse_inputs(INPUTS, [frame], folder),
        "list of dicts": parse_inputs(INPUTS, [rows], folder),
        "NumPy": parse_inputs(INPUTS, [[{n: _numpy(v) for n, v in row.items()} for row in rows]], folder),
        "Series": parse_inputs(INPUTS, [pd.DataFrame(rows).iloc[n] for n in range(len(rows))], folder),
    }


@pytest.mark.parametrize("style", ["comma.csv", "german.csv", "numbers.csv"])
def test_the_same_rows_give_the_same_predictions(style: str) -> None:
    model = _model(style)

    @settings(
        max_examples=3,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # to shrink an example takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(rows=ROWS)
    def check(rows: list[Row]) -> None:
        rows = [{name: row[name] for name in COLUMNS} for row in rows]  # hypothesis varies the order
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            scores = {file: _scores(model, write(folder / file, rows)) for file, write in FILES.items()}
            for face, inputs in _given(model, style, rows, folder).items():
                scores[face] = [round(answer["scores"]["high"], 6) for answer in model(inputs)]
        wanted = scores["comma.csv"]
        assert len(wanted) == len(rows) and scores == dict.fromkeys(scores, wanted)

    check()


@pytest.mark.parametrize("style", ["comma.csv", "german.csv", "numbers.csv"])
@pytest.mark.parametrize(("delimiter", "decimal"), [(";", ","), (",", ".")])
def test_the_delimiter_shows_the_decimal_mark_of_three_decimals(
    style: str, delimiter: str, decimal: str, tmp_path: Path
) -> None:
    rows = [{**dict.fromkeys(COLUMNS), "count": n, "share": share} for n, share in ((1, 2.345), (2, 1.234), (3, 9.875))]
    written = Style(delimiter, decimal).write(tmp_path / "rows.csv", rows)
    assert _scores(_model(style), written) == _scores(_model(style), _parquet(tmp_path / "rows.parquet", rows))
