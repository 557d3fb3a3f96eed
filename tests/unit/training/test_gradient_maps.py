"""Gradient maps lie on the part of an image that an output depends on, for several architectures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    Dinov2WithRegistersConfig,
    Dinov2WithRegistersForImageClassification,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

from autotrain_gradio.training.gradient_maps import gradient_map, overlay

SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}


class Colours(torch.nn.Module):
    """A model whose output k is the mean of the colour channel k, with layers of half the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Conv2d(3, 3, 2, 2, bias=False) for _ in range(2)])
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.copy_(torch.eye(3)[:, :, None, None].expand(3, 3, 2, 2) / 4)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def forward(self, pixel_values: torch.Tensor) -> Any:
        for layer in self.layers:
            pixel_values = layer(pixel_values)
        return SimpleNamespace(logits=pixel_values.mean((2, 3)))


def test_the_map_lies_where_the_output_comes_from() -> None:
    pixels = torch.zeros(1, 3, 32, 32)
    pixels[0, 0, :8, 24:] = 1  # red at the top right
    pixels[0, 2, 16:24, :8] = 1  # blue at the left
    red, green, blue = (gradient_map(Colours(), pixels, k) for k in range(3))
    assert red is not None and green is not None and blue is not None
    assert red.shape == (8, 8) and red[:2, 6:].min() == 1 and red.sum() == 4
    assert blue[4:6, :2].min() == 1 and blue.sum() == 4
    assert not green.any(), "no part raises it"


def test_weights_that_are_frozen_and_inference_mode_do_not_matter() -> None:
    model = Colours().requires_grad_(False)
    with torch.no_grad():
        found = gradient_map(model, torch.ones(1, 3, 32, 32), 0)
    assert found is not None and found.min() == 1
    assert all(p.grad is None for p in model.parameters()) and not model.layers[0]._forward_hooks


@pytest.mark.parametrize(
    ("model", "size", "shape"),
    [
        (lambda: ViTForImageClassification(ViTConfig(**SMALL, image_size=32, patch_size=4)), (32, 32), (8, 8)),
        (
            lambda: Dinov2WithRegistersForImageClassification(
                Dinov2WithRegistersConfig(**SMALL, image_size=32, patch_size=4)
            ),
            (32, 32),
            (8, 8),
        ),
        (
            lambda: SwinForImageClassification(
                SwinConfig(image_size=64, patch_size=2, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4)
            ),
            (64, 64),
            (16, 16),
        ),
        (
            lambda: ConvNextForImageClassification(ConvNextConfig(hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 1, 1])),
            (128, 192),
            (4, 6),
        ),
        (
            lambda: ResNetForImageClassification(
                ResNetConfig(embedding_size=8, hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 1, 1], layer_type="basic")
            ),
            (64, 64),
            (4, 4),
        ),
    ],
    ids=["vit", "registers", "swin", "convnext", "resnet"],
)
def test_positions_of_architectures_are_found(model: Any, size: tuple[int, int], shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    made = model()
    torch.nn.init.normal_([m for m in made.modules() if isinstance(m, torch.nn.Linear)][-1].weight)  # not close to 0
    found = gradient_map(made, torch.randn(1, 3, *size), 1)
    assert found is not None and found.shape == shape and found.min() == 0 and found.max() == 1


def test_a_model_without_positions_has_no_map() -> None:
    class Flat(Colours):
        def forward(self, pixel_values: torch.Tensor) -> Any:
            return SimpleNamespace(logits=pixel_values.mean((2, 3)))

    assert gradient_map(Flat(), torch.ones(1, 3, 32, 32), 0) is None


def test_the_overlay_is_transparent_where_the_map_is_0() -> None:
    image = np.full((40, 60, 3), 90, dtype=np.uint8)
    found = np.zeros((4, 6), dtype=np.float32)
    found[0, 5] = 1
    shown = overlay(image, found)
    assert shown.shape == image.shape and shown.dtype == np.uint8
    assert (shown[20:, :30] == 90).all() and shown[2, 57, 0] > 150, "grey below, bright at the top right"
