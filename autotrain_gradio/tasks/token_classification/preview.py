"""Token classification: preview of texts as the model receives them: lengths, windows and entities."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.token_classification.entities_panel import entities_panel
from autotrain_gradio.tasks.token_classification.windows import make_windows, prepare_tokenizer, window_sizes
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.text_preview import load_ahead

__all__ = ["load_ahead", "preview"]

MAX_TOKENS = 160
"""Maximum number of displayed tokens of a text."""


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few texts with their entities and their tokens, and how many windows long texts are split into.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed texts (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    try:
        tokenizer, most = text_preview.preview_tokenizer(spec.model, rows["text"], "AutoModelForTokenClassification")
        prepare_tokenizer(tokenizer, spec.model)
    except pretrained.ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    limit = min(params.max_seq_length, most or params.max_seq_length)
    limit, overlap = window_sizes(tokenizer, limit, params.window_overlap)
    some = rows.select(text_preview.measured_rows(len(rows), params.seed))
    whole = make_windows(tokenizer, some["text"][:], 10**9, 0)
    assert whole is not None
    lengths = whole.lengths
    step = max(1, limit - tokenizer.num_special_tokens_to_add() - overlap)
    windows = 1 + np.maximum(0, np.ceil((lengths - limit) / step)).astype(int)
    facts = {
        "median tokens": int(np.median(lengths)),
        "longest": int(lengths.max()),
        "tokens of a window": limit,
        "texts of several windows": f"{int((windows > 1).sum()):,} ({(windows > 1).mean():.1%})",
        "windows": int(windows.sum()),
    }
    notes = [] if len(some) == len(rows) else [f"Measured on {len(some):,} of {len(rows):,} texts, a random sample."]
    if limit < params.max_seq_length:
        notes.append(f"The model supports at most {limit:,} tokens, not {params.max_seq_length:,}.")
    if (windows > 1).any():
        notes.append(f"Windows overlap by {overlap:,} tokens.")
    tagged = np.array([len(spans) > 0 for spans in rows["entities"]])
    count = min(16, int(context.get("texts", 4)))
    chosen = balanced_sample((~tagged).astype(int), count, params.seed)
    shown = [rows[row] for row in sorted(chosen)]
    items = [{"text": r["text"], "lines": [{"spans": r["entities"]}]} for r in shown]
    tokens = [
        {
            "label": f"row {row + 1}",
            "read": text_preview.readable_tokens(tokenizer, ids[:MAX_TOKENS]),
            "cut": [],
            "more": max(0, len(ids) - MAX_TOKENS),
            "rtl": text_preview.right_to_left(rows[row]["text"]),
        }
        for row in sorted(chosen)
        for ids in [_ids(make_windows(tokenizer, [rows[row]["text"]], 10**9, 0))]
    ]
    histogram = text_preview.length_histogram(lengths, limit)
    return [
        panels.numbers("Text lengths in tokens", facts, note=" ".join(notes)),
        entities_panel("Annotated texts", items),
        panels.tokens("Tokenized texts", tokens, note="Each box is a token (or several that form one character)."),
        {**histogram, "note": f"The model uses {limit:,} tokens at once; longer texts are split into windows."},
    ]


def _ids(windows: Any) -> list[int]:
    return list(windows.ids.tolist())
