"""Vision-language models: properties of a model, and whether its training fits into memory, without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image
from transformers import AutoModelForImageTextToText

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.vlm import models
from autotrain_gradio.tasks.vlm.tiny import TINY_POSITIONS
from autotrain_gradio.training import language_memory, pretrained, quantization
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.meta_device import count_parameters

EDGE = 1024
"""Longest edge of the images in pixels that is assumed where the parameters limit it no further."""


def image_floats(config: Any, processor: Any, params: Any) -> float:
    """Return the number of floats that the vision encoder keeps of a large square image, and of its pixels.

    A frozen encoder keeps no more than the layer that it computes.
    """
    models.limit_images(processor, params.image_longest_edge)
    size = models.limited_size((EDGE, EDGE), processor)
    pixels = processor.image_processor(images=[Image.new("RGB", size)], return_tensors="pt")["pixel_values"].numel()
    vision = config.vision_config

    def setting(*names: str, default: float) -> float:
        return float(next((getattr(vision, name) for name in names if getattr(vision, name, None)), default))

    hidden, frames = setting("embed_dim", "hidden_size", default=1024), setting("temporal_patch_size", default=1)
    inner = setting("intermediate_size", default=setting("mlp_ratio", default=4) * hidden)
    layers = 1.0 if params.freeze_vision else setting("num_hidden_layers", "depth", default=24)
    patches = pixels / (3 * frames * setting("patch_size", default=14) ** 2)
    copies = language_memory.HIDDEN_COPIES * hidden + language_memory.INNER_COPIES * inner
    return pixels + patches * copies * layers


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and processor; weights are not downloaded.

    Returns `findings` (also the estimate of the memory, and packages that the processor needs)
    and, where known, `task` (architecture), `parameters` (number) and `input_size` (maximum length, `{"tokens": n}`).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    try:
        config = models.open_config(spec.model)
        facts["task"] = "Idefics3, untrained" if spec.model == TINY else ", ".join(config.architectures or [])
        facts["task"] = facts["task"] or config.model_type
        found: list[Finding] = []
        most: int | None = TINY_POSITIONS
        images = 0.0
        if spec.model != TINY:
            encoder = models.open_encoder(spec.model)
            most = models.limit_of(config, encoder.processor.tokenizer)
            images = image_floats(config, encoder.processor, params)
            if encoder.note:
                hint = "An instruction-tuned model has its own."
                found.append(Finding("info", "chat-template-added", encoder.note, hint, "model"))
        facts["input_size"] = None if most is None else {"tokens": most}
        with pretrained.translated_errors(spec.model):
            facts["parameters"] = count_parameters(AutoModelForImageTextToText, config)
        found += quantization.findings(params)
        length = models.sequence_limit(most, params)
        work = Workload(answers=params.max_new_tokens, images=images)
        sized = (config, facts["parameters"], params, length, work)
        memory = language_memory.estimate(*sized)
        found.append(memory.finding("" if memory.fits else language_memory.advise(*sized)))
        facts["findings"] = [f.to_dict() for f in found]
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
