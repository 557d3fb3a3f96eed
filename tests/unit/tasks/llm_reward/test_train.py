"""Reward models: AutoTrain's YAML, and trainings of a few steps with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from transformers import AutoModelForSequenceClassification

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.tasks.llm_reward import train as task
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml
from tests.contract.headlines.reward_accuracy import measure_model

Make = Callable[..., Any]
YAML = """
task: llm-reward
base_model: meta-llama/Llama-3.2-1B-Instruct
project_name: autotrain-reward
log: tensorboard
backend: local
data:
  path: trl-lib/ultrafeedback_binarized
  train_split: train
  valid_split: test
  chat_template: none
  column_mapping: {text_column: chosen, rejected_text_column: rejected}
params: {block_size: 1024, model_max_length: 2048, epochs: 1, batch_size: 2, lr: 3e-5, peft: true, quantization: int4,
  target_modules: all-linear, padding: right, optimizer: adamw_torch, scheduler: linear, gradient_accumulation: 4,
  mixed_precision: bf16, merge_adapter: true}
hub: {push_to_hub: true, username: somebody}
"""
GOOD, BAD = "Thank you, red is nice.", "Who cares about red."


def result_of(made: Any) -> dict[str, float]:
    return dict(made.events("result")[-1]["values"])


@pytest.mark.parametrize("name", ["llm-reward", "llm:reward"])
def test_yaml_of_autotrain(name: str) -> None:
    found = resolve(from_yaml(YAML.replace("llm-reward", name))[0])
    params: Any = found.params
    assert found.task.name == "llm-reward" and (params.chat_template, params.quantization) == ("none", "int4")
    assert found.spec.data.columns == {"chosen": "chosen", "rejected": "rejected"}


def test_unseen_rows_are_ranked_and_answers_compared(preference_trial: Make) -> None:
    made = preference_trial("llm-reward", epochs=2)
    task.train(made.reporter())
    values = [e["values"] for e in made.events("metric") if "margin" in e["values"]]
    assert values[-1]["margin"] > values[0]["margin"] + 1
    assert result_of(made)["eval_reward_accuracy"] == 1.0
    assert measure_model(data.load(made.directory), made.directory / "model") == 1.0
    for panel in json.loads((made.directory / "report.json").read_text()):
        assert render_html(panel) and render_text(panel)

    predictor = task.load(made.directory)
    question = "Is red like blue?"
    both = predictor([{"prompt": question, "chosen": GOOD, "rejected": BAD}])[0]
    one, other = predictor([{"prompt": question, "chosen": GOOD}, {"prompt": question, "chosen": BAD, "rejected": ""}])
    assert both["margin"] > 1 and "other_reward" not in one
    assert (both["reward"], both["other_reward"]) == pytest.approx((one["reward"], other["reward"]), rel=1e-4)
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": GOOD}]
    as_json = {"prompt": json.dumps(messages[:1]), "chosen": json.dumps(messages[1:])}
    assert predictor([as_json])[0]["reward"] == pytest.approx(one["reward"], rel=1e-4)
    assert "first answer is preferred" in both["panels"][0]["note"]
    with pytest.raises(UserError, match="message is empty"):
        predictor([{"prompt": "", "chosen": GOOD}])
    with pytest.raises(UserError, match="answer is empty"):
        predictor([{"prompt": question}])
    with pytest.raises(UserError, match="the model supports 512"):
        predictor([{"prompt": question, "chosen": "red " * 600}])


def test_the_evaluation_does_not_depend_on_the_batch_size(preference_trial: Make) -> None:
    found = []
    for size in (3, 8):
        made = preference_trial(
            "llm-reward", run=f"run-{size}", batch_size=size, lr=1e-12, max_steps=1, center_rewards_coefficient=0.1
        )
        task.train(made.reporter())
        found.append(result_of(made))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_lora_is_merged_with_its_head(preference_trial: Make) -> None:
    made = preference_trial("llm-reward", epochs=3, peft=True, lora_r=4, lr=5e-3, merge_adapter=False)
    task.train(made.reporter())
    assert not (made.directory / "model" / "adapter_config.json").exists()
    assert any("merge_adapter has no effect" in e["message"] for e in made.events("note"))
    model = AutoModelForSequenceClassification.from_pretrained(made.directory / "model")
    assert model.config.num_labels == 1
    assert measure_model(data.load(made.directory), made.directory / "model") == result_of(made)["eval_reward_accuracy"]
    assert result_of(made)["eval_reward_accuracy"] > 0.8
