"""The tiny model: a small, randomly initialized ResNet. Heavy imports are local: a preview only needs its size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import ResNetConfig

TINY_SIDE = 64


def tiny_model(folder: Path, labels: Sequence[str], *, side: int = TINY_SIDE, seed: int = 42) -> Path:
    """Write a small ResNet with random weights (about 0.3 million parameters) and its processor; return the folder."""
    import torch
    from transformers import ResNetForImageClassification, ViTImageProcessor

    torch.manual_seed(seed)
    ResNetForImageClassification(tiny_config(labels)).save_pretrained(folder)
    ViTImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    return Path(folder)


def tiny_config(labels: Sequence[str]) -> ResNetConfig:
    """Return the configuration of the tiny model."""
    from transformers import ResNetConfig

    return ResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 32, 64, 96],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
