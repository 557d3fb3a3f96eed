"""Extractive question answering: preview of the windows, with the answers in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.extractive_question_answering.answers_panel import answers_panel
from autotrain_gradio.tasks.extractive_question_answering.windows import Windows, make_windows
from autotrain_gradio.training import pretrained, text_preview
from autotrain_gradio.training.sample_selection import balanced_sample
from autotrain_gradio.training.text_preview import load_ahead

__all__ = ["load_ahead", "preview"]

WINDOWS_NOTE = (
    "Each window is what the model receives at once. Marked: the answer, in the windows that have all of it; in the "
    "others the model learns that there is no answer."
)
MEASURED = 2000
"""Maximum number of questions whose lengths are measured."""
MOST_WINDOWS = 4
"""Displayed windows of a question."""


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the lengths of questions with their contexts, and the windows of a few.

    Nothing is downloaded: the probe of the model has downloaded its tokenizer.

    context: `texts`, number of displayed questions (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    texts = (text for name in ("context", "question") for text in rows[name])
    try:
        tokenizer, most = text_preview.preview_tokenizer(spec.model, texts, "AutoModelForQuestionAnswering")
    except pretrained.ModelError as error:
        return text_preview.not_downloaded(spec.model, len(rows), error)
    limit = min(params.max_seq_length, most or params.max_seq_length)
    tokenizer.model_max_length = limit
    measured = rows.select(np.sort(np.random.default_rng(params.seed).permutation(len(rows))[:MEASURED]))
    windows = _windows(tokenizer, measured, limit, params.doc_stride)
    several = int((np.bincount(windows.rows, minlength=len(measured)) > 1).sum())
    facts = {
        "median tokens": int(np.median(windows.full)),
        "95th percentile": int(np.quantile(windows.full, 0.95, method="higher")),
        "longest": int(windows.full.max()),
        "maximum sequence length": limit,
        "questions with several windows": f"{several:,} ({several / len(measured):.1%})",
        "windows": len(windows),
        "longest answer (tokens)": int(windows.answer_tokens.max(initial=0)),
    }
    notes = [] if len(measured) == len(rows) else [f"Measured on {len(measured):,} of {len(rows):,} questions."]
    if limit < params.max_seq_length:
        notes.append(f"The model supports at most {limit:,} tokens, not {params.max_seq_length:,}.")
    histogram = text_preview.length_histogram(windows.full, limit, noun="questions")
    histogram["title"] = "Questions with their contexts by length in tokens"
    histogram["note"] = f"Those with more than {limit:,} tokens become several windows."
    answered = np.array([bool(answers["text"]) for answers in rows["answers"]], dtype=int)
    chosen = balanced_sample(answered, min(16, int(context.get("texts", 4))), params.seed)
    shown = rows.select(chosen)
    items = _items(_windows(tokenizer, shown, limit, params.doc_stride), shown, chosen)
    return [
        panels.numbers("Lengths in tokens", facts, note=" ".join(notes)),
        histogram,
        answers_panel("Windows", items, note=WINDOWS_NOTE),
    ]


def _windows(tokenizer: Any, rows: Any, limit: int, stride: int) -> Windows:
    made = make_windows(tokenizer, rows["question"], rows["context"], rows["answers"], limit=limit, stride=stride)
    assert made is not None
    return made


def _items(windows: Windows, rows: Any, numbers: list[int]) -> list[dict[str, Any]]:
    """Return an item of a panel of answers for each window. numbers: of the rows in the training split."""
    items = []
    for row, cells in enumerate(rows):
        mine = np.flatnonzero(windows.rows == row)
        for place, window in enumerate(mine[:MOST_WINDOWS].tolist()):
            offsets = windows.offsets_of(window)
            begin, end = (int(offsets[0, 0]), int(offsets[-1, 1])) if len(offsets) else (0, 0)
            inside = windows.positions[window, 0] != windows.null[window]
            gold = [cells["answers"]["answer_start"][0], len(cells["answers"]["text"][0])] if inside else []
            items.append(
                {
                    "question": cells["question"],
                    "context": cells["context"][begin:end],
                    "gold": [[gold[0] - begin, gold[0] + gold[1] - begin]] if gold else [],
                    "gold_text": [cells["answers"]["text"][0]] if inside else [],
                    "caption": f"row {numbers[row] + 1}, window {place + 1} of {len(mine)}: "
                    f"{int(windows.starts[window + 1] - windows.starts[window]):,} tokens",
                }
            )
    return items
