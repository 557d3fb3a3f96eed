"""Properties of a language model, and whether its training fits into memory, without downloading its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForCausalLM

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.training import (
    adapter_models,
    language_memory,
    language_models,
    pretrained,
    quantization,
    text_models,
)
from autotrain_gradio.training.adapter_models import Adapter
from autotrain_gradio.training.chat_template_support import inspect_template
from autotrain_gradio.training.chat_templates import WHERE, choose_template
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.text_models import limit

OTHER_HEAD = re.compile(
    r"For(Sequence|Token|Image|Audio)Classification|ForQuestionAnswering|ForMultipleChoice|RewardModel"
)
"""In the names of architectures without an output layer for tokens."""


def probe(
    spec: RunSpec,
    params: Any,
    context: Mapping[str, Any],
    *,
    work: Workload = language_memory.PLAIN,
    length: int | None = None,
    new_head: bool = False,
) -> dict[str, Any]:
    """Inspect a model's configuration and tokenizer; weights are not downloaded.

    work: see `language_memory.estimate`. length: of the longest training sequence in tokens; None: that of
    `language_models.sequence_limit`. new_head: the task gives the model another output layer.

    context: `step`: whether one step is tried; `longest`: tokens of the longest row, if a preview has measured it;
    `memory`: limit of the memory of this call in bytes.

    Returns `findings` (also the estimate of the memory) and, where known, `task` (architecture), `parameters` (number)
    and `input_size` (maximum sequence length, `{"tokens": n}`).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    try:
        adapter = None if spec.model == TINY else adapter_models.find_adapter(spec.model)
        if adapter is not None:
            adapter_models.require_base(adapter)
            language_models.require_float(adapter, params)
        config = language_models.open_config(adapter.base if adapter else spec.model)
        facts["task"] = "Llama, untrained" if spec.model == TINY else ", ".join(config.architectures or [])
        facts["task"] = facts["task"] or config.model_type
        most: int | None = language_models.TINY_POSITIONS
        found: list[Finding] = []
        if spec.model != TINY:
            tokenizer = language_models.open_tokenizer_of(spec.model, adapter)
            text_models.require_embeddings(spec.model, tokenizer, config.get_text_config().vocab_size)
            found += _weights(config, adapter, spec.model, new_head)
            if tokenizer.eos_token_id is None:
                found.append(Finding("info", "no-eos-token", language_models.NO_EOS, "", "model"))
            with pretrained.translated_errors(spec.model):
                most = limit(AutoModelForCausalLM, config, tokenizer)
            found += _template(tokenizer, params)
        facts["input_size"] = None if most is None else {"tokens": most}
        with pretrained.translated_errors(spec.model):
            facts["parameters"] = count_parameters(AutoModelForCausalLM, config)
        length = language_models.sequence_limit(most, params) if length is None else min(length, most or length)
        length = min(length, context.get("longest") or length)
        found += [*quantization.findings(params), *_unused(params)]
        sized = (config, facts["parameters"], params, length, work)
        memory = language_memory.estimate(*sized)
        found.append(memory.finding("" if memory.fits else language_memory.advise(*sized)))
        if context.get("step"):
            from autotrain_gradio.training.language_step import try_step

            found.append(try_step(*sized, memory, context.get("memory")))
        facts["findings"] = [f.to_dict() for f in found]
    except UserError as error:
        facts["findings"] = [f.to_dict() for f in error.findings]
    return facts


def _weights(config: Any, adapter: Adapter | None, model: str, new_head: bool) -> list[Finding]:
    """Return that an adapter is merged, and what else the weights are if they are not those of a language model."""
    found = [Finding("info", pretrained.ADAPTER, adapter.note, "", "model")] if adapter else []
    other = next((name for name in config.architectures or [] if OTHER_HEAD.search(name)), None)
    if other and not new_head:
        message = f"'{model}' was saved as {other}, not as a language model: it may have no output layer for tokens."
        hint = "Choose the language model that it was made of."
        found.append(Finding("warning", "model-other-head", message, hint, "model"))
    return found


def _template(tokenizer: Any, params: Any) -> list[Finding]:
    """Return which chat template is used, if the model has none, and what the template does not support."""
    if not hasattr(params, "chat_template") or "chat_template" in params.no_effect:
        return []
    template = choose_template(tokenizer, params.chat_template)
    hint = "An instruction-tuned model has its own."
    added = [Finding("info", "chat-template-added", template.note, hint, WHERE)] if template.note else []
    return [*added, *inspect_template(tokenizer, template).findings()]


def _unused(params: Any) -> list[Finding]:
    """Return settings of AutoTrain that have no effect here."""
    fields = type(params).model_fields
    return [
        Finding(
            "info",
            "setting-without-effect",
            f"{name} has no effect here: {reason}.",
            "Leave the setting out.",
            f"params.{name}",
        )
        for name, reason in params.no_effect.items()
        if getattr(params, name) != fields[name].default
    ]
