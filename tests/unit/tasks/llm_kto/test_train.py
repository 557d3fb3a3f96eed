"""KTO: its names in a specification, and trainings of a few steps with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from autotrain_gradio import data
from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.llm_kto import train as task
from autotrain_gradio.tasks.llm_kto.rows import other_prompts
from autotrain_gradio.tasks.registry import resolve
from tests.contract.headlines.reward_auc import measure_model
from tests.preferences import change_weights, judged

Make = Callable[..., Any]


def result_of(made: Any) -> dict[str, float]:
    return dict(made.events("result")[-1]["values"])


@pytest.mark.parametrize("name", ["llm-kto", "llm:kto"])
def test_names_in_the_style_of_autotrain(name: str) -> None:
    found = resolve(
        {
            "task": name,
            "data": {"columns": {"prompt_text_column": "q", "text_column": "a", "target_column": "thumb"}},
            "params": {"dpo_beta": 0.2, "chat_template": "chatml"},
        }
    )
    params: Any = found.params
    assert found.task.name == "llm-kto" and params.beta == 0.2 and params.batch_size >= 2
    assert found.spec.data.columns == {"prompt": "q", "completion": "a", "label": "thumb"}
    with pytest.raises(SpecError, match="batch_size"):
        resolve({"task": name, "params": {"batch_size": 1}})


def test_good_answers_become_likelier_than_bad_ones(preference_trial: Make) -> None:
    made = preference_trial("llm-kto", rows_of=judged, epochs=2)
    shown = find_panel(
        task.preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2}), "rendered-rows"
    )
    assert shown is not None
    for item in shown["items"]:
        marked = "".join(t for t, m in zip(item["read"], item["marked"], strict=True) if m)
        assert marked.startswith(("Thank", "Who")) and "user" not in marked
    task.train(made.reporter())
    notes = [e["message"] for e in made.events("note")]
    assert "Weights of the losses: 1.91 for good answers, 1 for bad ones." in notes
    assert result_of(made)["eval_reward_auc"] == 1.0 and result_of(made)["eval_reward_margin"] > 1
    assert measure_model(data.load(made.directory), made.directory / "model") == 1.0
    samples = [e["panel"] for e in made.events("sample")]
    shown_answers = [dict(item["lines"]) for item in samples[-1]["items"]]
    assert len(samples) == 2 and all("Thank you" in lines["reference"] for lines in shown_answers)
    for panel in [*json.loads((made.directory / "report.json").read_text()), *samples]:
        assert render_html(panel) and render_text(panel)
    answer = task.load(made.directory)([{"prompt": samples[-1]["examples"]["prompt"][0]}])[0]["text"]
    assert answer == shown_answers[0]["this model"]


@pytest.mark.parametrize("loss", ["kto", "apo_zero_unpaired"])
def test_the_loss_is_that_of_trl_and_exact_over_all_rows(
    preference_trial: Make, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    trainers: list[Any] = []
    given = task.JudgedTrainer

    def kept(**settings: Any) -> Any:
        trainers.append(given(**settings))
        return trainers[-1]

    monkeypatch.setattr(task, "JudgedTrainer", kept)
    task.train(preference_trial("llm-kto", rows_of=judged, batch_size=3, max_steps=1, loss_type=loss).reporter())
    trainer = trainers[0]
    change_weights(trainer.model)
    trainer.model.eval()
    values = []
    with torch.no_grad():
        wanted = trainer.compute_loss(trainer.model, trainer.data_collator(list(trainer.eval_dataset))).item()
        for part in ([0, 1, 2], [3, 4, 5, 6, 7]):
            values.append(trainer.batch_values(trainer.data_collator([trainer.eval_dataset[i] for i in part])))
    assert abs(values[0].rewards).min() > 1e-3
    assert type(values[0]).joined(values).metrics()["loss"] == pytest.approx(wanted, rel=1e-4)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(wanted, rel=1e-4)


def test_lora_takes_the_model_without_its_adapter_as_the_reference(preference_trial: Make) -> None:
    made = preference_trial("llm-kto", rows_of=judged, epochs=3, peft=True, lora_r=4, lr=5e-3)
    task.train(made.reporter())
    assert not (made.directory / "model" / "adapter_config.json").exists()
    found = result_of(made)["eval_reward_auc"]
    assert found > 0.9
    assert measure_model(data.load(made.directory), made.directory / "model") == pytest.approx(found)


def test_mismatched_answers_belong_to_other_prompts() -> None:
    assert other_prompts(["a", "b", "c"]) == [1, 2, 0]
    assert other_prompts(["a", "a", "b", "b", "b", "c"]) == [2, 2, 5, 5, 5, 0]
    assert other_prompts(["a", "b", "b"]) == [1, 0, 0]
    assert other_prompts(["a", "a"]) == [0, 1] and other_prompts([]) == []
    draw = np.random.default_rng(0)
    prompts = [str(value) for value in draw.integers(0, 4, 50)]
    assert all(prompts[other] != prompts[row] for row, other in enumerate(other_prompts(prompts)))
