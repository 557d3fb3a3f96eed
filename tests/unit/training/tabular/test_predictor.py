"""What a model of tables says about rows and files, and which files it refuses to be loaded from."""

from __future__ import annotations

import csv
import datetime
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autotrain_gradio.core.csv_files import escape_formula
from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.tasks.tabular_classification import train as classification
from autotrain_gradio.tasks.tabular_regression import train as regression
from autotrain_gradio.training.tabular import frame, saving
from autotrain_gradio.training.tabular.predictor import Predictor, load
from autotrain_gradio.training.tabular.reading import RowReader
from tests.trials import Trial
from tests.unit.training.tabular.conftest import Make

TABLE = """size;colour;when;comment
1,5;red;31.12.2022;=1+1
-2;blue;01.05.2022;-3.5
;;;@home
"""


def _frame(rows: list[dict[str, Any]], features: list[frame.Feature]) -> pd.DataFrame:
    return RowReader(features).rows(rows).frame


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A run that knows sizes, colours and dates."""
    folder = tmp_path_factory.mktemp("predictor")
    draw = np.random.default_rng(0)
    size, colour = draw.normal(size=120), draw.choice(["red", "blue"], 120)
    when = pd.Timestamp("2022-01-01") + pd.to_timedelta(draw.integers(0, 364, 120), unit="D")
    table = pd.DataFrame({"size": size, "colour": colour, "when": when.strftime("%d.%m.%Y")})
    table["target"] = np.where(size + (colour == "red") > 0.5, "in", "out")
    table.to_csv(folder / "rows.csv", index=False)
    data = {"source": "path", "path": str(folder / "rows.csv")}
    spec = {"task": "tabular", "model": "decision_tree,random_forest", "data": data, "params": {"num_trials": 2}}
    trial = Trial(folder / "run", spec)
    classification.train(trial.reporter())
    yield trial


def test_the_prediction_of_a_table_is_a_table(made: Trial, tmp_path: Path) -> None:
    path = tmp_path / "new rows.csv"
    path.write_text(TABLE, encoding="utf-8")
    answer = load(made.directory)([{"table": str(path)}])[0]
    assert answer["rows"] == 3 and answer["columns"] == ["prediction", "score in", "score out"]
    out = Path(answer["file"])
    assert out.is_relative_to(made.directory / "predictions") and out.name == "new rows-predictions.csv"
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["prediction"] for r in rows[:2]] == ["in", "out"] and [r["size"] for r in rows] == ["1,5", "-2", ""]
    assert [r["comment"] for r in rows] == ["'=1+1", "-3.5", "'@home"]
    assert all(float(r["score in"]) + float(r["score out"]) == pytest.approx(1, abs=1e-5) for r in rows)
    # Rows of a file and rows that are typed are the same.
    typed = Predictor(made.directory / "model")([{"row": {"size": -2, "colour": "blue", "when": "2022-05-01"}}])
    assert typed[0]["scores"]["in"] == pytest.approx(float(rows[1]["score in"]), abs=1e-5)


def test_unparsed_rows_of_a_file_are_reported(made: Trial, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(f"size,colour,when\n1,red,2022-05-01\n2,{'x' * 1_100_000},\n", encoding="utf-8")
    answer = load(made.directory)([{"table": str(path)}])[0]
    (warning,) = answer["warnings"]
    assert answer["rows"] == 1 and "row 3" in warning and "skipped" in warning


def test_cells_are_parsed_as_in_training(prepared: Make) -> None:
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"length": draw.integers(1, 90_000, 80) / 1000})
    table["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 364, 80), unit="D")
    table.loc[0, "length"] = 0.532  # a comma with nothing but 0 before it stands before decimals
    table["target"] = np.where(table["length"] > 45, "long", "short")
    table["length"] = [f"{v:.3f}".replace(".", ",") for v in table["length"]]
    table["day"] = table["day"].dt.strftime("%m/%d/%Y")
    made = prepared(table, model="decision_tree", num_trials=1)
    classification.train(made.reporter())
    model = load(made.directory)
    assert [f.reading for f in model.form.features] == ["decimal", "month"]
    # Alone, each of them could mean something else.
    read = _frame([{"length": "1,234", "day": "01/02/2024"}], model.form.features)
    assert read["length"][0] == 1.234 and read["day"][0] == pd.Timestamp("2024-01-02")
    read = _frame([{"length": 1.5, "day": "2024-05-31"}], model.form.features)
    assert read["length"][0] == 1.5 and read["day"][0] == pd.Timestamp("2024-05-31")


def test_timestamps_with_a_time_zone_are_normalized() -> None:
    berlin = datetime.timezone(datetime.timedelta(hours=2))
    feature = frame.Feature("when", "date")
    for given in ("2024-05-31T10:30:00+02:00", datetime.datetime(2024, 5, 31, 10, 30, tzinfo=berlin)):
        assert _frame([{"when": given}], [feature])["when"][0] == pd.Timestamp("2024-05-31 08:30")


def test_missing_value_markers_apply_to_dates_and_numbers() -> None:
    features = [frame.Feature("when", "date"), frame.Feature("size", "number")]
    cells = pa.array(["2024-05-31", " N/A ", "-", "#REF!", None])
    numbers = pa.array(["1", " N/A ", "-", "#REF!", None])
    table = pa.table({"when": cells, "size": numbers})
    read = RowReader(features).table(table, [f"row {n}" for n in range(5)]).frame
    assert read["when"].notna().tolist() == read["size"].notna().tolist() == [True, False, False, False, False]
    with pytest.raises(DataError, match="must be a date, not 'soon'"):
        _frame([{"when": "soon", "size": 1}], features)


def test_numeric_categories_have_no_decimal_point() -> None:
    zone = frame.Feature("zone", "category")
    read = _frame([{"zone": v} for v in (1, 1.0, "1", None, 2.5)], [zone])
    assert read["zone"].tolist() == ["1", "1", "1", "", "2.5"]


def test_prediction_columns_do_not_collide_with_existing_ones(made: Trial, tmp_path: Path) -> None:
    path = tmp_path / "again.csv"
    path.write_text("size,colour,when,prediction\n1.5,red,2022-12-31,old\n", encoding="utf-8")
    answer = load(made.directory)([{"table": str(path)}])[0]
    assert answer["columns"][0] == "prediction 2"
    assert Path(answer["file"]).read_text(encoding="utf-8").splitlines()[1].startswith("1.5,red,2022-12-31,old,in,")


def test_missing_columns_and_invalid_cells_are_named(made: Trial, tmp_path: Path) -> None:
    model = load(made.directory)
    with pytest.raises(DataError, match="2 feature columns are missing: 'colour', 'when'"):
        model([{"row": {"size": 1}}])
    with pytest.raises(DataError, match="'size' must be a number, not 'large'") as said:
        model([{"row": {"size": "large", "colour": "red", "when": None}}])
    assert "12.5" in said.value.hint
    path = tmp_path / "bad.csv"
    path.write_text("size,colour,when\n1,red,sometime\n2,red,never\n", encoding="utf-8")
    with pytest.raises(DataError) as found:
        model([{"table": str(path)}])
    assert "bad.csv, row 2" in found.value.where
    path.write_text("size,colour,when\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"no rows|header"):
        model([{"table": str(path)}])
    with pytest.raises(UserError, match="was not found"):
        model([{"table": str(tmp_path / "nowhere.csv")}])
    with pytest.raises(UserError, match="neither a row nor a table"):
        model([{}])


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+49 30 1234", "'+49 30 1234"),
        ("\tx", "'\tx"),
        ("-3.5", "-3.5"),
        ("+", "+"),
        ("--", "--"),
        ("plain", "plain"),
        (None, ""),
        (-2.5, -2.5),
    ],
)
def test_formula_like_cells_are_escaped(cell: Any, safe: Any) -> None:
    assert escape_formula(cell) == safe


def test_the_model_contains_no_text_of_training_rows() -> None:
    texts = pd.DataFrame({"note": np.array(["called on Monday, no answer", "", "paid"], dtype=object)})
    (note,) = frame.describe(texts, {"note": "text"}, {})
    assert note.typical is None and note.choices == [] and note.distinct == 2 and note.missing


def test_the_form_lists_no_high_cardinality_categories() -> None:
    for rows, people, named in ((900, 31, False), (900, 30, True), (50, 25, False), (90, 30, True)):
        names = np.array([f"person {i % people}@example.org" for i in range(rows)], dtype=object)
        (who,) = frame.describe(pd.DataFrame({"who": names}), {"who": "category"}, {})
        assert who.distinct == people and len(who.choices) == (people if named else 0)
        assert (who.typical is None) != named


def test_the_model_card_discloses_the_data_in_the_files(prepared: Make) -> None:
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"size": draw.normal(size=160), "who": [f"person {i % 53}" for i in range(160)]})
    table["colour"], table["note"] = (
        draw.choice(["red", "blue"], 160),
        [f"word {i} of the many words" for i in range(160)],
    )
    table["target"] = np.where(table["size"] > 0, "in", "out")
    cards = {}
    for family in ("decision_tree", "knn"):
        made = prepared(table, model=family, num_trials=1, name=family)
        classification.train(made.reporter())
        cards[family] = (made.directory / "model" / "README.md").read_text()
        assert "person " not in (made.directory / "model" / "form.json").read_text() + cards[family]
    told = cards["decision_tree"].partition("## Information about the data in the files")[2].partition("##")[0]
    assert "categories of 'colour' (of columns with up to 30)" in told and "largest value of 'size'" in told
    assert "all categories of 'who', 'colour'" in told and "cells of 'note'" in told
    assert "training rows in numeric form" not in told and "training rows in numeric form" in cards["knn"]
    assert "all categories of 'colour'" in cards["knn"] and "cells of 'who', 'note'" in cards["knn"]


def test_the_form_describes_each_column(made: Trial) -> None:
    form = json.loads((made.directory / "model" / "form.json").read_text())
    size, colour, when = form["features"]
    assert size["kind"] == "number" and size["low"] < size["typical"] < size["high"]
    assert set(colour["choices"]) == {"red", "blue"} and colour["typical"] == colour["choices"][0]
    assert when["low"] < when["typical"] < when["high"] and when["typical"].startswith("2022-")
    assert form["targets"] == [{"name": "target", "labels": ["in", "out"], "unit": ""}]


def test_saved_models_contain_no_pickle(made: Trial) -> None:
    names = {p.name for p in (made.directory / "model").iterdir()}
    assert names == {"model.skops", "form.json", "README.md", "training_params.json"}
    with zipfile.ZipFile(made.directory / "model" / "model.skops") as archive:
        assert all(n.endswith((".json", ".npy", ".npz")) for n in archive.namelist())
    card = (made.directory / "model" / "README.md").read_text()
    assert "tabular-classification" in card and "Predictor" in card and "base_model" not in card


def _changed(made: Trial, folder: Path, change: Any) -> Path:
    """A copy of the model with its schema changed by a function."""
    (folder / "model").mkdir()
    for name in ("form.json", "model.skops"):
        (folder / "model" / name).write_bytes((made.directory / "model" / name).read_bytes())
    path = folder / "model" / "model.skops"
    with zipfile.ZipFile(path) as archive:
        files = {n: archive.read(n) for n in archive.namelist()}
    files = change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return folder


def test_an_untrusted_type_in_a_model_is_refused(made: Trial, tmp_path: Path) -> None:
    def foreign(files: dict[str, bytes]) -> dict[str, bytes]:
        schema = files["schema.json"].decode()
        assert '"ColumnTransformer"' in schema
        changed = schema.replace('"__module__": "sklearn.compose._column_transformer"', '"__module__": "subprocess"')
        return {**files, "schema.json": changed.replace('"ColumnTransformer"', '"Popen"').encode()}

    with pytest.raises(UserError, match="untrusted types") as said:
        load(_changed(made, tmp_path, foreign))
    assert said.value.code == "untrusted-model" and "subprocess.Popen" in said.value.message


def test_a_damaged_model_is_reported(made: Trial, tmp_path: Path) -> None:
    folder = _changed(made, tmp_path, lambda files: {n: c for n, c in files.items() if n == "schema.json"})
    with pytest.raises(UserError, match="is damaged"):
        load(folder)
    (folder / "model" / "model.skops").write_bytes(b"no zip")
    with pytest.raises(UserError, match="is damaged"):
        load(folder)
    (folder / "model" / "form.json").unlink()
    with pytest.raises(UserError, match=r"form\.json"):
        load(folder)


def test_trees_with_out_of_range_nodes_are_refused(made: Trial) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.tree import DecisionTreeClassifier

    rows, answers = np.random.default_rng(0).normal(size=(60, 2)), [0, 1] * 30
    tree = DecisionTreeClassifier(max_depth=3).fit(rows, answers)
    saving._check_trees(tree)
    state = tree.tree_.__getstate__()
    state["nodes"]["left_child"][0] = 10**6
    tree.tree_.__setstate__(state)
    with pytest.raises(ValueError, match="child index"):
        saving._check_trees(tree)
    boosted = HistGradientBoostingClassifier(max_iter=2).fit(rows, answers)
    saving._check_trees(boosted)
    boosted._predictors[1][0].nodes["feature_idx"][0] = 7
    with pytest.raises(ValueError, match="feature index"):
        saving._check_trees(boosted)


def test_units_are_parsed_in_inputs_and_shown_in_predictions(prepared: Make, tmp_path: Path) -> None:
    draw = np.random.default_rng(2)
    sizes = draw.integers(20, 90, 80)
    table = pd.DataFrame({"size": [f"{s} m²" for s in sizes], "rooms": draw.integers(1, 5, 80)})
    table["target"] = [f"€ {12 * s:,.2f}" for s in sizes]
    made = prepared(table, "tabular-regression", model="ridge", num_trials=1)
    regression.train(made.reporter())
    model = load(made.directory)
    assert [f.unit for f in model.form.features] == ["m²", ""] and model.form.targets[0]["unit"] == "€"
    said = model([{"row": {"size": s, "rooms": 2}} for s in ("50 m²", "50", "50m²", 50)])
    assert all(a == said[0] for a in said) and said[0]["units"] == {"target": "€"}
    assert said[0]["values"]["target"] == pytest.approx(600, rel=0.02)
    with pytest.raises(DataError, match="'size' must be a number, not '50 ft²'"):
        model([{"row": {"size": "50 ft²", "rooms": 2}}])
    path = tmp_path / "new.csv"
    path.write_text("size,rooms\n50 m²,2\n50,(2)\n", encoding="utf-8")
    answer = model([{"table": str(path)}])[0]
    assert answer["columns"] == ["prediction (€)"]
    assert float(Path(answer["file"]).read_text(encoding="utf-8").splitlines()[1].split(",")[2]) > 500
    drawn = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert drawn["Residuals"]["x"] == "predicted (€)" and "All in €." in drawn["Results"]["note"]
    card = (made.directory / "model" / "README.md").read_text(encoding="utf-8")
    assert "size (number, in m²)" in card and ",  # in m²" in card


def test_workbook_dates_have_no_time_of_day(made: Trial, tmp_path: Path) -> None:
    days, moments = (
        pd.to_datetime(["2022-12-31 00:00", second]) for second in ("2022-05-01 00:00", "2022-12-31 10:30")
    )
    path = tmp_path / "rows.xlsx"
    pd.DataFrame({"size": [1.5, 2], "colour": ["red", "blue"], "when": days, "entered": moments}).to_excel(
        path, index=False
    )
    answer = load(made.directory)([{"table": str(path)}])[0]
    rows = Path(answer["file"]).read_text(encoding="utf-8").splitlines()
    assert rows[1].startswith("1.5,red,2022-12-31,2022-12-31,in,")
    assert rows[2].startswith("2,blue,2022-05-01,2022-12-31 10:30:00,")


@pytest.mark.parametrize("columns", [3, 60])
def test_the_code_of_the_model_card_can_be_executed(
    prepared: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    draw = np.random.default_rng(4)
    table = pd.DataFrame(draw.normal(size=(60, columns)), columns=[f"c'{n}" for n in range(columns)])
    table["who"], table["note"] = ([f"{word} number {i} of it" for i in range(60)] for word in ("person", "word"))
    table["when"] = [f"2024-01-{i % 28 + 1:02}" for i in range(60)]
    table["target"] = np.where(table["c'0"] > 0, "in", "out")
    made = prepared(table, model="decision_tree", num_trials=1)
    classification.train(made.reporter())
    card = (made.directory / "model" / "README.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in card.split("```python\n")[1:]]
    assert len(blocks) == 2
    code = "".join(blocks)
    assert "person " not in code and ("'when': '2024-01-" in code) == (columns < 10)
    monkeypatch.chdir(tmp_path)
    (tmp_path / made.resolved.spec.project_name).symlink_to(made.directory / "model")
    capsys.readouterr()
    exec(code, {})
    said = capsys.readouterr().out.splitlines()
    assert said[0] in {"in", "out"} and said[1].endswith("new_rows-predictions.csv")
    assert (tmp_path / "new_rows-predictions.csv").read_text(encoding="utf-8").count("\n") == 2


@pytest.mark.parametrize("columns", [2, 45])
def test_row_and_table_of_the_model_card_are_equal(prepared: Make, columns: int) -> None:
    draw = np.random.default_rng(1)
    table = pd.DataFrame(draw.integers(1001, 9999, (61, columns)) / 1000, columns=[f"c{n}" for n in range(columns)])
    table.loc[0] = 0.532  # a comma with nothing but 0 before it stands before decimals
    middle = table["c0"].median()
    table["target"] = np.where(table["c0"] > middle, "long", "short")
    for name in table.columns[:-1]:
        table[name] = [f"{v:.3f}".replace(".", ",") for v in table[name]]
    made = prepared(table, model="decision_tree", num_trials=1, data={"valid_fraction": 0})
    classification.train(made.reporter())
    card = (made.directory / "model" / "README.md").read_text(encoding="utf-8")
    code = card[card.index("value = {") : card.index("path = ")]
    model = load(made.directory)
    names = {"Predictor": Predictor, "model": made.directory / "model"}
    row = eval(code.removeprefix("value = "), names)
    assert row["c0"] == f"{middle:.3f}".replace(".", ",").rstrip("0")
    as_table = pa.table({name: [str(cell)] for name, cell in row.items()})
    for read in (
        _frame([row], model.form.features),
        RowReader(model.form.features).table(as_table, ["row 1"]).frame,
    ):
        assert read["c0"][0] == pytest.approx(middle)


@pytest.mark.parametrize("reading", ["", "decimal", "thousands", "both"])
def test_a_number_is_parsed_the_same_alone_and_in_a_column(reading: str) -> None:
    size = frame.Feature("size", "number", reading=reading)
    for cells in (["1,234", "1,5"], ["1.234", "1.234.567"], ["1.234", "1,5"], ["1.5", "1,234.5", "(3)", "<2"]):
        together = _frame([{"size": c} for c in cells], [size])["size"].tolist()
        assert together == [_frame([{"size": c}], [size])["size"][0] for c in cells], cells
    comma, point = _frame([{"size": "1,234"}, {"size": "1.234"}], [size])["size"]
    assert comma == (1.234 if reading in {"decimal", "both"} else 1234)
    assert point == (1234 if reading == "decimal" else 1.234)
    assert _frame([{"size": 1.234}, {"size": "2"}], [size])["size"][0] == 1.234
