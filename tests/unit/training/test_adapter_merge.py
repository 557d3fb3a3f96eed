"""LoRA adapters of language models, merged into a whole model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, LoraModel, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import adapter_merge, language_models


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base model."""
    return language_models.tiny_model(tmp_path_factory.mktemp("base"), texts=["What does red mean? At red you stop."])


def adapter_of(base: Path, folder: Path, **settings: Any) -> Path:
    """Save a random adapter of the base model; tokens: added to its tokenizer."""
    tokens = settings.pop("tokens", [])
    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    if tokens:
        tokenizer.add_tokens(tokens)
        model.resize_token_embeddings(len(tokenizer))
    options = {"task_type": "CAUSAL_LM", "target_modules": "all-linear", "r": 4, "init_lora_weights": False}
    torch.manual_seed(0)
    get_peft_model(model, LoraConfig(**{**options, **settings})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def answers(model: Any, folder: Path) -> torch.Tensor:
    """Return the logits of a text."""
    ids = AutoTokenizer.from_pretrained(folder)("What does red mean?", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        return model.eval()(input_ids=ids).logits.float()


@pytest.mark.parametrize("settings", [{}, {"use_dora": True}, {"use_rslora": True}])
def test_the_merged_model_answers_as_base_model_and_adapter(
    base: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    adapter = adapter_of(base, tmp_path / "adapter", **settings)
    done = adapter_merge.merge(str(adapter), tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    plain = AutoModelForCausalLM.from_pretrained(base)
    assert not torch.allclose(answers(merged, base), answers(plain, base), atol=1e-2)
    adapted = PeftModel.from_pretrained(plain, adapter)
    torch.testing.assert_close(answers(merged, base), answers(adapted, base), rtol=1e-4, atol=1e-4)
    assert done.difference < 1e-3 and done.dtype == "float32" and done.notes == []
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template


def test_a_dtype_and_a_multiple_of_embeddings(base: Path, tmp_path: Path) -> None:
    adapter = adapter_of(base, tmp_path / "adapter")
    done = adapter_merge.merge(str(adapter), tmp_path / "merged", dtype="bfloat16", multiple=64)
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="auto")
    embeddings = merged.get_input_embeddings().num_embeddings
    before = AutoModelForCausalLM.from_pretrained(base).get_input_embeddings().num_embeddings
    assert (
        merged.dtype is torch.bfloat16 and embeddings % 64 == 0 and before < embeddings == done.embeddings < before + 64
    )


def test_embeddings_that_the_adapter_has_saved_are_used(base: Path, tmp_path: Path) -> None:
    modules = [f"model.layers.0.self_attn.{n}_proj" for n in "qv"]
    adapter = adapter_of(
        base,
        tmp_path / "adapter",
        tokens=["<a>", "<b>"],
        target_modules=modules,
        modules_to_save=["embed_tokens"],
        ensure_weight_tying=True,
    )
    done = adapter_merge.merge(str(adapter), tmp_path / "merged")
    tokenizer = AutoTokenizer.from_pretrained(adapter)
    assert done.embeddings == len(tokenizer) and "has its own embedding" in done.notes[0]


def test_tokens_without_embeddings_are_reported(base: Path, tmp_path: Path) -> None:
    adapter = adapter_of(base, tmp_path / "adapter")
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens(["<a>"])
    tokenizer.save_pretrained(adapter)
    done = adapter_merge.merge(str(adapter), tmp_path / "merged")
    assert "1 of " in done.notes[0] and "untrained" in done.notes[0] and done.embeddings == len(tokenizer)


def test_another_base_model_and_the_generation_config_of_the_adapter(base: Path, tmp_path: Path) -> None:
    adapter = adapter_of(base, tmp_path / "adapter")
    config = adapter / "adapter_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "base_model_name_or_path": "gone/away"}))
    (adapter / "generation_config.json").write_text(json.dumps({"eos_token_id": [3, 5]}))
    done = adapter_merge.merge(str(adapter), tmp_path / "merged", base=str(base))
    assert done.base == str(base)
    assert json.loads((tmp_path / "merged" / "generation_config.json").read_text())["eos_token_id"] == [3, 5]


def test_a_model_that_lost_its_adapter_is_refused(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = adapter_of(base, tmp_path / "adapter")
    monkeypatch.setattr(LoraModel, "merge_and_unload", lambda self: self.unload())
    with pytest.raises(UserError, match="differs from the base model with its adapter"):
        adapter_merge.merge(str(adapter), tmp_path / "merged")
    assert {f.name for f in tmp_path.iterdir()} == {"adapter"}


def test_what_cannot_be_merged(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not an adapter"):
        adapter_merge.merge(str(base), tmp_path / "merged")
    other = adapter_of(base, tmp_path / "other", task_type="SEQ_CLS")
    with pytest.raises(UserError, match="adapter for SEQ_CLS"):
        adapter_merge.merge(str(other), tmp_path / "merged")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(UserError, match="not an empty folder"):
        adapter_merge.merge(str(adapter_of(base, tmp_path / "adapter")), tmp_path / "full")
    quantized = tmp_path / "quantized"
    AutoModelForCausalLM.from_pretrained(base).save_pretrained(quantized)
    AutoTokenizer.from_pretrained(base).save_pretrained(quantized)
    config = quantized / "config.json"
    config.write_text(
        json.dumps({**json.loads(config.read_text()), "quantization_config": {"quant_method": "bitsandbytes"}})
    )
    with pytest.raises(UserError, match="is quantized"):
        adapter_merge.merge(str(tmp_path / "adapter"), tmp_path / "merged", base=str(quantized))
