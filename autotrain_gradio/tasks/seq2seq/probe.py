"""Text to text: properties of a model, without downloading its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForSeq2SeqLM

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.seq2seq import T5_TYPES, models
from autotrain_gradio.tasks.seq2seq.language_codes import model_code
from autotrain_gradio.tasks.seq2seq.languages import language_tokens
from autotrain_gradio.training import pretrained, quantization
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.tokens import open_tokenizer

LOW = 1e-4
"""Learning rate below which T5 hardly learns."""


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration and tokenizer; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture), `parameters` (number), `input_size` (maximum sequence
    length, `{"tokens": n}`) and `languages` (codes of a multilingual model).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    needs = [f.to_dict() for f in quantization.findings(params)]
    if spec.model == TINY:
        config = models.tiny_config(models.tiny_seq2seq_tokenizer([]))
        size = {"tokens": models.TINY_POSITIONS}
        count = count_parameters(AutoModelForSeq2SeqLM, config)
        task = "Marian, untrained"
        return {**facts, "findings": needs, "task": task, "parameters": count, "input_size": size}
    try:
        config = models.open_config(spec.model)
        facts["task"] = ", ".join(config.architectures or [config.model_type])
        tokenizer = open_tokenizer(spec.model)
        with pretrained.translated_errors(spec.model):
            most = models.limits(config, tokenizer)[0]
            facts["input_size"] = None if most is None else {"tokens": most}
            facts["parameters"] = count_parameters(AutoModelForSeq2SeqLM, config)
            codes = language_tokens(tokenizer)
    except UserError as error:
        return {**facts, "findings": [f.to_dict() for f in error.findings] + needs}
    if codes:
        facts["languages"] = sorted(codes)
    found = [*_t5(config, params), *_languages(codes, params), *_license(spec.model)]
    facts["findings"] = [f.to_dict() for f in found] + needs
    return facts


def _t5(config: Any, params: Any) -> list[Finding]:
    """Return what is special about T5: its prefixes, its learning rate, and fp16."""
    if config.model_type not in T5_TYPES:
        return []
    found = []
    if not params.source_prefix and config.model_type == "t5":
        message = "T5 and Flan-T5 were pretrained with a prefix that says what to do; source_prefix is empty."
        hint = "It learns faster with 'summarize: ', 'translate English to German: ' or words of your own."
        found.append(Finding("info", "prefix-not-set", message, hint, "params.source_prefix"))
    if params.lr < LOW:
        message = f"T5 learns slowly with a learning rate of {params.lr:g}."
        found.append(Finding("info", "learning-rate-low", message, "3e-4 is usual for T5.", "params.lr"))
    if params.mixed_precision == "fp16":
        hint = "Choose bf16, or none. The training will not use fp16."
        message = "The activations of T5 overflow in fp16: the loss would become NaN."
        found.append(Finding("warning", "fp16-overflow", message, hint, "params.mixed_precision"))
    return found


def _languages(codes: Mapping[str, str], params: Any) -> list[Finding]:
    """Return what a multilingual model needs to know about languages."""
    found = []
    for side in ("source", "target"):
        where, language = f"params.{side}_language", getattr(params, f"{side}_language")
        if not codes:
            continue
        if not language:
            message = f"The model has codes for {len(codes):,} languages; the {side} language will be detected."
            found.append(Finding("info", "language-not-set", message, f"Set {side}_language to be sure.", where))
        elif model_code(language, codes) is None:
            message = f"The {side} language '{language}' is not a language of the model."
            hint = f"Its codes: {', '.join(sorted(codes)[:12])} …"
            found.append(Finding("error", "language-unknown", message, hint, where))
    return found


def _license(model: str) -> list[Finding]:
    if not is_nllb(model):
        return []
    message = "The license of NLLB (CC-BY-NC 4.0) forbids commercial use, also of models that are fine-tuned from it."
    return [Finding("warning", "license-non-commercial", message, "M2M100 and mBART-50 have the MIT license.", "model")]


def is_nllb(model: str) -> bool:
    """Whether a model is one of NLLB, by its name."""
    return re.search(r"\bnllb\b", model.rsplit("/", 1)[-1].lower().replace("_", "-")) is not None
