"""The private members of transformers models that speech recognition uses, at transformers 5.23; nothing else uses any.

There is no public way to get the number of output frames that a model's loss counts, or the weights of the language
adapter of MMS. `tests/unit/tasks/automatic_speech_recognition/test_model_internals.py` fails when a new version changes
one of them.
"""

from __future__ import annotations

from typing import Any

import torch

VERSION = "5.23"
"""The version of transformers whose private members these are."""


def output_lengths(model: Any, lengths: torch.Tensor) -> torch.Tensor:
    """Return the number of output frames (batch,) of inputs with these lengths (batch,): samples or input features."""
    # wav2vec2 models count from samples, others from input features, with a formula of the model.
    count = getattr(model, "_get_feat_extract_output_lengths", None) or model._get_subsampling_output_length
    found: torch.Tensor = count(lengths)
    return found


def adapter_weights(model: Any) -> dict[str, torch.nn.Parameter]:
    """Return the parameters of the language adapter and of the output layer by name (MMS)."""
    found: dict[str, torch.nn.Parameter] = model._get_adapters()
    return found


def keep_settings(generation_config: Any) -> None:
    """Let `save_pretrained` write a generation config; otherwise it is recreated from the model's, without changes."""
    generation_config._from_model_config = False
