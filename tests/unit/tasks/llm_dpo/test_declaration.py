"""DPO: AutoTrain's YAML, the defaults of models, and the preview and probe of the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import SpecError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.tasks.llm_dpo.preview import preview
from autotrain_gradio.tasks.llm_dpo.train import probe
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml
from autotrain_gradio.training import language_models, language_probe, preference_reference
from autotrain_gradio.training.language_memory import Workload
from tests.preferences import pairs

YAML = """
task: llm:dpo
base_model: meta-llama/Meta-Llama-3-8B-Instruct
project_name: autotrain-llama3-8b-dpo
log: tensorboard
backend: local
data:
  path: argilla/distilabel-capybara-dpo-7k-binarized
  train_split: train
  valid_split: null
  chat_template: chatml
  column_mapping: {text_column: chosen, rejected_text_column: rejected, prompt_text_column: prompt}
params: {block_size: 1024, model_max_length: 2048, max_prompt_length: 512, max_completion_length: 256, epochs: 3,
  batch_size: 2, lr: 3e-5, peft: true, quantization: int4, target_modules: all-linear, padding: right,
  optimizer: paged_adamw_8bit, scheduler: linear, gradient_accumulation: 4, mixed_precision: bf16, dpo_beta: 0.2,
  model_ref: my/reference}
hub: {push_to_hub: true, username: somebody}
"""


@pytest.mark.parametrize(
    "written",
    [
        YAML,
        YAML.replace("llm:dpo", "llm-dpo"),
        YAML.replace("llm:dpo", "llm").replace("params: {", "params: {trainer: dpo, "),
    ],
)
def test_yaml_of_autotrain(written: str) -> None:
    found = resolve(from_yaml(written)[0])
    params: Any = found.params
    assert found.task.name == "llm-dpo" and params.chat_template == "chatml" and params.quantization == "int4"
    assert found.spec.data.columns == {"chosen": "chosen", "rejected": "rejected", "prompt": "prompt"}
    assert (params.dpo_beta, params.model_ref) == (0.2, "my/reference")
    assert (params.max_prompt_length, params.max_completion_length, params.block_size) == (512, 256, 1024)


def test_the_learning_rate_is_that_of_preferences() -> None:
    for model, peft, rate in (("Qwen/Qwen3-0.6B", False, 1e-6), ("Qwen/Qwen3-4B-Instruct-2507", True, 1e-5)):
        params: Any = resolve({"task": "llm-dpo", "model": model}).params
        assert (params.peft, params.lr) == (peft, rate)
    with pytest.raises(SpecError, match="Unknown setting 'packing'"):
        resolve({"task": "llm-dpo", "params": {"packing": True}})
    with pytest.raises(SpecError, match="exo_pair needs label_smoothing"):
        resolve({"task": "llm-dpo", "params": {"loss_type": "exo_pair"}})
    named: Any = resolve({"task": "llm-dpo", "params": {"beta": 0.3}}).params
    assert named.dpo_beta == 0.3


def test_the_preview_marks_both_answers_and_counts_long_rows(preference_trial: Callable[..., Any]) -> None:
    made = preference_trial("llm-dpo", block_size=32, max_prompt_length=8)
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    shown = find_panel(found, "rendered-rows")
    assert shown is not None and len(shown["items"]) == 4
    for item, begin in zip(shown["items"], ["Thank", "Who"] * 2, strict=True):
        marked = "".join(t for t, m in zip(item["read"], item["marked"], strict=True) if m)
        assert begin in marked.replace("Ġ", " ") and "user" not in marked and "after 8" in item["label"]
    assert "32 rows (100.0%) longer than 32 tokens or a prompt of 8" in found[0]["note"]
    for panel in found:
        assert render_html(panel) and render_text(panel)


def test_the_probe_counts_both_answers(preference_trial: Callable[..., Any]) -> None:
    made = preference_trial("llm-dpo", pairs(12), batch_size=64)
    spec, params = made.resolved.spec, made.resolved.params
    both, one = probe(spec, params, {}), language_probe.probe(spec, params, {})
    assert both["parameters"] == one["parameters"] > 100_000
    assert [f["code"] for f in both["findings"]] == ["memory-estimate"] and json.dumps(both) != json.dumps(one)


def test_the_probe_counts_the_reference_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[Workload] = []

    def estimate(spec: Any, params: Any, context: Any, *, work: Workload) -> dict[str, Any]:
        given.append(work)
        return {"findings": []}

    monkeypatch.setattr(preference_reference.language_probe, "probe", estimate)
    reference = str(language_models.tiny_model(tmp_path / "reference", texts=["Who are you?"]))
    for name in (None, reference, str(tmp_path / "missing")):
        made = resolve({"task": "llm-dpo", "model": "tiny", "params": {"model_ref": name}})
        facts = probe(made.spec, made.params, {})
    assert [work.reference > 100_000 for work in given] == [False, True, False]
    (found,) = facts["findings"]
    assert found["where"] == "params.model_ref" and found["message"].startswith("Reference model: ")
