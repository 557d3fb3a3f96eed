"""ORPO: AutoTrain's YAML, and trainings of a few steps with the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl.experimental.orpo import ORPOTrainer

from autotrain_gradio import data
from autotrain_gradio.tasks.llm_orpo import train as task
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml
from tests.contract.headlines.reward_accuracy import log_probabilities, measure_model

Make = Callable[..., Any]
YAML = """
task: llm-orpo
base_model: meta-llama/Meta-Llama-3-8B-Instruct
project_name: autotrain-llama3-8b-orpo
log: tensorboard
backend: local
data:
  path: argilla/distilabel-capybara-dpo-7k-binarized
  train_split: train
  valid_split: null
  chat_template: chatml
  column_mapping: {text_column: chosen, rejected_text_column: rejected, prompt_text_column: prompt}
params: {block_size: 1024, model_max_length: 8192, max_prompt_length: 512, epochs: 3, batch_size: 2, lr: 3e-5,
  peft: true, quantization: int4, target_modules: all-linear, padding: right, optimizer: adamw_torch, scheduler: linear,
  gradient_accumulation: 4, mixed_precision: fp16}
hub: {push_to_hub: true, username: somebody}
"""


def result_of(made: Any) -> dict[str, float]:
    return dict(made.events("result")[-1]["values"])


@pytest.mark.parametrize("name", ["llm-orpo", "llm:orpo"])
def test_yaml_of_autotrain(name: str) -> None:
    found = resolve(from_yaml(YAML.replace("llm-orpo", name))[0])
    params: Any = found.params
    assert found.task.name == "llm-orpo" and (params.chat_template, params.max_prompt_length) == ("chatml", 512)
    assert found.spec.data.columns == {"chosen": "chosen", "rejected": "rejected", "prompt": "prompt"}
    given: Any = resolve({"task": "llm:orpo", "params": {"dpo_beta": 0.3}}).params
    assert given.beta == 0.3 and given.lr == 8e-6


def test_it_learns_the_preferred_answers_and_to_avoid_the_others(preference_trial: Make) -> None:
    made = preference_trial("llm-orpo", epochs=3)
    task.train(made.reporter())
    values = [e["values"] for e in made.events("metric") if "rewards/margins" in e["values"]]
    assert values[-1]["rewards/margins"] > values[0]["rewards/margins"] + 0.1
    assert values[-1]["nll_loss"] < values[0]["nll_loss"] - 1
    assert result_of(made)["eval_reward_accuracy"] == 1.0
    assert measure_model(data.load(made.directory), made.directory / "model") == 1.0
    text = task.load(made.directory)([{"prompt": "Is red like blue?"}])[0]["text"]
    assert text.startswith("Thank you")


def test_the_loss_is_that_of_trl_and_exact_over_all_rows(
    preference_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[Any] = []
    given = task.OrpoTrainer

    def kept(**settings: Any) -> Any:
        trainers.append(given(**settings))
        return trainers[-1]

    monkeypatch.setattr(task, "OrpoTrainer", kept)
    results = []
    for size in (3, 8):
        made = preference_trial("llm-orpo", run=f"run-{size}", batch_size=size, lr=1e-12, max_steps=1)
        task.train(made.reporter())
        results.append(result_of(made))
    assert results[0] == pytest.approx(results[1], rel=1e-4)

    trainer = trainers[-1]
    batch = trainer.data_collator([trainer.eval_dataset[i] for i in range(4)])
    wanted = {}
    for name, rows in (("chosen", slice(0, 4)), ("rejected", slice(4, 8))):
        ids, mask, answer = (batch[k][rows] for k in ("input_ids", "attention_mask", "completion_mask"))
        wanted |= {f"{name}_input_ids": ids, f"{name}_attention_mask": mask}
        wanted[f"{name}_labels"] = ids.masked_fill(answer == 0, -100)
    with torch.inference_mode():
        ours = trainer.concatenated_forward(trainer.model, batch)
        theirs = ORPOTrainer.concatenated_forward(trainer, trainer.model, wanted)
    for number in (0, 1, 4):
        torch.testing.assert_close(ours[number], theirs[number], rtol=1e-4, atol=1e-5)


def test_lora_without_merging(preference_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    base = preference_trial("llm-orpo")
    task.train(base.reporter())
    trainers: list[Any] = []
    given = task.OrpoTrainer
    monkeypatch.setattr(task, "OrpoTrainer", lambda **settings: trainers.append(given(**settings)) or trainers[-1])
    made = preference_trial(
        "llm-orpo", run="second", lr=5e-3, model=str(base.directory / "model"), peft=True, merge_adapter=False, lora_r=4
    )
    task.train(made.reporter())
    assert (made.directory / "model" / "adapter_config.json").is_file()
    row = data.load(made.directory)["validation"][0]
    tokenizer = AutoTokenizer.from_pretrained(made.directory / "model")
    untrained = AutoModelForCausalLM.from_pretrained(base.directory / "model")
    models: list[Any] = [task.load(made.directory).model, trainers[0].model.eval(), untrained]
    loaded, trained, before = (log_probabilities(model, tokenizer, row, "chosen") for model in models)
    torch.testing.assert_close(loaded, trained, rtol=1e-4, atol=1e-4)
    assert (loaded - before).abs().max() > 1e-2
