"""Predictions of a tabular model for single rows and for the rows of a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autotrain_gradio.core import panels
from autotrain_gradio.core.csv_files import write_csv
from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.tables.table_reader import read_again
from autotrain_gradio.data.tables.types import ReadOptions
from autotrain_gradio.data.values.arrow_columns import as_text
from autotrain_gradio.training import prediction_files
from autotrain_gradio.training.tabular import frame, prepare, saving
from autotrain_gradio.training.tabular.model import THRESHOLD, Predictions
from autotrain_gradio.training.tabular.reading import RowReader
from autotrain_gradio.training.tabular.search import ignore_warnings

PREVIEW_ROWS = 5
PREVIEW_COLUMNS = 6


class Predictor:
    """The model in a folder.

    Inputs: `{"row": {column: value}}`, or `{"table": path}` of a CSV, Excel or Parquet file.
    Predictions of a row: `{"label", "scores"}`, or of a multi-label model `{"labels", "scores"}`, the most likely
    first; of numbers `{"values": {target: number}}`, and `"units": {target: unit}` of those that have one; of several
    targets with classes `{"targets": {target: {"label", "scores"}}}`. Of a table: `{"file": path of a CSV, "rows",
    "columns"}`: its rows with the predictions, and remarks about the cells of a row in the column `note`.
    All have `panels`, and `warnings` where there are some: unknown categories, values far outside the training data,
    invalid cells (which count as missing), columns that are not used, rows that could not be parsed.
    """

    def __init__(self, folder: str | Path, output: Path | None = None) -> None:
        """Load the model. output: folder for files of predictions; None: that of each table."""
        self.folder, self._output = Path(folder), output
        self.form = frame.Form.read(self.folder)
        self._model = saving.load(self.folder)
        self._reader = RowReader.of(self.form, prepare.known_categories(self._model.transformer))

    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Predict.

        Raises:
            DataError: columns are missing, or most cells of a column are not of its kind.
            UserError: the file does not exist, or an input has neither a row nor a table.
        """
        rows = [i["row"] for i in inputs if isinstance(i.get("row"), Mapping)]
        predictions = iter(self._rows(rows) if rows else [])
        found = []
        for given in inputs:
            if isinstance(given.get("row"), Mapping):
                found.append(next(predictions))
            elif given.get("table"):
                found.append(self._table(Path(given["table"])))
            else:
                raise UserError("The input has neither a row nor a table.", "Give a row or a table.", code="no-input")
        return found

    def _rows(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        parsed = self._reader.rows(rows)
        found = self._predictions(self._outputs(parsed.frame), len(rows))
        remarks = parsed.remarks
        if parsed.about_columns:
            remarks[0] = [*(str(f) for f in parsed.about_columns), *remarks.get(0, [])]
        return [{**one, "warnings": remarks[n]} if n in remarks else one for n, one in enumerate(found)]

    def _outputs(self, rows: pd.DataFrame) -> Predictions:
        if not len(rows):
            return [np.zeros((0, len(t["labels"]))) if t["labels"] else np.zeros(0) for t in self.form.targets]
        with ignore_warnings():
            return self._model.fitted.predict(prepare.transform(self._model.transformer, rows))

    def _predictions(self, outputs: Predictions, count: int) -> list[dict[str, Any]]:
        """Return a prediction with its panels for each of `count` rows."""
        targets = self.form.targets
        names = [t["name"] for t in targets]
        if self.form.problem_type == "regression":
            units = {t["name"]: t["unit"] for t in targets if t.get("unit")}
            with_units = {"units": units} if units else {}
            values = [{n: float(o[i]) for n, o in zip(names, outputs, strict=True)} for i in range(count)]
            return [
                {"values": v, **with_units, "panels": [panels.numbers("Prediction", v, units=units)]} for v in values
            ]
        if self.form.multi_label:
            found = []
            for i in range(count):
                probabilities = {n: float(o[i, 1]) for n, o in zip(names, outputs, strict=True)}
                scores = dict(sorted(probabilities.items(), key=lambda s: -s[1]))
                labels = [n for n, s in scores.items() if s >= THRESHOLD]
                panel = panels.scores("Prediction", scores, predicted=labels)
                found.append({"labels": labels, "scores": scores, "panels": [panel]})
            return found
        each = [[_label(o[i], t["labels"]) for t, o in zip(targets, outputs, strict=True)] for i in range(count)]
        if len(targets) == 1:
            return [{**one[0], "panels": [panels.scores("Prediction", one[0]["scores"])]} for one in each]
        named = [dict(zip(names, one, strict=True)) for one in each]
        return [{"targets": n, "panels": [panels.scores(name, t["scores"]) for name, t in n.items()]} for n in named]

    def _table(self, path: Path) -> dict[str, Any]:
        if not path.is_file():
            raise UserError(f"The file '{path.name}' was not found.", "Check the path.", str(path), "no-file")
        known = {f.name for f in self.form.features} | {t["name"] for t in self.form.targets} | {*self.form.others}
        options = ReadOptions(self.form.sheet or None, columns=frozenset(known))
        sheet = read_again(path, path.name, options, Limits.from_env())
        errors = [f for f in sheet.findings if f.level == "error"]
        if errors:
            raise DataError.from_findings(errors)
        if not sheet.table.num_rows:
            raise DataError(f"{path.name} has no rows.", "Add the rows to predict.", path.name, "empty-table")
        where = [f"{path.name}, row {n}" for n in sheet.number]
        parsed = self._reader.table(sheet.table, where, sheet.notation if sheet.example else "")
        given = {name: as_text(sheet.table.column(name)).to_pylist() for name in sheet.table.column_names}
        columns = self._columns(self._outputs(parsed.frame), set(given))
        cells = {**given, **columns}
        if parsed.remarks:
            cells[_free_name("note", cells)] = [" ".join(parsed.remarks.get(i, [])) for i in range(len(parsed.frame))]
        target, count = self._place(path), len(parsed.frame)
        rows = zip(*cells.values(), strict=True)
        escaped = write_csv(target, list(cells), rows, unchanged=frozenset(columns))
        findings = [*sheet.findings, *parsed.about_columns, *parsed.about_cells]
        warnings = [str(f) for f in findings if f.level == "warning"]
        notes = [
            f"Added to the columns of {path.name}: {join_examples([n for n in cells if n not in given], limit=4)}."
        ]
        notes += [str(f) for f in findings if f.level == "info"]
        if escaped:
            notes.append(f"An apostrophe was put before {pluralize(escaped, 'cell')} that would be a formula.")
        shown = [*list(columns)[:PREVIEW_COLUMNS], *list(given)[: PREVIEW_COLUMNS - len(columns)]]
        panel = panels.download(
            "Predictions",
            str(target),
            rows=count,
            columns=shown,
            preview=[[cells[name][i] for name in shown] for i in range(min(PREVIEW_ROWS, count))],
            note=" ".join(notes),
        )
        prediction = {"file": str(target), "rows": count, "columns": list(columns), "panels": [panel]}
        return {**prediction, "warnings": warnings} if warnings else prediction

    def _columns(self, outputs: Predictions, taken: set[str]) -> dict[str, list[Any]]:
        """Return the columns to add: predictions, and a score for each class."""
        found: dict[str, list[Any]] = {}

        def add(name: str, cells: list[Any]) -> None:
            found[_free_name(name, taken | found.keys())] = cells

        several = len(self.form.targets) > 1
        if self.form.multi_label:
            names = [t["name"] for t in self.form.targets]
            count = len(outputs[0])
            pairs = list(zip(names, outputs, strict=True))
            add("prediction", [", ".join(n for n, a in pairs if a[i, 1] >= THRESHOLD) for i in range(count)])
            for name, output in pairs:
                add(f"score {name}", [round(float(s), 6) for s in output[:, 1]])
            return found
        for target, output in zip(self.form.targets, outputs, strict=True):
            of = f" {target['name']}" if several else ""
            if target["labels"] is None:
                unit = f" ({target['unit']})" if target.get("unit") else ""
                add(f"prediction{of}{unit}", [float(f"{v:.10g}") for v in output])
                continue
            add(f"prediction{of}", [target["labels"][k] for k in output.argmax(axis=1)])
            for k, label in enumerate(target["labels"]):
                add(f"score{of} {label}", [round(float(s), 6) for s in output[:, k]])
        return found

    def _place(self, path: Path) -> Path:
        if self._output is None:
            return path.with_name(f"{path.stem}-predictions.csv")
        return prediction_files.new_folder(self._output) / f"{path.stem}-predictions.csv"


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return the name, numbered if it is taken."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} {number}", number + 1
    return free


def _label(probabilities: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    scores = {names[int(i)]: float(probabilities[i]) for i in np.argsort(-probabilities, kind="stable")}
    return {"label": next(iter(scores)), "scores": scores}


def load(directory: Path) -> Predictor:
    """Load the model of a run; files of predictions are written into the run."""
    return Predictor(directory / "model", directory / prediction_files.FOLDER)
