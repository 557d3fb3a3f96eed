"""Models with a head for images: load one with a new head of classes or numbers, and freezing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoImageProcessor, AutoModelForImageClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.training import distributed, loaded_weights, plausibility, pretrained
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tiny_image_model import tiny_model
from autotrain_gradio.training.vision import Geometry

WHAT = "classifying images or predicting numbers from them"
CLASSES = "single_label_classification"
LABELS = "multi_label_classification"
NUMBERS = "regression"
"""Problem types of a model's configuration."""


def open_model(
    name: str, labels: Sequence[str], *, seed: int, scratch: Path, problem_type: str = CLASSES
) -> tuple[Any, Any, Geometry]:
    """Return a float32 model with a new head, its image processor, and the processor's geometry.

    name: a Hub id, a folder, or `tiny`. labels: names of the outputs. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(seed)
    if name == TINY:
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, labels, seed=seed)))
    config = open_config(name)
    with pretrained.translated_errors(name):
        processor = AutoImageProcessor.from_pretrained(name)
        config.num_labels = len(labels)
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        # Some pretrained models are multi-label; pipelines use this setting.
        config.problem_type = problem_type
        plausibility.require_weights(name, lambda: count_parameters(AutoModelForImageClassification, config))
        # Train in float32 even if the weights are saved in 16 bits; mixed precision is a separate setting.
        model, info = AutoModelForImageClassification.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
        loaded_weights.require_match(name, model, info, outputs=len(labels))
        return model, processor, Geometry.of(processor)


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        config = AutoConfig.from_pretrained(name)
    channels = getattr(config, "num_channels", 3)
    if channels != 3:
        message = f"'{name}' takes images of {pluralize(channels, 'channel')}, not RGB images."
        raise pretrained.ModelError(message, "Choose another one.", "model", "model-wrong-task")
    return config


def batch_norm_note(model: Any, processes: int, batch_size: int) -> str:
    """Return a note that several processes normalize their batches separately; empty where that does not apply.

    batch_size: of each process.
    """
    norms = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)
    if processes == 1 or not any(isinstance(module, norms) for module in model.modules()):
        return ""
    return (
        f"The model has batch normalization: each of the {processes} processes normalizes its own {batch_size} images "
        f"of a step, not all {processes * batch_size} together, so the result differs from that of one process."
    )


def freeze_backbone(model: Any) -> None:
    """Freeze all weights except the head; the backbone stays in evaluation mode (batch norm included).

    Raises:
        UserError: the head of the model cannot be identified.
    """
    body = model.base_model
    head = getattr(body, "get_classifier", None)  # in models of timm it is part of the backbone
    inside = list(head().parameters()) if callable(head) else []
    head_ids = {id(p) for p in inside}
    if body is model or (not head_ids and all(id(p) in {id(q) for q in body.parameters()} for p in model.parameters())):
        raise UserError(
            f"The head of {type(model).__name__} cannot be identified.",
            "Switch freeze_backbone off.",
            "params.freeze_backbone",
            "no-head",
        )
    for parameter in body.parameters():
        parameter.requires_grad_(id(parameter) in head_ids)
    # The Trainer puts the whole model into training mode at each step, in which batch norms go on averaging.
    body.eval()
    body.train = lambda mode=True: body
