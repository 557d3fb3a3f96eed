"""Mean pooling in sequence classification models: what the features are, and that it is saved with the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    CamembertConfig,
    DistilBertConfig,
    ModernBertConfig,
    RobertaConfig,
    XLMRobertaConfig,
)

from autotrain_gradio.training.mean_pooling import TYPES, with_mean_pooling

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24, "vocab_size": 60}
CONFIGS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertConfig(**SMALL),
    "roberta": lambda: RobertaConfig(**SMALL, pad_token_id=1),
    "xlm-roberta": lambda: XLMRobertaConfig(**SMALL, pad_token_id=1),
    "camembert": lambda: CamembertConfig(**SMALL, pad_token_id=1),
    "distilbert": lambda: DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=24, vocab_size=60),
    "modernbert": lambda: ModernBertConfig(**SMALL, pad_token_id=0, reference_compile=False),
}


def test_every_type_is_tested() -> None:
    assert set(CONFIGS) == TYPES


def made(kind: str) -> Any:
    """Return a model whose weights differ from those of a new one: biases and scales are not 0 and 1."""
    torch.manual_seed(0)
    config = CONFIGS[kind]()
    config.num_labels = 3
    model = AutoModelForSequenceClassification.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def batch(kind: str) -> dict[str, torch.Tensor]:
    """Return two texts of different lengths, padded."""
    pad = {"distilbert": 0, "bert": 0, "modernbert": 0}.get(kind, 1)
    ids = torch.tensor([[5, 6, 7, 8, 9], [10, 11, 12, pad, pad]])
    return {"input_ids": ids, "attention_mask": (ids != pad).long()}


@pytest.mark.parametrize("kind", CONFIGS)
@torch.inference_mode()
def test_the_logits_are_those_of_the_normalized_mean_of_the_tokens(kind: str) -> None:
    model, inputs = made(kind), batch(kind)
    hidden = model.base_model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    wanted = torch.nn.functional.layer_norm(mean, mean.shape[-1:])
    pooled = with_mean_pooling(model).eval()
    layer = pooled.classifier if isinstance(pooled.classifier, torch.nn.Linear) else pooled.classifier.out_proj
    features: list[torch.Tensor] = []
    layer.register_forward_pre_hook(lambda module, given: features.append(given[0]))
    pooled(**inputs)
    found = features[0]
    if kind == "distilbert":
        found = found - 32**0.5
    elif kind != "modernbert":
        found = torch.atanh(found) / 0.05
    assert torch.allclose(found, wanted, atol=2e-2)


@pytest.mark.parametrize("kind", CONFIGS)
@torch.inference_mode()
def test_the_model_is_saved_with_its_pooling_and_padding_has_no_effect(kind: str, tmp_path: Path) -> None:
    model = made(kind)
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    pooled, inputs = with_mean_pooling(model).eval(), batch(kind)
    logits = pooled(**inputs).logits
    pooled.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path, dtype=torch.float32).eval()
    assert torch.allclose(loaded(**inputs).logits, logits, atol=1e-5)
    alone = loaded(input_ids=inputs["input_ids"][1:, :3]).logits
    assert torch.allclose(alone[0], logits[1], atol=1e-4)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items()), "it is a copy"


def test_the_new_parts_are_frozen_and_the_encoder_is_trained() -> None:
    for kind in CONFIGS:
        pooled = with_mean_pooling(made(kind)).train()
        pooled(**batch(kind)).logits.sum().backward()
        trained = {name for name, p in pooled.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        frozen = {name for name, p in pooled.named_parameters() if not p.requires_grad}
        assert any("embeddings" in name for name in trained) and frozen and not trained & frozen, kind
