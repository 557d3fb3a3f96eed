"""Text reranking, trained for a few steps with tiny models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sentence_transformers import CrossEncoder

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.text_reranking import train as task
from autotrain_gradio.tasks.text_reranking.preview import preview
from tests.trials import Trial

Make = Callable[..., Trial]
PARTS, FAULTS = (
    ("valve", "wand", "pump", "gasket", "mill", "board"),
    ("closed", "leaking", "loud", "burnt", "hot", "sharp"),
)
ROWS = [(f"my {p} is {f} today", f"when the {p} is {f}, call us") for p in PARTS for f in FAULTS]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Return a function that prepares a run on 36 questions, in one of the formats."""

    def make(format: str = "pair", run: str = "run", bad: str = "", **params: Any) -> Trial:
        rows: list[dict[str, Any]] = [{"query": q, "passage": p} for q, p in ROWS]
        if format == "triplet":
            rows = [{**row, "negative": ROWS[(i + 7) % 36][1]} for i, row in enumerate(rows)]
        elif format == "labelled":
            rows = [
                {
                    "query": q,
                    "passage": f"{bad} {q}" if bad and step else ROWS[(i + step) % 36][1],
                    "label": int(not step),
                }
                for i, (q, _) in enumerate(ROWS)
                for step in (0, 1, 6)
            ]
        file = tmp_path / "texts" / "rows.jsonl"
        file.parent.mkdir(exist_ok=True)
        file.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        spec = {
            "task": "text-reranking",
            "model": params.pop("model", "tiny"),
            "project_name": "questions",
            "data": {"source": "path", "path": str(file.parent), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 16, "lr": 3e-3, "early_stopping_patience": 0, **params},
        }
        return Trial(tmp_path / run, spec)

    return make


def report_of(trial: Trial) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((trial.directory / "report.json").read_text())
    for panel in found:
        assert "cannot be shown" not in render_html(panel) + render_text(panel)
    return found


def notes(trial: Trial) -> str:
    return " ".join(e["message"] for e in trial.events("note"))


@pytest.mark.parametrize("format", ["pair", "triplet", "labelled"])
def test_each_format_is_trained_evaluated_and_reranks(made: Make, format: str) -> None:
    trial = made(format)
    task.train(trial.reporter())
    result = trial.events("result")[-1]["values"]
    assert {"eval_reranked_ndcg_at_10", "eval_reranked_mrr_at_10", "eval_reranked_accuracy_at_1", "eval_loss"} == set(
        result
    )
    before = find_panel(report_of(trial), "before-and-after")
    assert before is not None and before["rows"][0][2] == pytest.approx(result["eval_reranked_ndcg_at_10"], abs=1e-4)
    assert "Order of the retriever: nDCG@10" in notes(trial)
    assert ("were mined" in notes(trial)) == (format == "pair")
    assert len(trial.events("sample")) == 2 and render_text(trial.events("sample")[0]["panel"])

    texts = [ROWS[0][1], ROWS[9][1], ROWS[3][1]]
    found = task.load(trial.directory)([{"query": ROWS[0][0], "passage": "\n".join(texts)}])[0]
    model = CrossEncoder(str(trial.directory / "model"), device="cpu")
    assert found["scores"] == pytest.approx(model.predict([(ROWS[0][0], t) for t in texts]).tolist(), abs=1e-5)
    ranked = model.rank(ROWS[0][0], texts, return_documents=True)
    assert [r["text"] for r in found["ranking"]] == [r["text"] for r in ranked]
    assert all(render_html(p) and render_text(p) for p in found["panels"])
    with pytest.raises(UserError, match="passage is empty"):
        task.load(trial.directory)([{"query": "what?", "passage": " \n "}])


def test_the_model_learns_what_the_retriever_cannot_know(made: Make) -> None:
    trial = made("labelled", epochs=8, bad="buy a new")
    task.train(trial.reporter())
    panel = find_panel(report_of(trial), "before-and-after")
    assert panel is not None and panel["rows"][0][2] > panel["rows"][0][1] + 0.2


def test_a_run_is_resumed(made: Make) -> None:
    trial = made(epochs=4)
    run = trial.reporter()
    progress, count = run.progress, 0

    def stop(*args: Any, **kwargs: Any) -> None:
        nonlocal count
        count += 1
        if count == 5:
            run.request_stop()
        progress(*args, **kwargs)

    run.progress = stop  # type: ignore[method-assign]
    task.train(run)
    task.train(trial.reporter(attempt=2))
    assert "Resumed from the checkpoint of step" in notes(trial) and trial.events("result")


def test_without_validation_or_right_passages_there_is_no_evaluation(made: Make) -> None:
    trial = made(data={"valid_fraction": 0.0})
    task.train(trial.reporter())
    assert not trial.events("result") and "no validation split" in str(report_of(trial))
    with pytest.raises(UserError, match="There are no wrong passages to train on"):
        task.train(made(run="none", negatives=0).reporter())


def test_one_validation_row_is_enough(made: Make, tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "valid.jsonl").write_text(
        json.dumps({"query": "my cup is loud", "passage": "loud cups"}) + "\n"
    )
    trial = made(data={"valid_split": "valid", "train_split": "rows"})
    task.train(trial.reporter())
    assert trial.events("result")


def test_lora_is_merged_and_long_pairs_are_reported(made: Make) -> None:
    trial = made("labelled", bad="buy a new one in the shop instead of repairing", peft=True, max_seq_length=16)
    task.train(trial.reporter())
    assert "merged into the model" in notes(trial) and "were truncated to 16 tokens" in notes(trial)
    assert not list((trial.directory / "model").rglob("adapter*"))


def test_the_preview_shows_mined_pairs(made: Make) -> None:
    trial = made()
    shown = preview(trial.directory, trial.resolved.spec, trial.resolved.params, {})
    pairs = find_panel(shown, "pairs")
    assert pairs is not None and {row[2] for row in pairs["rows"]} == {"right", "wrong"}
    assert all(render_html(p) and render_text(p) for p in shown)
