"""A prediction parses a cell as the training did, and names what the model has never seen."""

from __future__ import annotations

import csv
import importlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training.tabular.predictor import Predictor, load
from tests.cases.conftest import INPUTS
from tests.trials import Trial


def _train(folder: Path, case: str, task: str, file: str = "train.csv", **columns: str) -> Predictor:
    data = {"source": "path", "path": str(INPUTS / case / file), "columns": columns}
    spec = {"task": task, "model": "decision_tree", "data": data, "params": {"num_trials": 1}}
    trial = Trial(folder / "run", spec)
    importlib.import_module(registry().get(task).module).train(trial.reporter())
    return load(trial.directory)


def _predict(model: Predictor, case: str, file: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return the prediction of a file, and the rows of the table with predictions."""
    shutil.copy(INPUTS / case / file, folder / file)
    (answer,) = model([{"table": str(folder / file)}])
    with Path(answer["file"]).open(encoding="utf-8", newline="") as table:
        return answer, list(csv.DictReader(table))


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return _train(tmp_path_factory.mktemp("plans"), "07-booleans", "tabular-classification", target="churn")


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    return _train(tmp_path_factory.mktemp("prices"), "12-predict", "tabular-regression", target="price")


def test_truth_values_and_categories_in_another_spelling(plans: Predictor, tmp_path: Path) -> None:
    same, rows = _predict(plans, "07-booleans", "new-same-writing.csv", tmp_path)
    other, again = _predict(plans, "07-booleans", "new-other-writing.csv", tmp_path)
    assert [r["score yes"] for r in rows] == [r["score yes"] for r in again] and len(rows) == 6
    assert "warnings" not in same and "warnings" not in other and "note" not in again[0]
    note = other["panels"][0]["note"]
    assert "'plan' were matched in another spelling: 'BASIC' as 'Basic'" in note and "not used: 'extra'" in note


def test_missing_values_are_predicted(prices: Predictor, tmp_path: Path) -> None:
    answer, rows = _predict(prices, "12-predict", "new-nan.csv", tmp_path)
    assert all(float(r["prediction"]) > 0 for r in rows) and len(rows) == 3
    (warning,) = answer["warnings"]
    assert "'kind' has 1 category that is not in the training data, in 1 row: 'boat'" in warning
    assert [bool(r["note"]) for r in rows] == [False, False, True]


def test_an_invalid_cell_is_named_and_counts_as_missing(prices: Predictor, tmp_path: Path) -> None:
    answer, rows = _predict(prices, "12-predict", "new-bad.csv", tmp_path)
    assert len(rows) == 4 and all(float(r["prediction"]) > 0 for r in rows)
    told = " ".join(answer["warnings"])
    assert "new-bad.csv, row 3: 'three'" in told and "new-bad.csv, row 5: '19x0'" in told
    assert "'three' is not a number" in rows[1]["note"] and "'19x0'" in rows[3]["note"] and not rows[2]["note"]


def test_a_column_with_another_name_is_suggested(prices: Predictor, tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        _predict(prices, "12-predict", "new-missing.csv", tmp_path)
    assert told.value.message == "1 feature column is missing: 'rooms'."
    assert "Did you mean 'Rooms' for 'rooms'?" in told.value.hint


def test_numbers_with_a_decimal_comma(prices: Predictor, tmp_path: Path) -> None:
    _, rows = _predict(prices, "12-predict", "new-semicolon.csv", tmp_path)
    typed = prices(
        [{"row": {"kind": "flat", "rooms": 3.5, "built": 1990}}, {"row": {"kind": "house", "rooms": 4, "built": 1990}}]
    )
    assert [float(r["prediction"]) for r in rows] == pytest.approx([t["values"]["price"] for t in typed])


def test_class_names_leave_as_they_came(tmp_path: Path) -> None:
    model = _train(tmp_path, "46-plus-minus", "tabular-classification", "credit.csv", target="class")
    _, rows = _predict(model, "46-plus-minus", "credit.csv", tmp_path)
    assert {r["prediction"] for r in rows} == {"+", "-"} == {r["class"] for r in rows}
