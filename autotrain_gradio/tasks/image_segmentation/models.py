"""Models for semantic segmentation: load one for new classes, with a processor that resizes to a square."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModelForSemanticSegmentation,
    AutoModelForUniversalSegmentation,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES as SEMANTIC,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING_NAMES as UNIVERSAL,
)

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE
from autotrain_gradio.tasks.image_segmentation.tiny import tiny_model
from autotrain_gradio.training import distributed, loaded_weights, plausibility, pretrained
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.vision import Geometry

WHAT = "image segmentation"
QUERIES = ("mask2former", "maskformer")
"""Types that predict masks and a class for each; OneFormer needs a text, and DETR boxes, with each image."""
TYPES = {**{name: SEMANTIC[name] for name in SEMANTIC}, **{name: UNIVERSAL[name] for name in QUERIES}}


def auto_class(config: Any) -> Any:
    """Return the auto class of a model that can be trained."""
    return AutoModelForUniversalSegmentation if config.model_type in QUERIES else AutoModelForSemanticSegmentation


def open_model(name: str, labels: Sequence[str], *, side: int, seed: int, scratch: Path) -> tuple[Any, Any]:
    """Return a float32 model with a new classification layer, and its image processor.

    name: a Hub id, a folder, or `tiny`. side: of the square in pixels. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, its files are damaged, or it does not
            take images of this size.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, side=side, seed=seed)))
    config = open_config(name)
    auto = auto_class(config)
    with pretrained.translated_errors(name):
        processor = AutoImageProcessor.from_pretrained(name)
        square(processor, side)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        config.semantic_loss_ignore_index = IGNORE
        plausibility.require_weights(name, lambda: count_parameters(auto, config))
        model, info = auto.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
        # MaskFormer and Mask2Former have a class more, for no mask.
        loaded_weights.require_match(name, model, info, outputs={len(labels), len(labels) + 1})
    require_size(name, model, processor, side)
    return model, processor


def square(processor: Any, side: int) -> None:
    """Make an image processor resize to a square, without crops or padding, by which predictions would be cut."""
    processor.size = {"height": side, "width": side}
    processor.do_resize = True
    for name in ("do_center_crop", "do_pad", "keep_aspect_ratio", "do_reduce_labels", "do_split_image"):
        if hasattr(processor, name):
            setattr(processor, name, False)
    if hasattr(processor, "size_divisor") and processor.size_divisor:
        processor.size_divisor = 0


def require_size(name: str, model: Any, processor: Any, side: int) -> None:
    """Check that processor and model take squares of this size.

    Raises:
        UserError: they do not (`image-size-unfit`).
    """
    geometry = Geometry.of(processor)
    wanted = getattr(model.config, "image_size", None)
    where = "params.image_square_size"
    if (geometry.height, geometry.width) != (side, side):
        made = f"{geometry.width} × {geometry.height}"
        message = f"The image processor of '{name}' makes images of {made} pixels, not of {side} × {side}."
        hint = f"Set the image size to {max(geometry.height, geometry.width)}, or choose another model."
        raise UserError(message, hint, where, "image-size-unfit")
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            model(pixel_values=torch.zeros(1, 3, side, side))
    except (RuntimeError, ValueError) as error:
        message = f"'{name}' does not take images of {side} × {side} pixels: {str(error)[:150]}."
        hint = f"Set the image size to {wanted}." if isinstance(wanted, int) else "Use a multiple of 32."
        raise UserError(message, hint, where, "image-size-unfit") from None
    finally:
        model.train(was_training)


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        return AutoConfig.from_pretrained(name)


def freeze_backbone(model: Any) -> None:
    """Freeze the pretrained encoder; it stays in evaluation mode.

    Raises:
        UserError: it cannot be identified.
    """
    paths = ("backbone", "model.pixel_level_module.encoder", "model.pixel_level_module.encoder.model")
    modules = dict(model.named_modules())
    found = next((modules[p] for p in paths if p in modules), None)
    if found is None and model.base_model is not model:
        found = model.base_model
    if found is None:
        message = f"The encoder of {type(model).__name__} cannot be identified."
        raise UserError(message, "Switch freeze_backbone off.", "params.freeze_backbone", "no-backbone")
    for parameter in found.parameters():
        parameter.requires_grad_(False)
    found.eval()
    encoder: Any = found
    # The Trainer puts the whole model into training mode at each step, in which batch norms go on averaging.
    encoder.train = lambda mode=True: encoder


class Segmenter:
    """The auto classes as `training.saved` calls them: the one of the model's type."""

    @staticmethod
    def from_pretrained(folder: Path, **options: Any) -> Any:
        """Load a model that can be trained for this task."""
        return auto_class(AutoConfig.from_pretrained(folder)).from_pretrained(folder, **options)
