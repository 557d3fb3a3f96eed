"""Judged answers: preview of the rendered rows, with the tokens of the answers marked."""

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
    """Show how long the rows are, what becomes of those above the maximum length, and the trained tokens of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed rows (default 3, at most 16).

    Raises:
        DataError: the data was not checked yet.
        UserError: the chat template cannot be used.
    """
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.tasks.llm_kto.rows import ANSWER, tokenized
    from autotrain_gradio.training import chat_template_support, language_preview
    from autotrain_gradio.training.chat_templates import choose_template
    from autotrain_gradio.training.preference_run import conversations_of, texts_of

    rows = data.load(draft)["train"]
    try:
        tokenizer, most = language_preview.open_tokenizer_of(spec.model, lambda: texts_of(rows, [ANSWER]))
    except ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    template = choose_template(tokenizer, params.chat_template)
    chosen = rows.select(text_preview.measured_rows(len(rows), params.seed))
    made = tokenized(tokenizer, template, chosen)
    dropped = chat_template_support.dropped_note(tokenizer, template, conversations_of(chosen, [ANSWER]))
    note = " ".join(filter(None, (template.note, dropped)))
    return language_preview.row_panels(tokenizer, made, params, most, len(rows), context, note=note)
