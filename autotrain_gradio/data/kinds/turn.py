"""Cells that are a part of a conversation: a prompt, its context, an answer, or a system prompt.

The check of conversations makes one of them; what is missing is reported there.
"""

from __future__ import annotations

import pyarrow as pa

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.catalog import CONVERSATION, PROMPT_TURN
from autotrain_gradio.data.kinds import conversation, conversation_panels
from autotrain_gradio.data.kinds.text import nested_cells
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.data.values.arrow_columns import as_text

MESSAGES = "messages"
"""Fact of cells that are lists of messages themselves, as in TRL's conversational prompts."""
COLUMN = "column"
"""Fact with the name of the column."""


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take every cell as text, or as a list of messages where the cells of the column are such lists."""
    if conversation.holds_conversations(cells):
        found = conversation.inspect(cells, context)
        found.facts |= {MESSAGES: True, COLUMN: context.column}
        return found
    facts = {COLUMN: context.column}
    return Cells(as_text(cells, context.names), {}, facts, findings=nested_cells(context.column, cells))


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many messages the conversations have, once."""
    made = _conversation(rows, role)
    return conversation_panels.profile(rows, made, context) if made else []


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few of the conversations, once."""
    made = _conversation(rows, role)
    return conversation_panels.gallery(rows, made, context) if made else []


def _conversation(rows: Rows, role: str) -> str | None:
    """Return the role of the conversations that the prompts have become; None for other roles than the prompt."""
    if rows.kinds[role].name != PROMPT_TURN.name:
        return None
    return next((r for r in rows.cells if rows.kinds[r].name == CONVERSATION.name), None)
