"""Chat models: AutoTrain's YAML, the defaults of models, and the preview and probe of the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.llm_sft.preview import preview
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml
from autotrain_gradio.training import language_memory, language_models
from autotrain_gradio.training.language_probe import probe
from tests.unit.tasks.llm_sft.conftest import chats

YAML = """
task: llm:sft
base_model: HuggingFaceTB/SmolLM2-1.7B-Instruct
project_name: autotrain-smollm2-finetune
log: tensorboard
backend: local
data:
  path: HuggingFaceH4/no_robots
  train_split: train
  valid_split: null
  chat_template: tokenizer
  column_mapping: {text_column: messages}
params: {block_size: 2048, model_max_length: 4096, epochs: 2, batch_size: 1, lr: 1e-5, peft: true, quantization: int4,
  target_modules: all-linear, padding: right, optimizer: paged_adamw_8bit, scheduler: linear, gradient_accumulation: 8,
  mixed_precision: bf16, merge_adapter: true, unsloth: true}
hub: {push_to_hub: true, username: somebody}
"""


@pytest.mark.parametrize("task", ["llm:sft", "llm-sft"])
def test_yaml_of_autotrain(task: str) -> None:
    found = resolve(from_yaml(YAML.replace("llm:sft", task))[0])
    params: Any = found.params
    assert found.task.name == "llm-sft" and params.chat_template == "tokenizer" and params.quantization == "int4"
    assert (params.block_size, params.model_max_length, params.lr) == (2048, 4096, 1e-5)
    assert language_models.sequence_limit(1024, params) == 1024 and params.merge_adapter and params.padding == "right"


@pytest.mark.parametrize(("changes", "expected"), [(("tokenizer", "null"), "auto"), (("tokenizer", "none"), "none")])
def test_the_chat_template_is_a_setting_of_the_data(changes: tuple[str, str], expected: str) -> None:
    found = resolve(from_yaml(YAML.replace("chat_template: " + changes[0], "chat_template: " + changes[1]))[0])
    assert found.params.model_dump()["chat_template"] == expected


def test_settings_of_autotrain_without_an_effect_are_named() -> None:
    """As in its configurations for guanaco: texts, another trainer's length, `trainer` beside the task `llm`."""
    text = YAML.replace("llm:sft", "llm").replace("unsloth: true", "trainer: sft, liger_kernel: true")
    text = text.replace("params: {", "params: {max_prompt_length: 512, lora_dropout: 0, ").replace("messages", "text")
    found = resolve(from_yaml(text)[0])
    assert found.task.name == "llm-sft"
    facts = probe(found.spec.model_copy(update={"model": "tiny"}), found.params, {})
    named = [f["where"] for f in facts["findings"] if f["code"] == "setting-without-effect"]
    assert sorted(named) == ["params.liger_kernel", "params.max_prompt_length"]


def test_large_models_are_trained_with_lora() -> None:
    for model, peft in (("Qwen/Qwen3-0.6B", False), ("Qwen/Qwen3-4B-Instruct-2507", True), ("my/model-1b", True)):
        params: Any = resolve({"task": "llm-sft", "model": model}).params
        assert params.peft is peft and params.lr == (2e-4 if peft else 2e-5)


def test_the_preview_marks_the_trained_tokens_and_counts_long_rows(chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(block_size=32)
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    shown = find_panel(found, "rendered-rows")
    assert shown is not None and len(shown["items"]) == 2
    for item in shown["items"]:
        marked = [t for t, m in zip(item["read"], item["marked"], strict=True) if m]
        assert marked and marked[-1] in {"<|im_end|>", "."} or item["cut"]
        assert "user" not in marked
    assert "longer than 32 tokens" in found[0]["note"]
    text, html = render_text(shown), render_html(shown)
    assert "[<|im_end|>]" in text or "✂" in text
    assert "<mark>" in html


def test_the_probe_estimates_the_memory(chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(chats(12), unsloth=True)
    facts = probe(made.resolved.spec, made.resolved.params, {})
    assert [f["code"] for f in facts["findings"]] == ["setting-without-effect", "memory-estimate"]
    assert facts["parameters"] > 100_000


def test_a_model_that_does_not_fit_is_a_warning(chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(chats(12))
    config = language_models.tiny_config(2000)
    whole = language_memory.estimate(config, 70_000_000_000, made.resolved.params, 131_072)
    assert whole.finding().level == "warning" and whole.finding().code == "memory-short"
    adapted = made.resolved.params.model_copy(update={"peft": True})
    less = language_memory.estimate(config, 70_000_000_000, adapted, 131_072)
    assert less.phases["a step"]["optimizer"] < whole.phases["a step"]["optimizer"] / 100
    assert less.parts["weights"] >= whole.parts["weights"]
    checked = made.resolved.params.model_copy(update={"gradient_checkpointing": True})
    less, whole = (language_memory.estimate(config, 1000, p, 4096) for p in (checked, made.resolved.params))
    assert less.parts["activations"] < whole.parts["activations"]


def test_the_preview_counts_the_sequences_of_packed_and_dropped_rows(chat_trial: Callable[..., Any]) -> None:
    def per_row(**params: Any) -> float:
        made = chat_trial(run=str(params), **params)
        return preview(made.directory, made.resolved.spec, made.resolved.params, {})[0]["examples_per_row"]

    assert per_row() == 1.0
    assert per_row(packing=True, block_size=256) < 0.5
    assert per_row(too_long="chunk", block_size=16) > 1.5
    assert 0 < per_row(too_long="drop", block_size=32) < 1
