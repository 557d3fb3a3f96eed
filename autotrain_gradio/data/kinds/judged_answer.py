"""Cells with an answer that was judged: texts or lists of messages, of which a check makes lists of messages."""

from __future__ import annotations

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.data.catalog import JUDGEMENT, PREFERENCE_PROMPT
from autotrain_gradio.data.kinds import conversation_panels
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.data.kinds.turn import inspect
from autotrain_gradio.data.rows import Context, Rows

__all__ = ["gallery", "inspect"]

EXAMPLES = 8
SHOWN = 300
"""Characters of an answer that are shown."""


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few answers with their prompts and judgements."""
    prompt, judged = (
        next(r for r in rows.cells if rows.kinds[r].name == kind) for kind in (PREFERENCE_PROMPT.name, JUDGEMENT.name)
    )
    used = rows.indices()
    cells = []
    for i in used[np.linspace(0, len(used) - 1, min(EXAMPLES, len(used))).astype(int)].tolist():
        answer = "\n".join(message["content"] for message in messages_of(rows.cells[role].values[i].as_py()))
        asked = conversation_panels.show(rows.cells[prompt].values[i].as_py())
        used_for = "validation" if rows.validation[i] else "training"
        cells.append([asked, one_line(answer, SHOWN), rows.cells[judged].labels[i], used_for])
    headers = [rows.columns[r].title for r in (prompt, role, judged)]
    return [panels.table("Examples", [*headers, "Used for"], cells)]
