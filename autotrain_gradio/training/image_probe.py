"""Properties of a model of images, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoImageProcessor, AutoModelForImageClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.training import image_models as models
from autotrain_gradio.training import pretrained, vision
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tiny_image_model import TINY_SIDE, tiny_config

LABELS = 1000


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and image processor; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `input_size` (height, width in
    pixels) and `labels` (of the pretrained model; training replaces them).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    if spec.model == TINY:
        config = tiny_config(["a", "b"])
        size = [TINY_SIDE, TINY_SIDE]
        count = count_parameters(AutoModelForImageClassification, config)
        return {**facts, "task": "ResNet, untrained", "parameters": count, "input_size": size}
    try:
        config = models.open_config(spec.model)
        names = [str(n) for n in (config.id2label or {}).values()]
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        facts["labels"] = None if names[:1] == ["LABEL_0"] else names[:LABELS]
        with pretrained.translated_errors(spec.model):
            geometry = vision.Geometry.of(AutoImageProcessor.from_pretrained(spec.model))
            facts["input_size"] = [geometry.height, geometry.width]
            facts["parameters"] = count_parameters(AutoModelForImageClassification, config)
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
