"""Text to text: preview of the tokenized sources and targets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.text_preview import load_ahead
from autotrain_gradio.training.tokens import open_tokenizer, tokenize

__all__ = ["load_ahead", "preview"]

MAX_TOKENS = 160
"""Maximum number of displayed tokens of a text."""
TOKENS_NOTE = "Each box is a token (or several that form one character). Struck-out tokens are truncated."
TRUNCATED_TARGETS = (
    "A model learns to stop in the middle of truncated targets: raise max_target_length if there are many."
)


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the lengths of sources and targets, how many are truncated, and the tokens of a few rows.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed rows (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    from autotrain_gradio.tasks.seq2seq.pairs import TargetTokenizer

    rows = data.load(draft)["train"]
    try:
        tokenizer, (most_source, most_target) = _tokenizer(spec.model, params, rows)
    except pretrained.ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    chosen = rows.select(text_preview.measured_rows(len(rows), params.seed))
    sources = [params.source_prefix + text for text in chosen["text"]]
    sides = (
        ("sources", tokenizer, sources, params.max_seq_length, most_source),
        ("targets", TargetTokenizer(tokenizer), list(chosen["target"]), params.max_target_length, most_target),
    )
    found: list[Panel] = []
    for noun, of_side, texts, wanted, most in sides:
        limit = min(wanted, most or wanted)
        tokens = tokenize(of_side, texts, limit)
        assert tokens is not None
        title = f"{noun.capitalize()}: lengths in tokens"
        parts = text_preview.length_panels(tokens.full, limit, wanted=wanted, rows=len(rows), noun=noun, title=title)
        if noun == "targets" and tokens.truncated:
            parts[0]["note"] = " ".join(filter(None, [parts[0]["note"], TRUNCATED_TARGETS]))
        found += parts
    picked = np.sort(np.random.default_rng(params.seed).permutation(len(sources))[: _shown(context)]).tolist()
    shown = []
    for index in picked:
        for noun, of_side, texts, wanted, most in sides:
            limit = min(wanted, most or wanted)
            item = text_preview.split_tokens(of_side, texts[index], limit, MAX_TOKENS)
            shown.append({"label": f"row {index + 1}, {noun.removesuffix('s')}", **item})
    return [*found, panels.tokens("Tokenized rows", shown, note=TOKENS_NOTE)]


def _shown(context: Mapping[str, Any]) -> int:
    return min(16, int(context.get("texts", 3)))


def _tokenizer(model: str, params: Any, rows: Any) -> tuple[Any, tuple[int | None, int | None]]:
    """Return the tokenizer of a model and its maximum lengths of sources and targets; nothing is downloaded.

    Raises:
        ModelError: it is not downloaded yet, or cannot be loaded.
    """
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.tasks.seq2seq import models
    from autotrain_gradio.tasks.seq2seq.language_codes import model_code
    from autotrain_gradio.tasks.seq2seq.languages import language_tokens, set_tokenizer

    if model == TINY:
        every = (text for side in ("text", "target") for text in rows[side])
        return models.tiny_seq2seq_tokenizer(every), (models.TINY_POSITIONS, models.TINY_POSITIONS)
    from transformers import AutoConfig

    tokenizer = open_tokenizer(model, local=True)
    with pretrained.translated_errors(model):
        config = AutoConfig.from_pretrained(model, local_files_only=True, trust_remote_code=False)
        limits = models.limits(config, tokenizer)
    if codes := language_tokens(tokenizer):
        asked = [params.source_language, params.target_language]
        known = [model_code(language, codes) if language else None for language in asked]
        first = next(iter(codes))
        set_tokenizer(tokenizer, known[0] or tokenizer.src_lang, known[1] or known[0] or first)
    return tokenizer, limits
