"""Speech recognition: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForCTC

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.automatic_speech_recognition import ctc, models, seq2seq, tiny
from autotrain_gradio.tasks.automatic_speech_recognition.families import TITLES, family_of
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.meta_device import count_parameters

SYMBOLS = 1000


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect a model's configuration, feature extractor and tokenizer; weights are not downloaded.

    Returns `findings` and, where known, `task` (architecture and family), `parameters` (number), `labels` (symbols of a
    CTC vocabulary), `sampling_rate` and `languages` (those with an adapter).
    """
    facts: dict[str, Any] = {"findings": [], "task": None, "parameters": None, "input_size": None, "labels": None}
    if spec.model == TINY:
        count = count_parameters(AutoModelForCTC, tiny.tiny_config(40))
        return {**facts, "task": "w2v-BERT, untrained (CTC)", "parameters": count}
    try:
        family = family_of(pretrained.fetch_config(spec.model), spec.model)
        with pretrained.translated_errors(spec.model):
            config = AutoConfig.from_pretrained(spec.model)
            names = ", ".join(config.architectures or [config.model_type])
            facts["task"] = f"{names} ({TITLES[family]})"
            facts["sampling_rate"] = int(AutoFeatureExtractor.from_pretrained(spec.model).sampling_rate)
            if getattr(config, "vocab_size", None) is None:
                config.vocab_size = 32
            facts["parameters"] = count_parameters(models.auto_class(family, config), config)
        tokenizer = models.open_tokenizer(spec.model, params.language)
    except UserError as error:
        return {**facts, "findings": [f.to_dict() for f in error.findings]}
    if tokenizer is not None and family == "ctc":
        facts["labels"] = sorted(ctc.symbols(tokenizer))[:SYMBOLS]
        facts["languages"] = ctc.languages(tokenizer)
    facts["findings"] = [f.to_dict() for f in _language(config, family, facts.get("languages") or [], params.language)]
    return facts


def _language(config: Any, family: str, spoken: list[str], language: str | None) -> list[Finding]:
    where = "params.language"
    if family == "seq2seq" and config.model_type == "whisper":
        if not language:
            message = "Whisper learns faster with a language token in its prompt."
            return [Finding("info", "language-not-set", message, "Set language, for instance to Hindi.", where)]
        if seq2seq.code_of(language) is None:
            message = f"Whisper has no token for '{language}': it is trained without a language token."
            return [Finding("info", "language-unknown", message, "", where)]
    if spoken and language not in spoken:
        named = f"'{language}'" if language else "no language"
        message = f"The model has adapters for {len(spoken):,} languages; with {named} a new one is trained."
        hint = f"Set language to one of their codes ({', '.join(spoken[:8])} …) to fine-tune its adapter."
        return [Finding("info", "language-not-set", message, hint, where)]
    return []
