"""Vision-language models: properties of a model, and whether its training fits into memory, without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForImageTextToText

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.vlm import models
from autotrain_gradio.tasks.vlm.tiny import TINY_POSITIONS
from autotrain_gradio.training import language_memory, pretrained, quantization
from autotrain_gradio.training.meta_device import count_parameters


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and processor; weights are not downloaded.

    Returns `findings` (also the estimate of the memory of the language model, and packages that the processor needs)
    and, where known, `task` (architecture), `parameters` (number) and `input_size` (maximum length, `{"tokens": n}`).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    try:
        config = models.open_config(spec.model)
        facts["task"] = "Idefics3, untrained" if spec.model == TINY else ", ".join(config.architectures or [])
        facts["task"] = facts["task"] or config.model_type
        found: list[Finding] = []
        most: int | None = TINY_POSITIONS
        if spec.model != TINY:
            encoder = models.open_encoder(spec.model)
            most = models.limit_of(config, encoder.processor.tokenizer)
            if encoder.note:
                hint = "An instruction-tuned model has its own."
                found.append(Finding("info", "chat-template-added", encoder.note, hint, "model"))
        facts["input_size"] = None if most is None else {"tokens": most}
        with pretrained.translated_errors(spec.model):
            facts["parameters"] = count_parameters(AutoModelForImageTextToText, config)
        found += quantization.findings(params)
        length = models.sequence_limit(most, params)
        found.append(language_memory.estimate(config, facts["parameters"], params, length).finding())
        facts["findings"] = [f.to_dict() for f in found]
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
