"""Models on torch's meta device: their structure, without memory for their weights."""

from __future__ import annotations

from typing import Any

import torch


def meta_model(auto: Any, config: Any) -> Any:
    """Return the model of a configuration on the meta device. auto: the auto class that builds it."""
    with torch.device("meta"):
        return auto.from_config(config)


def count_parameters(auto: Any, config: Any) -> int:
    """Return the number of parameters of a model with this configuration, without allocating them."""
    return sum(p.numel() for p in meta_model(auto, config).parameters())
