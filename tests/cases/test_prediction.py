"""A prediction parses a cell as the training did, and names what the model has never seen."""

from __future__ import annotations

import csv
import importlib
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training.tabular.frame import Feature
from autotrain_gradio.training.tabular.predictor import Predictor, load
from autotrain_gradio.training.tabular.reading import RowReader
from tests.cases.conftest import INPUTS
from tests.trials import Trial


def _train(folder: Path, case: str, task: str, file: str = "train.csv", **columns: str) -> Predictor:
    shutil.copy(INPUTS / case / file, folder / f"train-{file}")
    return _train_on(folder / f"train-{file}", task, **columns)


def _train_on(path: Path, task: str, model: str = "decision_tree", **columns: str) -> Predictor:
    data = {"source": "path", "path": str(path), "columns": columns}
    spec = {"task": task, "model": model, "data": data, "params": {"num_trials": 1}}
    trial = Trial(path.parent / "run", spec)
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


def test_percentages_are_fractions_in_every_format(tmp_path: Path) -> None:
    model = _train(tmp_path, "41-targets", "tabular-regression", "percent.csv", target="score")
    _, rows = _predict(model, "41-targets", "percent.csv", tmp_path)
    assert {name for name in rows[0] if name.startswith("prediction")} == {"prediction"}, "fractions have no unit"
    assert all(0 <= float(r["prediction"]) <= 1 for r in rows)


@pytest.mark.parametrize("cell", ["10%", "10 %", "10,0 %", 0.1, "0.1"])
def test_a_percentage_is_a_fraction_as_a_feature(shares: Predictor, cell: Any) -> None:
    (wanted,), (found,) = ([shares([{"row": {"share": c, "n": 1}}])[0]["scores"]] for c in (0.1, cell))
    assert found == wanted and "warnings" not in shares([{"row": {"share": cell, "n": 1}}])[0]


