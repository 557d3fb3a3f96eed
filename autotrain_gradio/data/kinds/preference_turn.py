"""Cells that are a part of a preference: a prompt, or an answer that was preferred or rejected.

They are texts or lists of messages; the check of preferences makes lists of messages of all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.data.catalog import PREFERENCE_PROMPT, PREFERRED_ANSWER, REJECTED_ANSWER
from autotrain_gradio.data.kinds import charts, conversation_panels
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.data.kinds.turn import inspect
from autotrain_gradio.data.rows import Context, Rows
from autotrain_gradio.data.values.arrow_columns import pick

__all__ = ["gallery", "inspect", "profile"]

EDGES = (0, 1, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000)
LOOKED_AT = 5_000
"""Rows whose answers are measured."""
EXAMPLES = 6
SHOWN = 300
"""Characters of an answer that are shown."""


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how long the answers are, once."""
    if rows.kinds[role].name != PREFERRED_ANSWER.name:
        return []
    used = rows.indices()
    chosen = used[:: max(1, -(-len(used) // LOOKED_AT))]
    if not len(chosen):
        return []
    lengths = {
        rows.columns[answer].title: np.array(
            [_characters(text) for text in pick(rows.cells[answer].values, chosen).to_pylist()]
        )
        for answer in _roles(rows, PREFERRED_ANSWER.name, REJECTED_ANSWER.name)
    }
    labels = [f"{a:,} to {b - 1:,}" for a, b in zip(EDGES, EDGES[1:], strict=False)] + [f"{EDGES[-1]:,} and more"]
    better, worse = lengths.values()
    note = f"The preferred answer is the longer one in {(better > worse).mean():.0%} of the rows"
    note += f", of {len(chosen):,} rows, evenly chosen." if len(chosen) < len(used) else "."
    return [charts.histogram("Characters of the answers", lengths, [*EDGES, np.inf], labels, unit="rows", note=note)]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few preferences, once."""
    if rows.kinds[role].name != PREFERRED_ANSWER.name:
        return []
    used = rows.indices()
    chosen = used[np.linspace(0, len(used) - 1, min(EXAMPLES, len(used))).astype(int)].tolist()
    asked, *answers = _roles(rows, PREFERENCE_PROMPT.name, PREFERRED_ANSWER.name, REJECTED_ANSWER.name)
    cells = [
        [
            conversation_panels.show(rows.cells[asked].values[i].as_py()),
            *(one_line(_text(rows.cells[answer].values[i].as_py()), SHOWN) for answer in answers),
            "validation" if rows.validation[i] else "training",
        ]
        for i in chosen
    ]
    headers = [rows.columns[r].title for r in (asked, *answers)]
    return [panels.table("Examples", [*headers, "Used for"], cells)]


def _roles(rows: Rows, *kinds: str) -> list[str]:
    return [next(r for r in rows.cells if rows.kinds[r].name == kind) for kind in kinds]


def _text(cell: str) -> str:
    """Return the texts of a stored answer."""
    return "\n".join(message["content"] for message in messages_of(cell))


def _characters(cell: Any) -> int:
    return len(_text(cell))
