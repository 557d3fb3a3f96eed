"""The tiny model: a small, randomly initialized RT-DETRv2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import RTDetrV2Config

TINY_SIDE = 64
WIDTH = 32
"""Width of the encoder and of the decoder."""


def tiny_model(folder: Path, labels: Sequence[str], *, side: int = TINY_SIDE, seed: int = 42) -> Path:
    """Write a small RT-DETRv2 with random weights (about 0.25 million parameters) and its processor; return the folder.

    side: of the images in pixels; a multiple of 32.
    """
    import torch
    from transformers import RTDetrImageProcessor, RTDetrV2ForObjectDetection

    torch.manual_seed(seed)
    RTDetrV2ForObjectDetection(tiny_config(labels)).save_pretrained(folder)
    RTDetrImageProcessor(size={"height": side, "width": side}).save_pretrained(folder)
    return Path(folder)


def tiny_config(labels: Sequence[str]) -> RTDetrV2Config:
    """Return the configuration of the tiny model."""
    from transformers import RTDetrResNetConfig, RTDetrV2Config

    backbone = RTDetrResNetConfig(
        embedding_size=16,
        hidden_sizes=[16, 32, 48, 64],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    return RTDetrV2Config(
        backbone_config=backbone,
        freeze_backbone_batch_norms=False,  # they are not pretrained
        encoder_in_channels=[32, 48, 64],
        encoder_hidden_dim=WIDTH,
        encoder_ffn_dim=2 * WIDTH,
        encoder_attention_heads=4,
        hidden_expansion=0.5,
        decoder_in_channels=[WIDTH] * 3,
        d_model=WIDTH,
        decoder_ffn_dim=2 * WIDTH,
        decoder_attention_heads=4,
        decoder_layers=2,
        num_queries=20,
        num_denoising=20,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
