"""DPO, trained for a few steps with the tiny model."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.tasks.llm_dpo import train as task
from autotrain_gradio.training import preference_reference, preference_run
from tests.contract.headlines.reward_accuracy import log_probabilities, measure_model
from tests.preferences import change_weights, pairs

Make = Callable[..., Any]


def notes_of(made: Any) -> list[str]:
    return [e["message"] for e in made.events("note")]


def result_of(made: Any) -> dict[str, float]:
    return dict(made.events("result")[-1]["values"])


def test_the_margin_rises_and_unseen_rows_prefer_the_chosen_answer(preference_trial: Make) -> None:
    made = preference_trial("llm-dpo", epochs=3)
    task.train(made.reporter())
    values = [e["values"] for e in made.events("metric") if "rewards/margins" in e["values"]]
    assert values[0]["rewards/margins"] == 0 and values[-1]["rewards/margins"] > 1
    assert values[-1]["logps/chosen"] > values[0]["logps/chosen"]
    found = result_of(made)
    assert found["eval_reward_accuracy"] == 1.0 and found["eval_reward_margin"] > 1
    rows = data.load(made.directory)
    assert not {*rows["train"]["prompt"]} & {*rows["validation"]["prompt"]} or len(rows["validation"]) == 8
    assert measure_model(rows, made.directory / "model") == 1.0
    evaluated = [e["values"] for e in made.events("metric") if "eval_loss" in e["values"]]
    assert not any("/" in name for entry in evaluated for name in entry)

    samples = [e["panel"] for e in made.events("sample")]
    assert len(samples) == 3 and all(len(s["items"]) == 2 for s in samples)
    report = json.loads((made.directory / "report.json").read_text())
    for panel in [*report, *samples]:
        assert render_html(panel) and render_text(panel)
    assert [p["title"] for p in report][1:4] == [
        "Answers beside those of the base model",
        "Reward margins",
        "Rows with the lowest margins",
    ]
    predictor = task.load(made.directory)
    asked = samples[-1]["examples"]["prompt"]
    answers = [dict(item["lines"])["this model"] for item in samples[-1]["items"]]
    assert [f["text"] for f in predictor([{"prompt": value} for value in asked])] == answers


@pytest.mark.parametrize("loss", ["sigmoid", "ipo", "robust"])
def test_the_loss_is_that_of_trl_and_exact_over_all_rows(
    preference_trial: Make, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    trainers: list[Any] = []
    given = task.DpoTrainer

    def kept(**settings: Any) -> Any:
        trainers.append(given(**settings))
        return trainers[-1]

    monkeypatch.setattr(task, "DpoTrainer", kept)
    smoothing = 0.1 if loss == "robust" else 0.0
    made = preference_trial("llm-dpo", loss_type=loss, label_smoothing=smoothing, batch_size=3, max_steps=1)
    task.train(made.reporter())
    trainer = trainers[0]
    change_weights(trainer.model)
    trainer.model.eval()
    with torch.no_grad():
        wanted = trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.eval_dataset))).item()
    found = trainer.evaluate()
    margins = trainer.latest.margins
    assert abs(margins).min() > 1e-3 and margins.std() > 1e-3
    assert found["eval_loss"] == pytest.approx(wanted, rel=1e-4)
    assert found["eval_reward_margin"] == pytest.approx(float(margins.mean()), rel=1e-4)
    assert found["eval_reward_accuracy"] == (margins > 0).mean()


def test_lora_takes_the_model_without_its_adapter_as_the_reference(
    preference_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = preference_trial("llm-dpo", epochs=3, peft=True, lora_r=4, lr=5e-3)
    task.train(made.reporter())
    assert not (made.directory / "model" / "adapter_config.json").exists()
    first = next(e["values"] for e in made.events("metric") if "rewards/margins" in e["values"])
    assert first["rewards/margins"] == pytest.approx(0, abs=1e-5)
    assert result_of(made)["eval_reward_accuracy"] == 1.0
    assert measure_model(data.load(made.directory), made.directory / "model") == 1.0
    assert not list((made.directory / "checkpoints").rglob("ref"))
    trainers: list[Any] = []
    given = task.DpoTrainer
    monkeypatch.setattr(task, "DpoTrainer", lambda **settings: trainers.append(given(**settings)) or trainers[-1])
    base = made.directory / "model"
    again = preference_trial(
        "llm-dpo", run="second", lr=5e-3, model=str(base), peft=True, merge_adapter=False, lora_r=4
    )
    task.train(again.reporter())
    assert (again.directory / "model" / "adapter_config.json").is_file()
    row, tokenizer = data.load(again.directory)["validation"][0], AutoTokenizer.from_pretrained(base)
    untrained = AutoModelForCausalLM.from_pretrained(base)
    models: list[Any] = [task.load(again.directory).model, trainers[0].model.eval(), untrained]
    loaded, trained, before = (log_probabilities(model, tokenizer, row, "chosen") for model in models)
    torch.testing.assert_close(loaded, trained, rtol=1e-4, atol=1e-4)
    assert (loaded - before).abs().max() > 1e-2
    third = preference_trial("llm-dpo", run="third", model=str(base), model_ref=str(again.directory / "model"))
    reference = preference_reference.open_reference(third.reporter(), tokenizer)
    torch.testing.assert_close(log_probabilities(reference, tokenizer, row, "chosen"), trained, rtol=1e-4, atol=1e-4)


def test_another_reference_model(preference_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    base = preference_trial("llm-dpo", epochs=3)
    task.train(base.reporter())
    folder = str(base.directory / "model")
    made = preference_trial("llm-dpo", run="second", model_ref=folder, max_steps=1, lr=1e-12)
    opened: list[Any] = []
    held: list[bool] = []
    open_reference, try_longest_batch = task.open_reference, preference_run.try_longest_batch

    def opening(*given: Any) -> Any:
        model = open_reference(*given)
        opened.append(weakref.ref(model))
        return model

    def trying(*given: Any) -> None:
        held.append(opened[0]() is not None)
        try_longest_batch(*given)

    with monkeypatch.context() as patch:
        patch.setattr(task, "open_reference", opening)
        patch.setattr(preference_run, "try_longest_batch", trying)
        task.train(made.reporter())
    assert held == [False], "the memory of the reference model is free before the longest batch is tried"
    # The reference prefers the chosen answers already: against it the untrained model prefers the others.
    assert result_of(made)["eval_reward_accuracy"] == 0.0 and result_of(made)["eval_reward_margin"] < -1
    with pytest.raises(UserError, match="cannot be a reference"):
        task.train(preference_trial("llm-dpo", run="third", model_ref="tiny", model=folder).reporter())
    other = preference_trial("llm-dpo", pairs(12, seed=5), run="other")
    task.train(other.reporter())
    with pytest.raises(UserError, match="tokenizer of the reference model"):
        task.train(
            preference_trial("llm-dpo", run="fourth", model=folder, model_ref=str(other.directory / "model")).reporter()
        )


def test_a_reference_model_that_cannot_be_loaded_is_named(preference_trial: Make, tmp_path: Path) -> None:
    made = preference_trial("llm-dpo", model_ref=str(tmp_path / "missing"))
    with pytest.raises(UserError, match=r"Reference model: .*missing' does not exist") as raised:
        preference_reference.open_reference(made.reporter(), None)
    assert (raised.value.where, raised.value.code) == ("params.model_ref", "model-not-found")


def test_a_resumed_run_uses_the_reference_of_its_first_attempt(
    preference_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = preference_trial("llm-dpo", epochs=2)
    run = made.reporter()
    asked = iter(range(1000))
    monkeypatch.setattr(run, "stop_requested", lambda: next(asked) > 24)
    task.train(run)
    assert any("Stopped at step" in note for note in notes_of(made))
    monkeypatch.setattr(preference_reference, "_computed", lambda *values: pytest.fail("computed again"))
    task.train(made.reporter(attempt=2))
    assert result_of(made)["eval_reward_accuracy"] == 1.0


def test_an_interrupted_write_leaves_no_part_of_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoints" / "reference_training.npy"
    values = np.arange(6.0).reshape(2, 3)
    preference_reference._store(path, values)
    assert np.array_equal(np.load(path), values) and [f.name for f in path.parent.iterdir()] == [path.name]

    def fails(file: Any, values: Any) -> None:
        with file if hasattr(file, "write") else open(file, "wb") as opened:
            opened.write(b"part")
        raise OSError("No space left on device")

    monkeypatch.setattr(preference_reference.np, "save", fails)
    with pytest.raises(OSError, match="No space"):
        preference_reference._store(path, values + 1)
    assert np.array_equal(np.load(path), values)


@pytest.mark.parametrize("data", [b"", b"part", b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False"])
def test_a_damaged_reference_is_computed_again_with_a_note(preference_trial: Make, data: bytes) -> None:
    made = preference_trial("llm-dpo")
    run = made.reporter(attempt=2)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    (run.checkpoints / "reference_training.npy").write_bytes(data)
    assert preference_reference._stored(run, "training", (2, 3)) is None
    assert "reference_training.npy is damaged" in notes_of(made)[-1]


def test_a_lack_of_memory_is_named(preference_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*values: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(task.DpoTrainer, "compute_ref_log_probs", fails)
    with pytest.raises(UserError, match="Not enough memory for the reference log-probabilities of 4 rows"):
        task.train(preference_trial("llm-dpo", generation_rows=0).reporter())


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("drop", "dropped"),
        ("truncate", "truncated at the end of the answers"),
        ("truncate_left", "truncated at the beginning of the prompt"),
    ],
)
def test_long_rows_are_counted(preference_trial: Make, action: str, message: str) -> None:
    long = {"prompt": "Is it red? " * 12, "chosen": "Thank you.", "rejected": "Who cares."}
    made = preference_trial(
        "llm-dpo", [*pairs(20), long], block_size=48, too_long=action, max_steps=1, data={"valid_fraction": 0}
    )
    task.train(made.reporter())
    assert any(f"1 training row (4.8%) longer than 48 tokens: {message}" in n for n in notes_of(made)), notes_of(made)
    assert any("do not differ any more" in n for n in notes_of(made)) == (action == "truncate")
