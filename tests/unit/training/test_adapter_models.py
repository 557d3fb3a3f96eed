"""LoRA adapters as the model of a run: merged into their base model, or refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.llm_sft import train as task
from autotrain_gradio.training import language_models
from autotrain_gradio.training.adapter_models import find_adapter, merge_into, require_base
from tests.unit.tasks.llm_sft.conftest import chat_trial

__all__ = ["chat_trial"]


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A folder with a random adapter, and its base model beside it."""
    base = language_models.tiny_model(tmp_path / "base", texts=["What does red mean? At red you stop."])
    model = AutoModelForCausalLM.from_pretrained(base)
    config = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", r=4, init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(tmp_path / "adapter")
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def edit(folder: Path, **values: Any) -> None:
    """Change the configuration of an adapter."""
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_an_adapter_is_merged_and_all_weights_can_be_trained(adapter: Path) -> None:
    found = find_adapter(str(adapter))
    assert found is not None and found.base == str(adapter.parent / "base")
    base = AutoModelForCausalLM.from_pretrained(found.base)
    before = base.model.layers[0].mlp.up_proj.weight.detach().clone()
    merged = merge_into(base, found)
    assert not torch.equal(before, merged.model.layers[0].mlp.up_proj.weight)
    assert all(p.requires_grad for p in merged.parameters())
    assert find_adapter(found.base) is None


def test_a_training_continues_from_an_adapter_and_says_so(adapter: Path, chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(model=str(adapter), epochs=1, peft=True, merge_adapter=False)
    probed = task.probe(made.resolved.spec, made.resolved.params, {})["findings"]
    assert [f["level"] for f in probed if f["code"] == "model-adapter"] == ["info"]
    assert task.preview(made.directory, made.resolved.spec, made.resolved.params, {})
    task.train(made.reporter())
    notes = [e["message"] for e in made.events("note")]
    assert any("is merged into its base model" in n for n in notes)
    assert any("sum of another adapter" in n for n in notes)
    assert not (made.directory / "model" / "adapter_config.json").exists()


def test_quantized_weights_take_no_adapter(adapter: Path, chat_trial: Callable[..., Any]) -> None:
    made = chat_trial(model=str(adapter), peft=True, quantization="int4")
    codes = [f["code"] for f in task.probe(made.resolved.spec, made.resolved.params, {})["findings"]]
    assert codes == ["adapter-quantized"]


def test_a_missing_base_model_is_named(adapter: Path) -> None:
    shutil.rmtree(adapter.parent / "base")
    found = find_adapter(str(adapter))
    assert found is not None
    with pytest.raises(UserError, match="needs its base model '.*base'.*does not exist") as failure:
        require_base(found)
    assert failure.value.findings[0].code == "adapter-base-missing"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base_model_name_or_path": None}, "does not name its base model"),
        ({"peft_type": "PROMPT_TUNING"}, "only LoRA adapters"),
        ({"megatron_config": {"a": 1}, "megatron_core": "os"}, "only LoRA adapters"),
    ],
)
def test_other_adapters_are_refused(adapter: Path, values: dict[str, Any], message: str) -> None:
    edit(adapter, **values)
    with pytest.raises(UserError, match=message):
        find_adapter(str(adapter))


def test_an_adapter_of_the_hub_cannot_name_a_folder(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autotrain_gradio.training import adapter_models

    monkeypatch.setattr(adapter_models, "_config_file", lambda model, local: adapter / "adapter_config.json")
    with pytest.raises(UserError, match="a folder of another computer"):
        find_adapter("ana/adapter")
