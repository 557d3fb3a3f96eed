"""Models for object detection: load one for new classes, with a processor that resizes to a square."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForObjectDetection
from transformers.models.auto.modeling_auto import MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.object_detection.tiny import tiny_model
from autotrain_gradio.training import distributed, loaded_weights, plausibility, pretrained
from autotrain_gradio.training.meta_device import count_parameters

WHAT = "object detection"


def open_model(name: str, labels: Sequence[str], *, side: int, seed: int, scratch: Path) -> tuple[Any, Any]:
    """Return a float32 model with new classification heads, and its image processor.

    name: a Hub id, a folder, or `tiny`. side: of the square in pixels. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, damaged or of another task, or needs a package or another size.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, side=side, seed=seed)))
    config = open_config(name)
    require_side(config, side)
    with pretrained.translated_errors(name):
        processor = AutoImageProcessor.from_pretrained(name)
        square(processor, side)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        plausibility.require_weights(name, lambda: count_parameters(AutoModelForObjectDetection, config))
        model, info = AutoModelForObjectDetection.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
        # DETR and YOLOS have a class more, for no object; so have the embeddings of denoising queries of RT-DETR.
        loaded_weights.require_match(name, model, info, outputs={len(labels), len(labels) + 1})
        return model, processor


def square(processor: Any, side: int) -> None:
    """Make an image processor resize to a square without padding.

    Boxes of padded images would be relative to the padded size in training, and to that of the image in predictions
    (`post_process_object_detection`); without padding both are the same.
    """
    processor.size = {"height": side, "width": side}
    processor.do_resize, processor.do_pad = True, False
    if getattr(processor, "pad_size", None):
        processor.pad_size = None


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        return AutoConfig.from_pretrained(name)


def require_side(config: Any, side: int) -> None:
    """Raise a UserError if a model cannot process images of this size: RT-DETR and D-FINE join levels of whole strides.

    side: of the square in pixels.
    """
    strides = getattr(config, "feat_strides", None) or [1]
    step = max(strides)
    if side % step:
        low, high = side // step * step, (side // step + 1) * step
        usable = f"{low} or {high}" if low else f"{high}"
        raise UserError(
            f"The image size of {side} pixels does not fit the model, which needs a multiple of {step}.",
            f"Use {usable}.",
            "params.image_square_size",
            "image-size",
        )


def freeze_backbone(model: Any) -> None:
    """Freeze the convolutional backbone.

    Raises:
        UserError: the model has none.
    """
    found = [module for path, module in model.named_modules() if path.split(".")[-1] == "backbone"]
    if not found:
        raise UserError(
            f"{type(model).__name__} has no separate backbone.",
            "Switch freeze_backbone off.",
            "params.freeze_backbone",
            "no-backbone",
        )
    for parameter in found[0].parameters():
        parameter.requires_grad_(False)
