"""Languages of multilingual models (NLLB, M2M100, mBART): their codes in tokenizer and generation config."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autotrain_gradio.core.errors import UserError, did_you_mean
from autotrain_gradio.tasks.seq2seq.language_codes import iso_code, language_name, model_code
from autotrain_gradio.tasks.seq2seq.language_detection import detect_language

if TYPE_CHECKING:
    from autotrain_gradio.tasks.seq2seq.models import Generator

CODE = re.compile(r"[a-z]{2,3}_[A-Z][A-Za-z]{1,3}|__[a-z]{2,3}__")
"""Tokens that are codes of languages: `de_DE` (mBART), `deu_Latn` (NLLB), `__de__` (M2M100)."""
DETECTED = 500
"""Training texts from which the languages are detected."""


def language_tokens(tokenizer: Any) -> dict[str, str]:
    """Return the codes of languages that a tokenizer takes as `src_lang` → their tokens; empty if it takes none."""
    if not hasattr(tokenizer, "src_lang"):
        return {}
    known = getattr(tokenizer, "lang_code_to_token", None)
    if known:
        return {str(code): str(token) for code, token in known.items()}
    return {str(token): str(token) for token in tokenizer.get_vocab() if CODE.fullmatch(str(token))}


def set_languages(found: Generator, params: Any, texts: Sequence[str], targets: Sequence[str]) -> None:
    """Set the languages in tokenizer and model, as the settings say, or as detected from the training rows.

    Raises:
        UserError: the model has no code for a language, or its target language is unknown.
    """
    tokens = language_tokens(found.tokenizer)
    sides = (("source", texts), ("target", targets))
    codes: list[str | None] = []
    for side, rows in sides:
        asked = getattr(params, f"{side}_language")
        detected = None if asked else detect_language(rows[:: max(1, len(rows) // DETECTED)])
        language = asked or detected
        if not tokens:
            codes.append(iso_code(language) or language if language else None)
            continue
        code = model_code(language, tokens) if language else None
        if code is None:
            raise _unknown(side, language, detected is not None, tokens)
        if detected:
            found.notes.append(f"The {side} language was detected as {language_name(detected)}: its code is '{code}'.")
        codes.append(code)
    found.source_language, found.target_language = codes
    if not tokens:
        if params.source_language or params.target_language:
            found.notes.append(
                "The model has no language codes: target_language only chooses the tokenizer of BLEU, and "
                "source_language has no effect."
            )
        return
    source, target = (str(code) for code in codes)
    set_tokenizer(found.tokenizer, source, target)
    number = found.tokenizer.convert_tokens_to_ids(tokens[target])
    config = found.model.generation_config
    if found.model.config.model_type == "mbart" and found.tokenizer(text_target="a").input_ids[-1] == number:
        # The first mBART ends its labels with the language; shifted to the right, they begin with it.
        config.decoder_start_token_id = found.model.config.decoder_start_token_id = number
        config.forced_bos_token_id = None
    else:
        config.forced_bos_token_id = number


def set_tokenizer(tokenizer: Any, source: str, target: str) -> None:
    """Set both languages of a tokenizer, and in what `save_pretrained` writes."""
    tokenizer.tgt_lang = target
    tokenizer.src_lang = source
    tokenizer.init_kwargs.update(src_lang=source, tgt_lang=target)


def _unknown(side: str, language: str | None, detected: bool, tokens: dict[str, str]) -> UserError:
    where = f"params.{side}_language"
    if language is None:
        message = f"The model translates between {len(tokens):,} languages, and the {side} language is not known."
        hint = f"Set {side}_language, for instance to '{next(iter(tokens))}'."
        return UserError(message, hint, where, "language-not-set")
    how = "was detected and has no code in the model" if detected else "is not a language of the model"
    name = language_name(language)
    shown = f"'{language}'" if name == language else f"'{language}' ({name})"
    message = f"The {side} language {shown} {how}."
    hint = did_you_mean(language, tokens) + f" Set {side}_language to one of its codes, perhaps a related language's."
    return UserError(message, hint, where, "language-unknown")