def test_a_percentage_without_its_sign_is_far_outside_the_training_data(shares: Predictor) -> None:
    (told,) = shares([{"row": {"share": "10", "n": 1}}])[0]["warnings"]
    assert "'share': 10 is far outside the training data (0 to 0.99)" in told


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("shares")
    rows = [f"{n % 100} %,{n % 7},{'much' if n % 100 > 40 else 'little'}" for n in range(160)]
    (folder / "train.csv").write_text("share,n,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return _train_on(folder / "train.csv", "tabular-classification", target="target")


# -- variants that are not in the folder of cases


@pytest.mark.parametrize(
    ("trained", "given"),
    [
        (("yes", "no"), ("TRUE", "False")),
        (("TRUE", "FALSE"), (True, False)),
        (("Y", "N"), ("y", "n")),
        (("1", "0"), ("TRUE", "no")),
        (("ja", "nein"), (1, 0)),
        (("True", "False"), ("1.0", "0.0")),
    ],
)
def test_truth_values_of_other_spellings(trained: tuple[str, str], given: tuple[Any, Any], tmp_path: Path) -> None:
    rows = [f"{trained[n % 2]},{n % 9},{'in' if n % 2 and n % 9 > 2 else 'out'}" for n in range(90)]
    (tmp_path / "train.csv").write_text("flag,n,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    model = _train_on(tmp_path / "train.csv", "tabular-classification", target="target")
    answers = [model([{"row": {"flag": flag, "n": 5}}])[0] for flag in (*trained, *given)]
    assert [a["scores"] for a in answers[:2]] == [a["scores"] for a in answers[2:]]
    assert answers[0]["label"] != answers[1]["label"] and not any("warnings" in a for a in answers)


def test_two_categories_that_differ_by_case_stay_apart(tmp_path: Path) -> None:
    names = ("it", "IT", "de")
    rows = [f"{names[n % 3]},{n},{'a' if n % 3 == 1 else 'b'}" for n in range(90)]
    (tmp_path / "train.csv").write_text("name,n,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    model = _train_on(tmp_path / "train.csv", "tabular-classification", target="target")
    small, large, unknown, german = (model([{"row": {"name": n, "n": 5}}])[0] for n in ("it", "IT", "It", "DE"))
    assert (small["label"], large["label"], german["label"]) == ("b", "a", "b") and "warnings" not in german
    assert "no category 'It'. Did you mean" in unknown["warnings"][0]


def test_what_is_remarkable_about_the_cells_of_a_file(plans: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("plan,visits,member,Plan 2\nBasik,3,maybe,=1+1\nPro,4000,true,\n", encoding="utf-8")
    (answer,) = plans([{"table": str(path)}])
    told = " ".join(answer["warnings"])
    assert "'Basik' (did you mean 'Basic'?)" in told and "'maybe'" in told
    assert "'visits' has 1 value far outside the training data" in told and "4000 (new.csv, row 3)" in told
    note = answer["panels"][0]["note"]
    assert "An apostrophe was put before 1 cell that would be a formula." in note and "not used: 'Plan 2'" in note
    with Path(answer["file"]).open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert "Did you mean 'Basic'?" in rows[0]["note"] and "4000 is far outside" in rows[1]["note"]


def test_a_column_that_holds_something_else_is_refused(prices: Predictor, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("kind,rooms,built\nflat,many,1990\nflat,few,1990\nflat,3,1990\n", encoding="utf-8")
    with pytest.raises(DataError, match="'rooms' must be a number, not 'many'") as told:
        prices([{"table": str(path)}])
    assert told.value.where == "rooms, new.csv, row 2 and 1 more"


@pytest.mark.parametrize("name", ["+1 day", "=A", "-x", "@home", "--"])
def test_class_names_that_a_spreadsheet_could_run_leave_as_they_came(name: str, tmp_path: Path) -> None:
    rows = [f"{n % 10},{name if n % 10 > 4 else 'other'}" for n in range(60)]
    (tmp_path / "train.csv").write_text("n,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    model = _train_on(tmp_path / "train.csv", "tabular-classification", target="target")
    (tmp_path / "new.csv").write_text("n\n1\n9\n3\n", encoding="utf-8")
    (answer,) = model([{"table": str(tmp_path / "new.csv")}])
    with Path(answer["file"]).open(encoding="utf-8", newline="") as table:
        assert [row["prediction"] for row in csv.DictReader(table)] == ["other", name, "other"]


def test_the_sheet_of_the_training_is_predicted(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": range(60), "kind": list("abc") * 20, "target": ["x", "y"] * 30})
    with pd.ExcelWriter(tmp_path / "train.xlsx") as writer:
        table.to_excel(writer, sheet_name="Rows", index=False)
        pd.DataFrame({"about": ["notes"]}).to_excel(writer, sheet_name="Notes", index=False)
    model = _train_on(tmp_path / "train.xlsx", "tabular-classification", target="target")
    assert model.form.sheet == "Rows"
    with pd.ExcelWriter(tmp_path / "new.xlsx") as writer:
        pd.DataFrame({"about": ["notes"]}).to_excel(writer, sheet_name="Notes", index=False)
        table.head(5).to_excel(writer, sheet_name="Rows", index=False)
    (answer,) = model([{"table": str(tmp_path / "new.xlsx")}])
    assert answer["rows"] == 5 and "warnings" not in answer


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["05/31/2024", "01/02/2024"], "'when' have the month first, unlike the training data"),
        (["31/05/2024", "01/02/2024"], ""),
        (["01/02/2024", "03/02/2024"], ""),
        (["31/05/2024", "05/31/2024"], "Some dates of 'when' have the day first, others the month"),
    ],
)
def test_the_order_of_day_and_month_is_that_of_the_file_if_it_shows_one(
    cells: list[str], told: str, tmp_path: Path
) -> None:
    parsed = RowReader([Feature("when", "date", reading="day")]).table(pa.table({"when": cells}), ["row 1", "row 2"])
    assert told in " ".join(str(f) for f in parsed.about_cells) and bool(parsed.about_cells) == bool(told)
    month_first = "month first, unlike" in told
    if cells[1] == "01/02/2024":
        assert parsed.frame["when"][1] == pd.Timestamp("2024-01-02" if month_first else "2024-02-01")
    alone = RowReader([Feature("when", "date", reading="day")]).rows([{"when": "01/02/2024"}])
    assert alone.frame["when"][0] == pd.Timestamp("2024-02-01")


@pytest.mark.parametrize("family", ["decision_tree", "logistic_regression"])
def test_a_text_in_another_unicode_form_is_the_same(family: str, tmp_path: Path) -> None:
    words = ["für", "Größe", "schön", "übel", "ärger"]
    rows = [
        f"ein {words[n % 5]} langer Satz {n},Ort {words[n % 5]} {n % 45},{'a' if n % 5 < 2 else 'b'}"
        for n in range(180)
    ]
    (tmp_path / "train.csv").write_text("note,town,target\n" + "\n".join(rows) + "\n", encoding="utf-8")
    model = _train_on(tmp_path / "train.csv", "tabular-classification", family, target="target")
    row = {"note": "ein schöner langer Satz", "town": "Ort Größe 1"}
    again = {name: unicodedata.normalize("NFD", cell) for name, cell in row.items()}
    one, other = model([{"row": row}, {"row": again}])
    assert again != row and one["scores"] == other["scores"]
