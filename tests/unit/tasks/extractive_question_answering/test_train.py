"""Question answering, trained for a few steps with tiny models."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.tasks.extractive_question_answering import TASK, squad_metrics
from autotrain_gradio.tasks.extractive_question_answering import train as task
from tests.trials import Trial

ROOT = Path(__file__).resolve().parents[4]
NAMES = ["ann", "bob", "cid", "dora", "eve", "finn"]
THINGS = ["apple", "drum", "kite", "lamp", "rope", "spoon"]
Make = Callable[..., Trial]


def questions(count: int, *, missing: float = 0.0, filler: int = 0) -> list[dict[str, Any]]:
    """Make contexts that say who has what, and questions about one of the two."""
    draw, rows = random.Random(0), []
    for k in range(count):
        name, thing = draw.choice(NAMES), draw.choice(THINGS)
        context = f"{'so it is said ' * filler}in story {k} the child {name} has the toy {thing} ."
        asks_name = draw.random() < 0.5
        answer = "" if draw.random() < missing else name if asks_name else thing
        question = "which child ?" if asks_name else "which toy ?"
        rows.append({"context": context, "question": question if answer else "which colour ?", "answer": answer})
    return rows


@pytest.fixture
def qa_trial(tmp_path: Path) -> Make:
    """Return a function that prepares a run on made questions."""

    def make(rows: list[dict[str, Any]] | None = None, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "questions" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows or questions(60)), encoding="utf-8")
        spec = {
            "task": TASK.name,
            "model": params.pop("model", "tiny"),
            "project_name": "stories",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 8, "lr": 3e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make


def run_card(made: Trial, value: dict[str, str]) -> str:
    """Run the code of the model card."""
    namespace: dict[str, Any] = {"model": str(made.directory / "model"), "value": value}
    exec(TASK.loader_example, namespace)
    return str(namespace["answer"])


def test_a_trained_model_answers_as_the_code_of_its_card(qa_trial: Make) -> None:
    made = qa_trial(questions(80, missing=0.3, filler=12), epochs=12, max_seq_length=48, doc_stride=16)
    run = made.reporter()
    task.train(run)
    predictor = task.load(made.directory)
    model = AutoModelForQuestionAnswering.from_pretrained(run.model)
    assert AutoTokenizer.from_pretrained(run.model).model_max_length == 48
    assert model.config.question_answering["null_threshold"] is not None
    inputs = [{"question": r["question"], "context": r["context"]} for r in questions(20, missing=0.3, filler=12)]
    found = predictor(inputs)
    assert [p["answer"] for p in found] == [run_card(made, value) for value in inputs]
    assert {p["answer"] == "" for p in found} == {True, False}
    for prediction, given in zip(found, inputs, strict=True):
        assert 0 <= prediction["score"] <= 1 and 0 <= prediction["no_answer_score"] <= 1
        if prediction["answer"]:
            assert given["context"][prediction["start"] : prediction["end"]] == prediction["answer"]
        else:
            assert prediction["start"] is None and prediction["end"] is None
        for panel in prediction["panels"]:
            assert render_html(panel) and render_text(panel)
    notes = [e["message"] for e in made.events("note")]
    assert any("became overlapping windows" in note for note in notes)
    # What was recorded equals the metric of the predictions on the validation rows.
    validation = data.load(made.directory)["validation"]
    answers = predictor([{"question": r["question"], "context": r["context"]} for r in validation])
    scores = [squad_metrics.f1(p["answer"], r["answers"]["text"]) for p, r in zip(answers, validation, strict=True)]
    recorded = made.events("result")[-1]["values"]
    assert recorded["eval_qa_f1"] == pytest.approx(sum(scores) / len(scores), abs=1e-6)
    assert {"eval_no_answer_accuracy", "eval_has_answer_f1", "eval_exact_match", "eval_loss"} <= set(recorded)
    report = {p["id"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert {"results", "errors", "by-question-word", "threshold-curve", "mistakes", "training"} <= set(report)
    assert "tuned on one half" in report["results"]["note"]
    sample = made.events("sample")[-1]["panel"]
    assert sample["kind"] == "answers" and len(sample["examples"]["question"]) == len(sample["items"]) == 6


def test_without_unanswerable_questions_the_model_always_answers(qa_trial: Make) -> None:
    made = qa_trial()
    task.train(made.reporter())
    predictor = task.load(made.directory)
    (found,) = predictor([{"question": "who ?", "context": "nobody knows this"}])
    assert found["answer"] and found["no_answer_score"] is None
    assert "eval_no_answer_accuracy" not in made.events("result")[-1]["values"]
    assert predictor([]) == []
    for given, name in (({"question": " ", "context": "a"}, "question"), ({"question": "a"}, "context")):
        with pytest.raises(UserError, match=f"The {name} is empty"):
            predictor([given])


def test_no_validation_split_and_one_row_of_it(qa_trial: Make) -> None:
    made = qa_trial(questions(12, missing=0.5), data={"valid_fraction": 0}, epochs=1)
    task.train(made.reporter())
    assert task.load(made.directory)._threshold == 0
    assert "no validation split" in (made.directory / "report.json").read_text()
    made = qa_trial(questions(5, missing=0.5), run="few", epochs=1)
    task.train(made.reporter())
    assert made.events("result")[-1]["values"]["eval_qa_f1"] >= 0


def test_lora_is_merged(qa_trial: Make) -> None:
    made = qa_trial(questions(16), epochs=1, peft=True, target_modules="Wqkv")
    task.train(made.reporter())
    assert task.load(made.directory)([{"question": "which toy ?", "context": "the toy drum"}])[0]["answer"]


def test_long_answers_are_reported(qa_trial: Make) -> None:
    made = qa_trial(questions(16), epochs=1, max_answer_length=1)
    task.train(made.reporter())
    assert task.load(made.directory)._most == 1


@pytest.mark.parametrize("side", ["start", "end"])
def test_validation_without_one_kind_of_question(qa_trial: Make, side: str) -> None:
    """Where the validation split has no unanswerable question, or only such, the threshold is not tuned."""
    answered, empty = questions(40), [{**row, "answer": ""} for row in questions(40, missing=1)]
    rows = answered + empty
    validation = answered if side == "start" else empty
    lines = [{**row, "split": "train"} for row in rows[::2]] + [
        {**row, "context": row["context"] + f" {side}", "split": "validation"} for row in validation[:6]
    ]
    made = qa_trial(lines, epochs=1)
    task.train(made.reporter())
    assert task.load(made.directory)._threshold == 0


def recipe() -> Any:
    """Import the script that makes the bundled questions."""
    spec = importlib.util.spec_from_file_location("make_questions", ROOT / "assets" / "samples" / "make_questions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_questions"] = module
    spec.loader.exec_module(module)
    return module


def test_the_bundled_sample_equals_the_output_of_its_script(tmp_path: Path) -> None:
    recipe().main(tmp_path)
    kept = ROOT / "assets" / "samples" / "extractive_question_answering" / "places"
    for name in ("train.json", "valid.json"):
        assert (tmp_path / "places" / name).read_bytes() == (kept / name).read_bytes()
