"""Standardized targets: scaling, and its folding into the last layer of models of several architectures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    ModernBertConfig,
    RobertaConfig,
    T5Config,
    XLNetConfig,
)

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training.scaling import Scaling
from autotrain_gradio.training.text_models import last_linear

VALUES = np.array([[10.0, -3.0], [20.0, -3.5], [60.0, -2.0]])
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 50}
CONFIGS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertConfig(**SMALL),
    "roberta": lambda: RobertaConfig(**SMALL),
    "electra": lambda: ElectraConfig(**SMALL),
    "distilbert": lambda: DistilBertConfig(dim=16, n_layers=1, n_heads=2, hidden_dim=16, vocab_size=50),
    "modernbert": lambda: ModernBertConfig(**SMALL, pad_token_id=0, reference_compile=False),
    "xlnet": lambda: XLNetConfig(d_model=16, n_layer=1, n_head=2, d_inner=16, vocab_size=50),
    "t5": lambda: T5Config(
        d_model=16, d_ff=16, d_kv=8, num_layers=1, num_heads=2, vocab_size=50, decoder_start_token_id=0
    ),
    "gpt2": lambda: GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50, pad_token_id=0),
}


def test_values_are_standardized_and_restored() -> None:
    scaling = Scaling.of(VALUES)
    scaled = scaling.scale(VALUES)
    assert scaled.dtype == np.float32
    assert scaled.mean(axis=0) == pytest.approx([0, 0], abs=1e-6) and scaled.std(axis=0) == pytest.approx([1, 1])
    assert scaling.unscale(scaled) == pytest.approx(VALUES, abs=1e-5)


def test_constant_values_are_only_centred() -> None:
    scaling = Scaling.of(np.full((3, 1), 7.0))
    assert scaling.deviations.tolist() == [1.0] and scaling.scale(np.full((3, 1), 7.0)).tolist() == [[0.0]] * 3


@pytest.mark.parametrize("kind", CONFIGS)
def test_the_scaling_is_folded_into_the_last_layer(kind: str) -> None:
    torch.manual_seed(0)
    config = CONFIGS[kind]()
    config.num_labels, config.problem_type = 2, "regression"
    model = AutoModelForSequenceClassification.from_config(config).eval()
    ids = torch.tensor([[5, 6, 7, 1], [8, 9, 10, 1]])  # 1 ends a text of T5
    scaling = Scaling.of(VALUES)
    with torch.inference_mode():
        before = scaling.unscale(model(input_ids=ids).logits.numpy())
        name, layer = last_linear(model, 2)
        offsets = scaling.fold_into(layer)
        after = model(input_ids=ids).logits.numpy()
    assert (offsets is not None) == (kind == "gpt2"), name
    assert after + (0 if offsets is None else offsets) == pytest.approx(before, rel=1e-4, abs=1e-4)


def test_a_model_without_such_a_layer_is_refused() -> None:
    model = AutoModelForSequenceClassification.from_config(CONFIGS["bert"]())
    with pytest.raises(UserError, match="BertForSequenceClassification that computes its outputs"):
        last_linear(model, 5)
