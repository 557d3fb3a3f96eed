"""Which weights of a model of texts are trained, and what the run says about it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import ModernBertForSequenceClassification

from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.training import lora, text_models


class Params(LoraParams):
    freeze_backbone: bool = False


def run_with(**params: Any) -> tuple[Any, list[str]]:
    notes: list[str] = []
    run = SimpleNamespace(params=Params(**params), note=lambda text, **_: notes.append(text))
    return run, notes


@pytest.fixture
def model() -> ModernBertForSequenceClassification:
    torch.manual_seed(0)
    return ModernBertForSequenceClassification(text_models.tiny_config(vocabulary=64, num_labels=2))


def trained(model: Any) -> set[str]:
    return {name for name, weights in model.named_parameters() if weights.requires_grad}


def test_all_weights_are_trained_by_default(model: Any) -> None:
    run, notes = run_with()
    adapted = text_models.adapt(run, model, task_type="SEQ_CLS", fresh=["classifier"])
    assert adapted is model and len(trained(model)) == len(list(model.parameters())) and not notes
    assert text_models.merge_adapters(run, adapted) is model and not notes


def test_a_frozen_backbone_leaves_the_head(model: Any) -> None:
    run, notes = run_with(freeze_backbone=True)
    assert text_models.adapt(run, model, task_type="SEQ_CLS", fresh=["classifier"]) is model and not notes
    assert trained(model) and all(name.startswith(("head.", "classifier.")) for name in trained(model))


@pytest.mark.parametrize("freezes", [False, True])
def test_lora_is_reported_and_merged(model: Any, freezes: bool) -> None:
    run, notes = run_with(peft=True, freeze_backbone=freezes)
    adapted = text_models.adapt(run, model, task_type="SEQ_CLS", fresh=["classifier"])
    assert lora.is_adapted(adapted) and all("lora_" in n or "modules_to_save" in n for n in trained(adapted))
    assert any("classifier.modules_to_save" in n for n in trained(adapted))
    count = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert notes[0].startswith(f"LoRA: {count:,} of ")
    assert [n for n in notes if "freeze_backbone has no effect" in n] == notes[1:] and len(notes) == 1 + freezes
    merged = text_models.merge_adapters(run, adapted)
    assert not lora.is_adapted(merged) and not any("lora_" in n for n in merged.state_dict())
    assert "merged into the model" in notes[-1]


def test_a_model_without_a_head_has_adapters_only(model: Any) -> None:
    run, _ = run_with(peft=True)
    adapted = text_models.adapt(run, model.model, task_type="FEATURE_EXTRACTION")
    assert trained(adapted) and all("lora_" in n for n in trained(adapted))
