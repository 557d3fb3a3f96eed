"""Sentence transformers: preview of the tokenized texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, SECOND, THIRD
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.text_preview import load_ahead
from autotrain_gradio.training.tokens import tokenize

__all__ = ["load_ahead", "preview"]

TITLES = {FIRST: "First texts", SECOND: "Second texts", THIRD: "Negatives"}
MAX_TOKENS = 120
"""Maximum number of displayed tokens of a text."""
TOKENS_NOTE = "Each box is a token (or several that form one character). Struck-out tokens are truncated."


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the lengths of the texts of each column, how many are truncated, and the tokens of a few rows.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed rows (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    roles = [role for role in TITLES if role in rows.features]
    try:
        texts = (text for role in roles for text in rows[role])
        tokenizer, most = text_preview.preview_tokenizer(spec.model, texts, "AutoModel")
    except pretrained.ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    limit = min(params.max_seq_length, most or params.max_seq_length)
    some = rows.select(text_preview.measured_rows(len(rows), params.seed))
    found: list[Panel] = []
    for role in roles:
        tokens = tokenize(tokenizer, some[role], limit)
        assert tokens is not None
        noun = TITLES[role].lower()
        title = f"{TITLES[role]}: lengths in tokens"
        made = text_preview.length_panels(
            tokens.full, limit, wanted=params.max_seq_length, rows=len(rows), noun=noun, title=title
        )
        found += [{**panel, "id": f"{panel['kind']}-{role}"} for panel in made]
    count = min(16, int(context.get("texts", 3)))
    chosen = sorted(np.random.default_rng(params.seed).permutation(len(rows))[:count].tolist())
    shown = [
        {
            "label": f"row {row + 1}: {TITLES[role].lower().removesuffix('s')}",
            **text_preview.split_tokens(tokenizer, rows[row][role], limit, MAX_TOKENS),
        }
        for row in chosen
        for role in roles
    ]
    return [*found, panels.tokens("Tokenized texts", shown, note=TOKENS_NOTE)]
