"""Sentence transformers, trained for a few steps with tiny models in all formats."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator, TripletEvaluator

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.sentence_transformers import train as task
from autotrain_gradio.tasks.sentence_transformers.evaluation import ClassEvaluator
from tests.trials import Trial

Make = Callable[..., Trial]
SLANG, MANUAL = (
    ["gribble", "snoot", "wumper", "moonie", "prattle", "noddy"],
    ["valve", "wand", "pump", "gasket", "mill", "board"],
)
WORDS = dict(zip(SLANG, MANUAL, strict=True))
ACTS = {"sulks": "closed", "weeps": "leaking", "sings": "loud", "stinks": "burnt", "faints": "hot", "bites": "sharp"}


def questions(seed: int = 0) -> list[tuple[str, str, str]]:
    """Return each combination of part and fault: a question, its answer, and the answer to another question."""
    draw, found = random.Random(seed), []
    combinations = [(p, a) for p in WORDS for a in ACTS]
    for part, act in combinations:
        other = draw.choice([c for c in combinations if c != (part, act)])
        found.append((f"my {part} {act} today", *(f"the {WORDS[p]} is {ACTS[a]}" for p, a in ((part, act), other))))
    return found


def rows_of(format: str) -> list[dict[str, Any]]:
    triplets = questions()
    if format == "triplet":
        return [dict(zip(("anchor", "positive", "negative"), row, strict=True)) for row in triplets]
    if format in {"pair", "qa"}:
        names = ("anchor", "positive") if format == "pair" else ("query", "answer")
        return [dict(zip(names, row[:2], strict=True)) for row in triplets]
    found = []
    for i, (question, answer, other) in enumerate(triplets):
        target: Any = float(i % 2) * 4 + (i % 3) / 4 if format == "pair_score" else ("other", "same")[i % 2]
        found.append({"sentence1": question, "sentence2": answer if i % 2 else other, "label": target})
    return found


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Return a function that prepares a run on the rows of a format: 36, 29 of them to train on."""

    def make(format: str = "qa", rows: list[dict[str, Any]] | None = None, run: str = "run", **params: Any) -> Trial:
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        lines = rows_of(format) if rows is None else rows
        file.write_text("".join(json.dumps(r) + "\n" for r in lines), encoding="utf-8")
        spec = {
            "task": "sentence-transformers",
            "model": params.pop("model", "tiny"),
            "project_name": "questions",
            "data": {"source": "path", "path": str(file.parent), "format": format, **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 8, "lr": 3e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make


def report_of(made: Trial) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((made.directory / "report.json").read_text())
    for panel in found:
        assert "cannot be shown" not in render_html(panel) + render_text(panel)
    return found


def notes(made: Trial) -> str:
    return " ".join(e["message"] for e in made.events("note"))


SCORES = {
    "qa": {"ndcg_at_10", "accuracy_at_1", "mrr_at_10"},
    "pair": {"ndcg_at_10", "accuracy_at_1", "mrr_at_10"},
    "triplet": {"ndcg_at_10", "accuracy_at_1", "mrr_at_10", "triplet_accuracy"},
    "pair_score": {"spearman", "pearson"},
    "pair_class": {"accuracy"},
}


@pytest.mark.parametrize("format", SCORES)
def test_each_format_is_trained_evaluated_and_searched(made: Make, format: str) -> None:
    trial = made(format)
    task.train(trial.reporter())
    result = trial.events("result")[-1]["values"]
    assert set(result) == {f"eval_{name}" for name in (*SCORES[format], "loss")}
    base = trial.events("metric")[0]
    assert base["step"] == 0 and set(base["values"]) == {f"eval_{name}" for name in SCORES[format]}
    report = report_of(trial)
    before = find_panel(report, "before-and-after")
    assert before is not None and len(before["rows"]) == len(SCORES[format])
    assert "Base model:" in notes(trial)
    assert len(trial.events("sample")) == 2
    for event in trial.events("sample"):
        assert render_text(event["panel"])

    model = SentenceTransformer(str(trial.directory / "model"), device="cpu")
    found = task.load(trial.directory)([{"sentence1": "my gribble weeps"}, {"sentence1": "snoot sings " * 100}])
    assert found[0]["embedding"] == pytest.approx(model.encode("my gribble weeps").tolist(), abs=1e-5)
    assert "was truncated to the first 128" in found[1]["note"] and "note" not in found[0]
    matches = found[0]["matches"]
    assert [m["rank"] for m in matches] == list(range(1, 11)) and all("base_rank" in m for m in matches)
    assert sorted((m["score"] for m in matches), reverse=True) == [m["score"] for m in matches]
    for panel in found[0]["panels"]:
        assert render_html(panel) and render_text(panel)
    with pytest.raises(UserError, match="text is empty"):
        task.load(trial.directory)([{"sentence1": " "}])


def test_the_metrics_of_a_search_are_those_of_the_librarys_evaluators(made: Make) -> None:
    trial = made("triplet", epochs=4)
    task.train(trial.reporter())
    rows, result = data.load(trial.directory), trial.events("result")[-1]["values"]
    model = SentenceTransformer(str(trial.directory / "model"), device="cpu")
    valid = rows["validation"]
    texts = list(
        dict.fromkeys(t for n in ("validation", "train") for c in ("sentence2", "sentence3") for t in rows[n][c])
    )
    evaluator = InformationRetrievalEvaluator(
        {str(i): q for i, q in enumerate(valid["sentence1"])},
        {str(i): t for i, t in enumerate(texts)},
        {str(i): {str(texts.index(p))} for i, p in enumerate(valid["sentence2"])},
    )
    found = evaluator(model)
    for ours, theirs in (("ndcg_at_10", "ndcg@10"), ("accuracy_at_1", "accuracy@1"), ("mrr_at_10", "mrr@10")):
        assert result[f"eval_{ours}"] == pytest.approx(found[f"cosine_{theirs}"], abs=1e-4)
    triplets = TripletEvaluator(list(valid["sentence1"]), list(valid["sentence2"]), list(valid["sentence3"]))
    assert result["eval_triplet_accuracy"] == pytest.approx(triplets(model)["cosine_accuracy"], abs=1e-4)


def test_the_correlation_is_that_of_scipy_and_the_accuracy_that_of_the_classifier(made: Make) -> None:
    trial = made("pair_score")
    task.train(trial.reporter())
    valid = data.load(trial.directory)["validation"]
    model = SentenceTransformer(str(trial.directory / "model"), device="cpu")
    first, second = model.encode(list(valid["sentence1"])), model.encode(list(valid["sentence2"]))
    similarities = (first * second).sum(1) / np.linalg.norm(first, axis=1) / np.linalg.norm(second, axis=1)
    expected = spearmanr(similarities, valid["target"])[0]
    assert trial.events("result")[-1]["values"]["eval_spearman"] == pytest.approx(expected, abs=1e-4)


def test_training_improves_a_search(made: Make) -> None:
    trial = made("qa", epochs=30, batch_size=16)
    task.train(trial.reporter())
    base = trial.events("metric")[0]["values"]["eval_ndcg_at_10"]
    assert trial.events("result")[-1]["values"]["eval_ndcg_at_10"] > base + 0.2


def test_a_resumed_run_keeps_the_base_scores_and_ends_as_an_uninterrupted_one(made: Make) -> None:
    whole = made("pair_class", run="whole", epochs=4, batch_size=4)
    task.train(whole.reporter())

    trial = made("pair_class", run="stopped", epochs=4, batch_size=4)
    run = trial.reporter()
    step, count = run.progress, 0

    def progress(*args: Any, **kwargs: Any) -> None:
        nonlocal count
        count += 1
        if count == 11:
            run.request_stop()
        step(*args, **kwargs)

    run.progress = progress  # type: ignore[method-assign]
    task.train(run)
    assert "Stopped at step" in notes(trial)
    task.train(trial.reporter(attempt=2))
    assert "Resumed from the checkpoint of step" in notes(trial)
    assert find_panel(report_of(trial), "before-and-after") is not None
    assert sum(e["step"] == 0 for e in trial.events("metric")) == 1
    ended, expected = (t.events("result")[-1]["values"] for t in (trial, whole))
    assert ended["eval_loss"] == pytest.approx(expected["eval_loss"], rel=1e-3)
    weights = [SentenceTransformer(str(t.directory / "model"), device="cpu").state_dict() for t in (trial, whole)]
    for name, weight in weights[0].items():
        assert np.allclose(weight.numpy(), weights[1][name].numpy(), atol=1e-4), name


def test_without_validation_there_is_no_evaluation(made: Make) -> None:
    trial = made(data={"valid_fraction": 0.0})
    task.train(trial.reporter())
    assert not trial.events("result") and "no validation split" in str(report_of(trial))
    assert task.load(trial.directory)([{"sentence1": "my gribble weeps"}])[0]["matches"]


@pytest.mark.parametrize("format", SCORES)
def test_one_validation_row_is_enough(made: Make, format: str, tmp_path: Path) -> None:
    rows = rows_of(format)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "valid.jsonl").write_text(json.dumps(rows[-1]) + "\n")
    trial = made(format, rows[:-1], data={"valid_split": "valid", "train_split": "rows"})
    task.train(trial.reporter())
    assert "eval_loss" in trial.events("result")[-1]["values"]
    assert report_of(trial)


def test_lora_is_merged(made: Make) -> None:
    trial = made(peft=True, lr=1e-2)
    task.train(trial.reporter())
    assert "LoRA:" in notes(trial) and "merged into the model" in notes(trial)
    assert not list((trial.directory / "model").rglob("adapter*"))
    found = task.load(trial.directory)([{"sentence1": "my gribble weeps"}])
    assert found[0]["matches"][0]["base_rank"] >= 1


def test_matryoshka_dimensions_are_trained_and_reported(made: Make) -> None:
    trial = made("triplet", matryoshka_dims="48,16")
    task.train(trial.reporter())
    panel = find_panel(report_of(trial), "truncated")
    assert panel is not None and [row[0] for row in panel["rows"]] == ["48 dimensions", "16 dimensions"]
    assert all(0 <= value <= 1 for row in panel["rows"] for value in row[1:])
    wrong = made("triplet", run="wrong", matryoshka_dims="4096")
    with pytest.raises(UserError, match="embeddings of 96 dimensions: 4,096 are not possible"):
        task.train(wrong.reporter())


@pytest.mark.parametrize("format", ["qa", "triplet"])
def test_hard_negatives_are_mined(made: Make, format: str) -> None:
    trial = made(format, hard_negatives=2, mini_batch_size=4)
    task.train(trial.reporter())
    assert "2 hard negatives per row were mined." in notes(trial)
    other = made("pair_score", run="other", hard_negatives=1)
    task.train(other.reporter())
    assert "hard_negatives has no effect" in notes(other)


def test_the_cached_loss_gives_the_same_weights(made: Make) -> None:
    weights = []
    for name, size in (("plain", 8), ("cached", 3)):
        trial = made(run=name, mini_batch_size=size, epochs=1, compare_with_base=False)
        task.train(trial.reporter())
        assert find_panel(report_of(trial), "before-and-after") is None
        weights.append(SentenceTransformer(str(trial.directory / "model"), device="cpu").state_dict())
    for key, weight in weights[0].items():
        assert np.allclose(weight.numpy(), weights[1][key].numpy(), atol=2e-3), key


def test_a_worse_model_is_reported(made: Make) -> None:
    trial = made(epochs=30, batch_size=16)
    task.train(trial.reporter())
    again = made(run="again", model=str(trial.directory / "model"), lr=0.5, epochs=1)
    task.train(again.reporter())
    assert "made it worse on the validation rows" in notes(again)


def test_no_base_model_is_no_error(made: Make, tmp_path: Path) -> None:
    first = made()
    task.train(first.reporter())
    moved = tmp_path / "base"
    (first.directory / "model").rename(moved)
    second = made(run="second", model=str(moved))
    task.train(second.reporter())
    moved.rename(tmp_path / "gone")
    found = task.load(second.directory)([{"sentence1": "my gribble weeps"}])[0]
    assert "base_rank" not in found["matches"][0]
    assert "base model cannot be compared" in str(found["panels"])


def test_the_classifier_of_pairs_is_saved_and_the_card_applies_it(
    made: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trial = made("pair_class")
    evaluators: list[ClassEvaluator] = []
    measure = ClassEvaluator.measure

    def remembered(self: ClassEvaluator, model: SentenceTransformer) -> Any:
        evaluators.append(self)
        return measure(self, model)

    monkeypatch.setattr(ClassEvaluator, "measure", remembered)
    task.train(trial.reporter())
    rows = evaluators[-1].rows
    model = SentenceTransformer(str(trial.directory / "model"), device="cpu")
    expected = evaluators[-1].measure(model).predicted
    assert expected is not None
    card = (trial.directory / "model" / "README.md").read_text(encoding="utf-8")
    code = next(block.split("```")[0] for block in card.split("```python\n")[1:] if "pair_classifier" in block)
    project = trial.resolved.spec.project_name
    names = rows.features["target"].names
    for i in range(4):
        texts = json.dumps([rows["sentence1"][i], rows["sentence2"][i]])
        made_code = code.replace('["The first text", "The second text"]', texts)
        exec(compile(made_code.replace(f"./{project}", str(trial.directory / "model")), "card", "exec"), {})  # noqa: S102
        assert capsys.readouterr().out.strip().splitlines()[-1] == names[int(expected[i])]
    assert any("The classifier is saved with the model" in panel.get("note", "") for panel in report_of(trial))
