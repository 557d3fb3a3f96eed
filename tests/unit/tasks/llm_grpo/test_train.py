"""Reinforcement learning of the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_grpo import evaluation
from autotrain_gradio.tasks.llm_grpo import train as task
from tests.contract.headlines.reward import measure_run
from tests.unit.tasks.llm_grpo.conftest import notes_of, questions

Make = Callable[..., Any]
MENTION = {"exact_answer_weight": 0.0, "regex_weight": 2.0, "regex_pattern": "odd|even"}


def test_it_raises_the_reward_of_the_tiny_model(prompt_trial: Make) -> None:
    made = prompt_trial(epochs=6, batch_size=64, num_generations=8, **MENTION)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert values["eval_reward"] >= 1.6 and values["eval_reward_regex"] >= 0.8, values
    first = next(e["values"] for e in made.events("metric") if "rewards/regex/mean" in e["values"])
    assert first["reward"] < 0.8 and first["reward"] == pytest.approx(2 * first["rewards/regex/mean"])

    report = json.loads((made.directory / "report.json").read_text())
    table = find_panel(report, "rewards-beside-those-of-the-base-model")
    assert table is not None and table["rows"][0][3] == f"{values['eval_reward']:.3f}"
    assert float(table["rows"][1][2]) < 0.5 <= float(table["rows"][1][3])
    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 6 and all([r[1] for r in s["rows"]] == [r[1] for r in samples[0]["rows"]] for s in samples)
    for panel in [*report, *samples]:
        assert render_html(panel) and render_text(panel)
    predictor = task.load(made.directory)
    rows = data.load(made.directory)
    answers = [p["text"] for p in predictor([{"conversation": c} for c in rows["validation"]["conversation"]])]
    assert sum("odd" in a or "even" in a for a in answers) / len(answers) == values["eval_reward_regex"]
    assert measure_run(rows, lambda values: answers) >= values["eval_reward_regex"]


def test_a_resumed_run_equals_one_that_was_not_stopped(prompt_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three steps an epoch, the last one filled up; stopped in the second epoch.
    rows, settings = questions(10), {"epochs": 3, "logging_steps": 1, "data": {"valid_fraction": 0}, **MENTION}
    whole = prompt_trial(rows, run="whole", **settings)
    task.train(whole.reporter())
    made = prompt_trial(rows, run="stopped", **settings)
    with monkeypatch.context() as patched:
        patched.setattr(Reporter, "stop_requested", lambda self: len(made.steps()) >= 4)
        task.train(made.reporter())
    assert (made.directory / "model" / "config.json").is_file() and made.steps() == [1, 2, 3, 4, 5]
    task.train(made.reporter(attempt=2))
    assert made.steps(attempt=2) == [6, 7, 8, 9]

    def curve(trial: Any) -> list[float]:
        values = [e["values"] for e in trial.events("metric") if "loss" in e["values"]]
        return [v[name] for v in values for name in ("reward", "entropy")]

    assert curve(made) == pytest.approx(curve(whole), rel=1e-3)


def test_the_completions_of_the_base_model_are_kept_for_a_resumed_run(prompt_trial: Make) -> None:
    made = prompt_trial(**MENTION)
    task.train(made.reporter())
    kept = made.directory / "checkpoints" / "base_completions.json"
    stored = json.loads(kept.read_text())
    kept.write_text(json.dumps({**stored, "texts": ["kept"] * len(stored["texts"])}))
    task.train(made.reporter(attempt=2))
    report = json.loads((made.directory / "report.json").read_text())
    shown = find_panel(report, "completions-beside-those-of-the-base-model")
    assert shown is not None and {row[1] for row in shown["rows"]} == {"kept"}


@pytest.mark.parametrize("peft", [False, True])
def test_the_kl_divergence_from_the_base_model_is_logged(prompt_trial: Make, peft: bool) -> None:
    made = prompt_trial(beta=0.1, peft=peft, lora_r=4, lr=1e-2, epochs=2, **MENTION)
    task.train(made.reporter())
    divergence = [e["values"]["kl"] for e in made.events("metric") if "kl" in e["values"]]
    assert divergence[0] == pytest.approx(0, abs=1e-6) and max(divergence[1:]) > 0
    assert not (made.directory / "model" / "adapter_config.json").exists()


def test_a_python_function_is_a_reward_like_the_others(prompt_trial: Make, tmp_path: Path) -> None:
    path = tmp_path / "score.py"
    path.write_text("def reward(prompts, completions, answer, **columns):\n    return [len(a) for a in answer]\n")
    made = prompt_trial(exact_answer_weight=0, regex_weight=0, python_weight=0.5, reward_file=str(path))
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    assert values["eval_reward_python"] == 3.5 and values["eval_reward"] == 1.75
    before = path.read_text()
    path.write_text(before + "# changed\n")
    task.train(made.reporter(attempt=2))
    assert notes_of(made).count("score.py has changed since the training began") == 1
    path.unlink()
    task.train(made.reporter(attempt=3))
    assert "the copy of it in the run is used (reward_files/attempt-2.py)" in notes_of(made)
    assert notes_of(made).count("has changed since the training began") == 1
    kept = {file.name: file.read_text() for file in (made.directory / "reward_files").iterdir()}
    assert kept == {"attempt-1.py": before, "attempt-2.py": before + "# changed\n"}


def test_the_base_model_is_evaluated_in_the_precision_of_the_trained_one(
    prompt_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []

    def generate(*given: Any, **settings: Any) -> Any:
        found.append(torch.is_autocast_enabled("cpu"))
        return original(*given, **settings)

    original = evaluation.language_models.generate
    monkeypatch.setattr(evaluation.language_models, "generate", generate)
    monkeypatch.setattr(Accelerator, "autocast", lambda self: torch.autocast("cpu", dtype=torch.bfloat16))
    monkeypatch.setattr(task, "write_model", lambda *given, **settings: None)
    task.train(prompt_trial(max_steps=1, epochs=1, **MENTION).reporter())
    assert len(found) >= 2 and all(found)


def test_rows_that_cannot_be_used_are_counted_or_refused(prompt_trial: Make) -> None:
    rows = [*questions(14), {"prompt": "long " * 60, "answer": "odd"}, {"prompt": "Why?", "answer": None}]
    settings: dict[str, Any] = {"data": {"valid_fraction": 0}, "max_prompt_length": 40, "auto_find_batch_size": True}
    made = prompt_trial(rows, **settings)
    task.train(made.reporter())
    notes = notes_of(made)
    assert "1 training prompt was dropped: longer than 40 tokens" in notes
    assert "1 training prompt has no reference answer" in notes and "auto_find_batch_size has no effect" in notes
    bare = prompt_trial([{"prompt": q["prompt"]} for q in questions(12)], run="bare", data={"valid_fraction": 0})
    with pytest.raises(UserError, match="no prompt has one") as caught:
        task.train(bare.reporter())
    assert caught.value.code == "reward-without-answers"
    with pytest.raises(UserError, match="No training prompt is left"):
        task.train(prompt_trial(run="short", max_prompt_length=8, data={"valid_fraction": 0}).reporter())
    with pytest.raises(UserError, match="supports 512 tokens, which leaves none for prompts"):
        task.train(prompt_trial(run="long", max_completion_length=512).reporter())


def test_constant_rewards_are_said(prompt_trial: Make) -> None:
    made = prompt_trial(epochs=3, exact_answer_weight=1, regex_weight=0, logging_steps=1, max_completion_length=1)
    torch.manual_seed(0)
    task.train(made.reporter())
    assert "there is nothing to learn from so far" in notes_of(made)


def test_out_of_memory_names_what_to_reduce(prompt_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **settings: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(task.PolicyTrainer, "compute_loss", fail)
    with pytest.raises(UserError) as caught:
        task.train(prompt_trial().reporter())
    assert caught.value.code == "out-of-memory" and "max_completion_length" in caught.value.hint
    assert "auto_find_batch_size" not in caught.value.hint
