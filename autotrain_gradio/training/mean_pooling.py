"""Mean pooling in the sequence classification models of transformers, most of which classify by the first token.

A sentence embedding is the mean over the tokens of a text. So that a classifier of embeddings is saved as an ordinary
model, which every program loads, the model itself computes them: ModernBERT by its configuration; BERT, DistilBERT,
RoBERTa and their relatives by one more layer, whose attention is uniform and whose other parts are the identity. The
features (the inputs of the last linear layer) are then the layer-normalized mean.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch

FACTOR = 1000.0
"""Factor of the mean, so that the residual connection, which adds the first token, has no effect beside it."""
SLOPE = 0.05
"""Factor of the features before a tanh, which is nearly the identity for small numbers."""


@dataclass(frozen=True)
class _Block:
    """Names of the modules of an encoder layer with layer normalization after each residual connection.

    layers: the list of layers in the backbone. count: setting of the configuration with their number.
    """

    layers: str
    query: str
    key: str
    value: str
    output: str
    first_norm: str
    inner: str
    outer: str
    second_norm: str
    count: str


BERT = _Block(
    "encoder.layer",
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "attention.output.LayerNorm",
    "intermediate.dense",
    "output.dense",
    "output.LayerNorm",
    "num_hidden_layers",
)
DISTILBERT = _Block(
    "transformer.layer",
    "attention.q_lin",
    "attention.k_lin",
    "attention.v_lin",
    "attention.out_lin",
    "sa_layer_norm",
    "ffn.lin1",
    "ffn.lin2",
    "output_layer_norm",
    "n_layers",
)
MODERNBERT = "modernbert"
BLOCKS = {"bert": BERT, "roberta": BERT, "xlm-roberta": BERT, "camembert": BERT, "distilbert": DISTILBERT}
"""Model type → the names in its layers."""
HEADS = {"bert": "bert.pooler.dense", "distilbert": "pre_classifier"}
"""Model type → the linear layer between pooling and activation; of other types `classifier.dense`."""
TYPES = frozenset({*BLOCKS, MODERNBERT})
"""Supported model types."""


def with_mean_pooling(model: Any) -> Any:
    """Return a copy of a sequence classification model, of one of `TYPES`, that classifies by mean pooling.

    Its configuration describes it, so that it is saved and loaded as usual. Dropout of the new parts is switched off.
    """
    model = copy.deepcopy(model)
    kind = model.config.model_type
    if kind == MODERNBERT:
        model.config.classifier_pooling = "mean"
        model.config.classifier_activation = "linear"
        model.head.act = torch.nn.Identity()
        model.drop.p = 0.0
        _identity(model.head.dense)
        _no_scaling(model.head.norm)
        return model
    names, body = BLOCKS[kind], model.base_model
    layers = body.get_submodule(names.layers)
    layer = copy.deepcopy(layers[-1])
    for name in (names.query, names.key, names.inner, names.outer):
        _fill(layer.get_submodule(name), 0.0)
    _identity(layer.get_submodule(names.value))
    _identity(layer.get_submodule(names.output), FACTOR)
    for name in (names.first_norm, names.second_norm):
        _no_scaling(layer.get_submodule(name))
    layers.append(layer)
    setattr(model.config, names.count, len(layers))
    head = model.get_submodule(HEADS.get(kind, "classifier.dense"))
    if kind == "distilbert":  # a ReLU follows: no layer-normalized value is below minus the root of the dimension
        _identity(head)
        with torch.no_grad():
            head.bias.fill_(head.out_features**0.5)
    else:
        _identity(head, SLOPE)
    for module in (layer, *(m for name, m in model.named_children() if m is not body)):
        for part in module.modules():
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
    return model


def _identity(layer: torch.nn.Linear, factor: float = 1.0) -> None:
    """Set a square linear layer to a multiple of the identity, and freeze it."""
    _fill(layer, 0.0)
    with torch.no_grad():
        layer.weight.fill_diagonal_(factor)


def _no_scaling(norm: torch.nn.LayerNorm) -> None:
    """Set scale and bias of a layer normalization to 1 and 0, and freeze it."""
    _fill(norm, 1.0)


def _fill(module: torch.nn.Module, weight: float) -> None:
    """Fill the weights of a module, set its bias to 0, and freeze both."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(0.0 if name == "bias" else weight)
            parameter.requires_grad_(False)
