"""What quantized weights need, and what a model is that was trained on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.lora import QuantizedLoraParams
from autotrain_gradio.training import lora, quantization


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that pretends that bitsandbytes and a GPU are there or not."""

    def pretend(*, package: bool, gpu: bool) -> None:
        monkeypatch.setattr(quantization, "is_bitsandbytes_available", lambda: package)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)

    return pretend


@pytest.mark.parametrize(
    ("package", "gpu", "params", "level", "code"),
    [
        (False, True, {"peft": True, "quantization": "int4"}, "error", "missing-extra"),
        (False, False, {"peft": True, "quantization": "int8"}, "warning", "quantization-unavailable"),
        (True, True, {"quantization": "int4"}, "warning", "quantization-without-lora"),
    ],
)
def test_what_is_needed_is_said(
    machine: Any, package: bool, gpu: bool, params: dict[str, Any], level: str, code: str
) -> None:
    machine(package=package, gpu=gpu)
    found = quantization.findings(QuantizedLoraParams(**params))
    assert [(f.level, f.code, f.where) for f in found] == [(level, code, "params.quantization")]
    assert params["quantization"] in found[0].message
    assert ("pip install 'bitsandbytes>=" in found[0].hint) == (not package)


@pytest.mark.parametrize("value", [None, "none", "no", "", False])
def test_without_quantization_nothing_is_needed(machine: Any, value: Any) -> None:
    machine(package=False, gpu=True)
    params = QuantizedLoraParams(peft=True, quantization=value)
    assert params.quantization is None and quantization.findings(params) == []


def test_the_weights_stay_as_they_are_with_a_warning(machine: Any) -> None:
    machine(package=False, gpu=False)
    notes: list[tuple[str, str]] = []
    run: Any = SimpleNamespace(
        params=QuantizedLoraParams(peft=True, quantization="int4"),
        note=lambda text, *, hint, level: notes.append((level, text)),
    )
    assert quantization.loading_settings(run) == {}
    assert notes == [("warning", notes[0][1])] and "stay in float32" in notes[0][1]
    machine(package=False, gpu=True)
    with pytest.raises(UserError, match="needs the package bitsandbytes"):
        quantization.loading_settings(run)


@pytest.mark.parametrize("kind", ["int4", "int8"])
def test_adapters_on_quantized_weights_are_merged_into_the_dequantized_ones(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("bitsandbytes")
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    BertForSequenceClassification(BertConfig(vocab_size=100, **sizes)).save_pretrained(tmp_path)
    run: Any = SimpleNamespace(params=QuantizedLoraParams(peft=True, quantization=kind, lora_dropout=0.0))
    settings = quantization.loading_settings(run)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype=torch.float32, **settings)
    adapted = lora.adapt(model, run.params, task_type=None, modules_to_save=[])
    ids = torch.arange(1, 33).reshape(4, 8)
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=1e-2)
    adapted.train()
    untrained = adapted(input_ids=ids).logits.detach()
    for _ in range(5):
        adapted(input_ids=ids, labels=torch.tensor([0, 1, 0, 1])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    adapted.eval()
    with torch.inference_mode():
        expected = adapted(input_ids=ids).logits
        merged = lora.merge(adapted).eval()
        logits = merged(input_ids=ids).logits
    assert (expected - untrained).abs().max() > 0.1
    # The activations of int8 layers are rounded, too.
    torch.testing.assert_close(logits, expected, rtol=0.02, atol=1e-3 if kind == "int4" else 0.1)
    merged.save_pretrained(tmp_path / "saved")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved").eval()
    assert {w.dtype for w in again.parameters()} == {torch.float32}
    torch.testing.assert_close(again(input_ids=ids).logits, logits)
