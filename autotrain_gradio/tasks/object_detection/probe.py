"""Object detection: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForObjectDetection

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.object_detection import models
from autotrain_gradio.tasks.object_detection.tiny import tiny_config
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.meta_device import count_parameters

LABELS = 1000


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `input_size` (height, width in
    pixels, as the parameters set it) and `labels` (of the pretrained model; training replaces them).
    """
    side = params.image_square_size
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "labels": None}
    facts["input_size"] = [side, side]
    if spec.model == TINY:
        count = count_parameters(AutoModelForObjectDetection, tiny_config(["a", "b"]))
        facts |= {"task": "RT-DETRv2, untrained", "parameters": count}
    try:
        if spec.model == TINY:
            models.require_side(tiny_config([]), side)
            return facts
        config = models.open_config(spec.model)
        names = [str(n) for n in (config.id2label or {}).values()]
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        facts["labels"] = None if names[:1] == ["LABEL_0"] else names[:LABELS]
        with pretrained.translated_errors(spec.model):
            facts["parameters"] = count_parameters(AutoModelForObjectDetection, config)
        models.require_side(config, side)
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
