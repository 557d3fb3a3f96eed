"""Properties of a model of texts, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.training import pretrained, text_models
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tiny_tokenizer import TINY_TOKENS
from autotrain_gradio.training.tokens import open_tokenizer

LABELS = 1000


def probe_text_model(auto: Any, name: str, *, types: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Inspect a model's configuration and tokenizer; weights are not downloaded.

    auto: the auto class that builds the model. types, what: as in `text_models.open_config`.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `input_size` (maximum sequence
    length, `{"tokens": n}`) and `labels` (of the pretrained model; training replaces them).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    if name == TINY:
        count = count_parameters(auto, text_models.tiny_config())
        size = {"tokens": TINY_TOKENS}
        return {**facts, "task": "ModernBERT, untrained", "parameters": count, "input_size": size}
    try:
        config = text_models.open_config(name, types, what)
        names = [str(n) for n in (config.id2label or {}).values()]
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        facts["labels"] = None if names[:1] == ["LABEL_0"] else names[:LABELS]
        tokenizer = open_tokenizer(name)
        with pretrained.translated_errors(name):
            most = text_models.limit(auto, config, tokenizer)
            facts["input_size"] = None if most is None else {"tokens": most}
            facts["parameters"] = count_parameters(auto, config)
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
