"""The tiny model: a small, randomly initialized SegFormer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import SegformerConfig

TINY_SIDE = 64


def tiny_model(folder: Path, labels: Sequence[str], *, side: int = TINY_SIDE, seed: int = 42) -> Path:
    """Write a small SegFormer with random weights (about 0.1 million parameters) and its processor; return the folder.

    side: of the square in pixels to which images are resized.
    """
    import torch
    from transformers import SegformerForSemanticSegmentation, SegformerImageProcessor

    torch.manual_seed(seed)
    SegformerForSemanticSegmentation(tiny_config(labels)).save_pretrained(folder)
    SegformerImageProcessor(size={"height": side, "width": side}, do_reduce_labels=False).save_pretrained(folder)
    return Path(folder)


def tiny_config(labels: Sequence[str]) -> SegformerConfig:
    """Return the configuration of the tiny model."""
    from transformers import SegformerConfig

    return SegformerConfig(
        num_encoder_blocks=3,
        depths=[1, 1, 1],
        sr_ratios=[4, 2, 1],
        hidden_sizes=[16, 32, 64],
        patch_sizes=[5, 3, 3],
        strides=[2, 2, 2],
        num_attention_heads=[1, 2, 4],
        mlp_ratios=[2, 2, 2],
        decoder_hidden_size=64,
        classifier_dropout_prob=0.0,
        drop_path_rate=0.0,
        initializer_range=0.1,  # 0.02, as for large models, would learn slowly
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
