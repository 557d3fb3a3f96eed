"""Encoder–decoder models: the decoder prompt with language and task, and the maximum length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

from autotrain_gradio.tasks.automatic_speech_recognition import model_internals

TASK = "transcribe"


def set_language(model: Any, tokenizer: Any, language: str | None) -> tuple[list[int], list[str]]:
    """Set the decoder prompt of a Whisper model; return the first labels of a transcript, and notes.

    language: a name (`Hindi`) or a code (`hi`); None: unknown. Without a supported language the prompt has no language
    token, in training and in prediction: Whisper would detect one otherwise. Other models have no prompt.
    """
    if model.config.model_type != "whisper":
        message = "The model does not take a language: the setting has no effect."
        return [], [message] if language else []
    settings = model.generation_config
    model_internals.keep_settings(settings)
    # Legacy settings; `suppress_tokens` suppresses symbols that other languages need.
    settings.forced_decoder_ids = model.config.forced_decoder_ids = None
    settings.suppress_tokens = None
    no_timestamps = [tokenizer.convert_tokens_to_ids("<|notimestamps|>")]
    known = dict(getattr(settings, "lang_to_id", None) or {})
    if not getattr(settings, "is_multilingual", bool(known)) or not known:
        notes = []
        if language and code_of(language) != "en":
            notes = [f"The model is English-only: '{language}' is trained without a language token."]
        return no_timestamps, notes
    code = code_of(language) if language else None
    token = f"<|{code}|>"
    if code is not None and token in known:
        settings.language, settings.task = token, TASK
        return [known[token], settings.task_to_id[TASK], *no_timestamps], []
    settings.language = settings.task = None
    settings.is_multilingual = False
    for name in ("lang_to_id", "task_to_id"):
        delattr(settings, name)
    if language:
        message = f"Whisper has no token for '{language}': it is trained and used without a language token."
    else:
        message = "The language is not set, so Whisper is trained and used without a language token. "
        message += "Set language, if Whisper supports it: it learns faster then."
    return no_timestamps, [message]


def code_of(language: str) -> str | None:
    """Return Whisper's code of a language by its name or code, in any case; None: not supported by Whisper."""
    asked = language.strip().lower()
    return asked if asked in LANGUAGES else TO_LANGUAGE_CODE.get(asked)


def encoder(tokenizer: Any, prompt: list[int]) -> Callable[[str], list[int]]:
    """Return a function that encodes a transcript as labels: prompt, text and end token."""
    end = tokenizer.eos_token_id
    return lambda text: [*prompt, *tokenizer(text, add_special_tokens=False).input_ids, end]


def longest_label(model: Any) -> int:
    """Return the maximum number of labels of the decoder."""
    config = model.config
    limit = getattr(config, "max_target_positions", None) or getattr(config, "max_position_embeddings", None)
    return int(limit or 448)
