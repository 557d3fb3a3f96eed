"""The command `predict`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.cli.main import main
from autotrain_gradio.core import panels
from autotrain_gradio.core.inputs import ROWS_OF
from autotrain_gradio.tasks.registry import registry

ASKED: list[Any] = []


def _service(monkeypatch: pytest.MonkeyPatch, task: str, predict: Any) -> None:
    class Fake:
        tasks = registry()

        def runs(self) -> list[dict[str, Any]]:
            return [{"id": "20260101-000000-x-abcdefghij", "project_name": "mine"}]

        def snapshot(self, run: str) -> dict[str, Any]:
            return {"task": task}

        def predict(self, run: str, inputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            ASKED[:] = inputs
            return [p for i in inputs for p in predict(i)]

    monkeypatch.setattr(commands, "_service", Fake)


@pytest.fixture()
def texts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Predict texts; a file of rows has two of them, with a warning."""

    def one(label: str) -> dict[str, Any]:
        scores = {label: 0.75, "other": 0.25}
        return {"label": label, "scores": scores, "panels": [panels.scores("Prediction", scores)]}

    def predict(given: dict[str, Any]) -> list[dict[str, Any]]:
        if ROWS_OF not in given:
            return [one("short" if len(given["text"]) < 9 else "long")]
        rows = [{**one("good"), "row": n, "input": {"text": t}} for n, t in ((2, "=fine"), (3, "so\nso"))]
        return [{**rows[0], "warnings": ["Decoded as Windows-1252."]}, rows[1]]

    _service(monkeypatch, "text-classification", predict)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reviews.tsv").write_text("text\nfine\n")
    return tmp_path


def test_one_prediction_is_shown_as_panels(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "mine", "a sunny day"]) == 0
    assert capsys.readouterr().out.startswith("Prediction\n  ✓ long   ██████████████████ 75.0%\n")
    assert ASKED == [{"text": "a sunny day"}]


def test_several_predictions_are_shown_as_a_table(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "mine", "a", "reviews.tsv", "a very long text"]) == 0
    told = capsys.readouterr()
    lines = [line.rstrip() for line in told.out.splitlines()]
    assert lines[0].split() == ["input", "prediction"] and lines[2] == "a                 short 75.0%"
    assert lines[3:] == ["=fine             good 75.0%", "so so             good 75.0%", "a very long text  long 75.0%"]
    assert "warning: Decoded as Windows-1252." in told.err


def test_predictions_are_written_to_a_file(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "mine", "reviews.tsv", "--output", "out.csv"]) == 0
    assert "2 predictions in out.csv" in capsys.readouterr().out
    with (texts / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["input"] for r in rows] == ["'=fine", "so\nso"], "no formula reaches a spreadsheet"
    assert rows[0]["label"] == "good" and rows[0]["scores other"] == "0.25"


def test_names_of_classes_are_written_as_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scores = {"+1": 0.75, "=A": 0.25}
    answer = {"label": "=A", "scores": scores, "text": "=B", "panels": [panels.scores("Prediction", scores)]}
    _service(monkeypatch, "text-classification", lambda given: [{**answer, "warnings": ["An odd one."]}])
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "mine", "=C", "--output", "out.csv", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["warnings"] == ["An odd one."] and "warning: An odd one." in told.err
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["input"], row["label"], row["text"]) == ("'=C", "=A", "'=B"), "free text is guarded"
    assert row["scores +1"] == "0.75" and "warnings" not in row


def test_json_has_the_raw_values_and_the_panels(texts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "mine", "a", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0]["input"] == "a" and found[0]["label"] == "short" and found[0]["panels"][0]["kind"] == "scores"


def test_a_text_that_looks_like_a_path_must_exist_or_be_given_with_the_text_flag(
    texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "mine", "nowhere.tsv"]) == 1
    assert "The file 'nowhere.tsv' does not exist" in capsys.readouterr().err
    assert main(["predict", "mine", "--text", "nowhere.tsv", "--text", "reviews.tsv"]) == 0
    assert ASKED == [{"text": "nowhere.tsv"}, {"text": "reviews.tsv"}]
    assert main(["predict", "mine"]) == 2 and "No input was given" in capsys.readouterr().err


def test_rows_and_tables_are_predicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made.csv"
    made.write_text("a,prediction\n1,2\n")

    def predict(given: dict[str, Any]) -> list[dict[str, Any]]:
        if "table" not in given:
            return [{"values": {"rent": 12.5}, "panels": [panels.numbers("Prediction", {"rent": 12.5})]}]
        return [{"file": str(made), "rows": 1, "panels": [panels.download("Predictions", str(made), rows=1)]}]

    _service(monkeypatch, "tabular-regression", predict)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.csv").write_text("a\n1\n")
    assert main(["predict", "mine", "a=1", "b=", "c=x=y"]) == 0
    assert ASKED == [{"row": {"a": "1", "b": None, "c": "x=y"}}]
    assert capsys.readouterr().out == "Prediction\n  rent  12.5\n"
    assert main(["predict", "mine", "new.csv"]) == 0
    assert "1 row in new-predictions.csv" in capsys.readouterr().out
    assert (tmp_path / "new-predictions.csv").read_text() == made.read_text()
    assert main(["predict", "mine", "new.csv"]) != 0, "an existing file is not overwritten"
    assert main(["predict", "mine", "new.csv", "--to", "out.csv"]) == 0 and (tmp_path / "out.csv").is_file()
    assert main(["predict", "mine", "new.csv", "a=1", "--output", "out.csv"]) != 0
    assert main(["predict", "mine", "a=1", "--output", "row.csv"]) == 0
    assert (tmp_path / "row.csv").read_text().splitlines()[0] == "input,values rent"


def test_an_output_in_a_folder_that_does_not_exist_is_refused_before_predicting(
    texts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ASKED.clear()
    assert main(["predict", "mine", "a sunny day", "--output", "missing/predictions.csv"]) == 2
    assert f"The folder '{texts / 'missing'}' does not exist." in capsys.readouterr().err
    assert ASKED == []
