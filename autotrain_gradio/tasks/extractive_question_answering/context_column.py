"""Cells that are contexts: texts in which answers are found. Rows with the same context stay in one split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.kinds import charts, text
from autotrain_gradio.data.kinds.text import guess
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.tasks.extractive_question_answering.answers_panel import answers_panel

__all__ = ["gallery", "guess", "inspect", "profile"]

EXAMPLES = 4


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are; rows without text are skipped and reported."""
    result = text.inspect(cells, context)
    numbers = np.array(result.facts["digest"])
    alone = np.flatnonzero(numbers < 0)
    numbers[alone] = numbers.max(initial=-1) + 1 + np.arange(len(alone))
    result.facts["group"] = numbers
    return result


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the texts have."""
    return [
        {**panel, "title": f"Words in a {role}", "id": f"words-in-a-{role}"}
        for panel in text.profile(rows, role, context)
    ]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few questions with their answers marked in the contexts; the same ones each time."""
    chosen = charts.choose("", rows.indices(), EXAMPLES)
    return [answers_panel("Examples", [_example(rows, i, role) for i in chosen])]


def _example(rows: Rows, row: int, role: str) -> dict[str, Any]:
    answers = rows.cells["answers"].values[row]
    pairs = zip(answers["answer_start"], answers["text"], strict=True)
    return {
        "question": rows.cells["question"].values[row].as_py(),
        "context": rows.cells[role].values[row].as_py(),
        "gold": [[start, start + len(t)] for start, t in pairs if start >= 0],
        "gold_text": list(dict.fromkeys(answers["text"])),
        "caption": "validation" if rows.validation[row] else "training",
    }
