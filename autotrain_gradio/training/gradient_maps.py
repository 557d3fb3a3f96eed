"""Gradient maps: which parts of an image an output of a model depends on.

The map is the sum over the channels of gradient × activation, positive values only, at the deepest layer that still has
positions: HiResCAM (Draelos and Carin, 2020, https://arxiv.org/abs/2011.08891), which unlike Grad-CAM (Selvaraju et
al., 2017, https://arxiv.org/abs/1610.02391) does not average the gradients over the positions. Libraries such as captum
and pytorch-grad-cam need to be told the layer and the arrangement of its tokens for each architecture; here both are
found in one forward and backward pass, for convolutional networks and for vision transformers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch

LEAST_SIDE = 4
"""Smallest number of positions along a side of a map: deeper layers are too coarse to show a place."""
MOST_PREFIX = 5
"""Maximum number of tokens before those of the patches: class, distillation and register tokens."""
OPACITY = 0.55
"""Opacity of the colours where the map is 1."""


@dataclass(frozen=True)
class _Layer:
    """The output of a layer with positions. prefix: tokens before those of the patches; -1: (1, channels, h, w)."""

    output: torch.Tensor
    height: int
    width: int
    prefix: int


def gradient_map(model: Any, pixel_values: torch.Tensor, output: int) -> np.ndarray | None:
    """Return the map of an output for an image, float32 (height, width) from 0 to 1; None: no layer has positions.

    model: with `logits`; it is put into evaluation mode. pixel_values: (1, 3, height, width). output: its number.
    """
    model.eval()
    sides = pixel_values.shape[-2:]
    inputs = pixel_values.to(model.device).requires_grad_(True)  # a graph also where all weights are frozen
    with torch.enable_grad(), _recorded(model, int(sides[0]), int(sides[1])) as layers:
        logits = model(pixel_values=inputs).logits
        found = list(layers)
        if not found:
            return None
        gradients = torch.autograd.grad(
            logits[0, output], [layer.output for layer in found], allow_unused=True, materialize_grads=True
        )
    for layer, gradient in zip(reversed(found), reversed(gradients), strict=True):
        # Behind the last attention the gradient of all patches is 0: only the class token counts there.
        if bool(_positions(layer, gradient).any()):
            kept = _positions(layer, gradient * layer.output.detach()).clamp_min(0)
            most = float(kept.max())
            return np.asarray((kept / most if most > 0 else kept).float().cpu(), dtype=np.float32)
    return None


@contextmanager
def _recorded(model: Any, height: int, width: int) -> Iterator[list[_Layer]]:
    """Record the outputs of modules that have positions, in the order of the computation."""
    layers: list[_Layer] = []

    def record(module: Any, args: Any, outputs: Any) -> None:
        output = outputs[0] if isinstance(outputs, tuple) and outputs else outputs
        if not isinstance(output, torch.Tensor) or not output.requires_grad or any(o.output is output for o in layers):
            return
        layer = _layer(output, height, width)
        if layer is not None and min(layer.height, layer.width) >= LEAST_SIDE:
            layers.append(layer)

    handles = [block.register_forward_hook(record) for block in _blocks(model)]
    try:
        yield layers
    finally:
        for handle in handles:
            handle.remove()


def _blocks(model: Any) -> list[Any]:
    """Return the modules in lists and sequences of modules, such as stages and transformer blocks; else all modules.

    The output of a block is all that later blocks see, while a module inside, such as the projection of the keys of an
    attention, is one of several paths.
    """
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList | torch.nn.Sequential)]
    return [child for one in lists for child in one] or list(model.modules())


def _layer(output: torch.Tensor, height: int, width: int) -> _Layer | None:
    """Describe an output whose positions have the aspect ratio of the image (height, width); None: it has none."""
    if output.ndim == 4 and output.shape[0] == 1:
        first, last = (int(n) for n in output.shape[-2:])
        if _fits(first, last, height, width):
            return _Layer(output, first, last, -1)
    if output.ndim == 3 and output.shape[0] == 1:
        for prefix in range(MOST_PREFIX + 1):
            count = int(output.shape[1]) - prefix
            rows = round(math.sqrt(max(0, count) * height / width))
            if rows and count % rows == 0 and _fits(rows, count // rows, height, width):
                return _Layer(output, rows, count // rows, prefix)
    return None


def _fits(rows: int, columns: int, height: int, width: int) -> bool:
    """Whether the positions are squares of the image: patches, or the strides of a convolutional network."""
    return rows > 0 and columns > 0 and rows < height and abs(height / rows - width / columns) < 1e-6


def _positions(layer: _Layer, values: torch.Tensor) -> torch.Tensor:
    """Return the sum over the channels at each position (height, width)."""
    if layer.prefix < 0:
        return values[0].sum(0)
    return values[0, layer.prefix :].sum(-1).reshape(layer.height, layer.width)


def overlay(image: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return an image uint8 (height, width, 3) with the map over it: from transparent to opaque yellow.

    found: of `gradient_map`, in any resolution.
    """
    height, width = image.shape[:2]
    large = np.clip(cv2.resize(found, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((255 * large).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    weight = (OPACITY * np.sqrt(large))[..., None]
    grey = image.mean(axis=2, keepdims=True).repeat(3, axis=2)  # so that the colours are those of the map
    return np.asarray(grey * (1 - weight) + colours * weight).astype(np.uint8)
