"""The tiny model: a small, randomly initialized YOLOS, which has no backbone of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import YolosConfig

TINY_SIDE = 64


def tiny_model(folder: Path, labels: Sequence[str], *, side: int = TINY_SIDE, seed: int = 42) -> Path:
    """Write a small YOLOS with random weights (about 0.1 million parameters) and its processor; return the folder."""
    import torch
    from transformers import YolosForObjectDetection, YolosImageProcessor

    torch.manual_seed(seed)
    model = YolosForObjectDetection(tiny_config(labels, side))
    for name, weights in model.named_parameters():
        if name.endswith(("position_embeddings", "detection_tokens")):
            # transformers initializes them to zero: all detection tokens would begin equal, and learn slowly.
            torch.nn.init.normal_(weights, std=0.3)
    model.save_pretrained(folder)
    YolosImageProcessor(size={"height": side, "width": side}, do_pad=False).save_pretrained(folder)
    return Path(folder)


def tiny_config(labels: Sequence[str], side: int = TINY_SIDE) -> YolosConfig:
    """Return the configuration of the tiny model."""
    from transformers import YolosConfig

    return YolosConfig(
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        image_size=[side, side],
        patch_size=8,
        num_detection_tokens=8,
        initializer_range=0.1,  # 0.02, as for large models, would learn slowly
        use_mid_position_embeddings=False,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
