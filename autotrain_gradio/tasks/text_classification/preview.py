"""Text classification: preview of the tokenized texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.class_labels import Labels, groups
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.text_preview import load_ahead
from autotrain_gradio.training.tokens import tokenize

__all__ = ["load_ahead", "preview"]

MAX_TOKENS = 160
"""Maximum number of displayed tokens of a text."""
TOKENS_NOTE = "Each box is a token (or several that form one character). Struck-out tokens are truncated."


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the lengths of the texts, how many are truncated, and the tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed texts (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    labels = Labels.of(rows)
    try:
        tokenizer, most = text_preview.preview_tokenizer(
            spec.model, (text for text in rows["text"]), "AutoModelForSequenceClassification"
        )
    except pretrained.ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    limit = min(params.max_seq_length, most or params.max_seq_length)
    chosen = balanced_sample(groups(labels.targets(rows)), min(16, int(context.get("texts", 4))), params.seed)
    shown = [
        {
            "label": f"row {row + 1}: {labels.of_row(rows, row)}",
            **text_preview.split_tokens(tokenizer, rows[row]["text"], limit, MAX_TOKENS),
        }
        for row in chosen
    ]
    tokens = tokenize(tokenizer, rows.select(text_preview.measured_rows(len(rows), params.seed))["text"], limit)
    assert tokens is not None
    return [
        *text_preview.length_panels(tokens.full, limit, wanted=params.max_seq_length, rows=len(rows)),
        panels.tokens("Tokenized texts", shown, note=TOKENS_NOTE),
    ]
