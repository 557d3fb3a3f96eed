"""Audio classification: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.audio_classification import models, tiny
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.meta_device import count_parameters

LABELS = 1000


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and feature extractor; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `sampling_rate` and `labels` (of
    the pretrained model; training replaces them).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    if spec.model == TINY:
        count = count_parameters(AutoModelForAudioClassification, tiny.tiny_config(["a", "b"]))
        return {**facts, "task": "AST, untrained", "parameters": count, "sampling_rate": tiny.RATE}
    try:
        config = models.open_config(spec.model)
        names = [str(n) for n in (config.id2label or {}).values()]
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        facts["labels"] = None if names[:1] == ["LABEL_0"] else names[:LABELS]
        with pretrained.translated_errors(spec.model):
            extractor = AutoFeatureExtractor.from_pretrained(spec.model, trust_remote_code=False)
            facts["sampling_rate"] = int(extractor.sampling_rate)
            facts["parameters"] = count_parameters(AutoModelForAudioClassification, config)
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
