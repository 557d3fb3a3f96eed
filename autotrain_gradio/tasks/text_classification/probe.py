"""Text classification: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForSequenceClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.text_classification import models
from autotrain_gradio.tasks.text_classification.tiny import TINY_TOKENS
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tokens import open_tokenizer

LABELS = 1000


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and tokenizer; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `input_size` (maximum sequence
    length, `{"tokens": n}`) and `labels` (of the pretrained model; training replaces them).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    if spec.model == TINY:
        config = models.tiny_config(["a", "b"])
        size = {"tokens": TINY_TOKENS}
        count = count_parameters(AutoModelForSequenceClassification, config)
        return {**facts, "task": "ModernBERT, untrained", "parameters": count, "input_size": size}
    try:
        config = models.open_config(spec.model)
        names = [str(n) for n in (config.id2label or {}).values()]
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        facts["labels"] = None if names[:1] == ["LABEL_0"] else names[:LABELS]
        tokenizer = open_tokenizer(spec.model)
        with pretrained.translated_errors(spec.model):
            most = models.limit(config, tokenizer)
            facts["input_size"] = None if most is None else {"tokens": most}
            facts["parameters"] = count_parameters(AutoModelForSequenceClassification, config)
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
