"""Encoder–decoder models: the prompt with language and task, and the limits of the decoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

TASK = "transcribe"


def set_language(model: Any, tokenizer: Any, language: str | None) -> tuple[list[int], list[str]]:
    """Set the prompt of a Whisper model; return the labels with which a transcript begins, and notes.

    language: a name (`Hindi`) or a code (`hi`); None: it is not said. Without a language that the model knows there is
    none in the prompt, in training and in use alike: it would be made up otherwise. Other models have no prompt.
    """
    if model.config.model_type != "whisper":
        message = "The model has one language, or finds it itself: the setting is not used."
        return [], [message] if language else []
    settings = model.generation_config
    settings._from_model_config = False  # or it would be made anew from the config, without what is set here
    # Both are older ways to say the same; the second forbids symbols that other languages are written with.
    settings.forced_decoder_ids = model.config.forced_decoder_ids = None
    settings.suppress_tokens = None
    silent = [tokenizer.convert_tokens_to_ids("<|notimestamps|>")]
    known = dict(getattr(settings, "lang_to_id", None) or {})
    if not getattr(settings, "is_multilingual", bool(known)) or not known:
        notes = []
        if language and code_of(language) != "en":
            notes = [f"The model knows English only: '{language}' is trained without being named."]
        return silent, notes
    code = code_of(language) if language else None
    token = f"<|{code}|>"
    if code is not None and token in known:
        settings.language, settings.task = token, TASK
        return [known[token], settings.task_to_id[TASK], *silent], []
    settings.language = settings.task = None
    settings.is_multilingual = False
    for name in ("lang_to_id", "task_to_id"):
        delattr(settings, name)
    if language:
        message = f"Whisper has no token for '{language}': it is trained, and will be used, without one."
    else:
        message = "The language is not set, so Whisper is trained and used without a language in its prompt. "
        message += "If it is one of those that Whisper knows, name it: it learns faster then."
    return silent, [message]


def code_of(language: str) -> str | None:
    """Return Whisper's code of a language by its name or code, in any case; None: Whisper does not know it."""
    asked = language.strip().lower()
    return asked if asked in LANGUAGES else TO_LANGUAGE_CODE.get(asked)


def encoder(tokenizer: Any, prompt: list[int]) -> Callable[[str], list[int]]:
    """Return the function from a transcript to its labels: the prompt, the text, and the end."""
    end = tokenizer.eos_token_id
    return lambda text: [*prompt, *tokenizer(text, add_special_tokens=False).input_ids, end]


def longest_label(model: Any) -> int:
    """Return how many labels the decoder can write at most."""
    config = model.config
    limit = getattr(config, "max_target_positions", None) or getattr(config, "max_position_embeddings", None)
    return int(limit or 448)
