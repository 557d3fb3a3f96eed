"""Language models: preview of the texts as tokens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.training import text_preview
from autotrain_gradio.training.pretrained import ModelError
from autotrain_gradio.training.text_preview import load_ahead

__all__ = ["load_ahead", "preview"]


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show how long the texts are, what becomes of those above the maximum length, and the tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed texts (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.training import language_preview
    from autotrain_gradio.training.token_rows import text_row

    rows = data.load(draft)["train"]
    try:
        tokenizer, most = language_preview.open_tokenizer_of(spec.model, lambda: rows["text"])
    except ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    chosen = rows.select(text_preview.measured_rows(len(rows), params.seed))["text"]
    made = (text_row(tokenizer, text) for text in chosen)
    return language_preview.row_panels(tokenizer, made, params, most, len(rows), context)
