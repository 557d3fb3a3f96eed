"""Cells that are texts to train on as they are: plain, or rendered by a chat template before.

A column that a user names as the text may hold lists of messages instead: these are parsed, and the check of
conversations uses them as such.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.catalog import CONVERSATION
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds import conversation, conversation_panels, text, text_panels
from autotrain_gradio.data.kinds.conversation_messages import CHATML, parse
from autotrain_gradio.data.kinds.turn import MESSAGES
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess, Rows
from autotrain_gradio.data.values.arrow_columns import is_text, matches

MARKUP = (
    r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|\[/?INST\]|<\|(user|assistant|system)\|>"
    r"|###\s*(Instruction|Response|Human|Assistant)\s*:"
)
"""Markers that common chat templates contain."""
LOOKED_AT = 200
"""Texts whose markup is tried as ChatML."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the column of sentences if there is only one: of several, the longest may be the answers alone."""
    known = [n for n, c in columns.items() if is_text(c.type) and text.guess({n: c}, role, request)]
    return text.guess({known[0]: columns[known[0]]}, role, request) if len(known) == 1 else None


def recognize(columns: dict[str, list[pa.ChunkedArray]], request: Request) -> float:
    """Return the confidence that a format's first column is to be used as it is: prompts and answers come before it."""
    return 0.1 if conversation.holds_conversations(next(iter(columns.values()))[0]) else 0.5


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take the texts as they are, or parse them where they are lists of messages; report the markup of templates."""
    chatml = is_text(cells.type) and _is_chatml(cells)
    if not chatml and conversation.holds_conversations(cells):
        found = conversation.inspect(cells, context)
        found.facts[MESSAGES] = True
        return found
    found = text.inspect(cells, context)
    rendered = np.flatnonzero(matches(found.values, MARKUP) & context.needed)
    if len(rendered):
        message = f"{count_with_verb(len(rendered), 'text', 'has')} the markup of a chat template: the texts are used "
        message += "as they are, and no template is applied."
        hint = "Choose a model that was trained with this markup."
        fix = _as_conversations(context) if chatml else None
        where = f"column {context.column}"
        found.findings.append(Finding("info", "text-rendered", message, hint, where, fix))
    return found


def _is_chatml(cells: pa.ChunkedArray) -> bool:
    parsed = [parse(cell) for cell in cells.slice(0, LOOKED_AT).to_pylist() if isinstance(cell, str) and cell.strip()]
    return bool(parsed) and all(found.form == CHATML and not found.problem for found in parsed)


def _as_conversations(context: Context) -> Fix | None:
    """Return the change by which the texts are parsed as conversations, if the task has a format for these."""
    for format in context.request.formats:
        for column in format.columns:
            if column.kind.name == CONVERSATION.name:
                change = {"format": format.name, "columns": {column.role: context.column}}
                return Fix("Parse them as conversations", change)
    return None


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many words the texts have, or how many messages the conversations."""
    made = _conversation(rows, role)
    return conversation_panels.profile(rows, made, context) if made else text_panels.profile(rows, role, context)


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few of the texts or conversations."""
    made = _conversation(rows, role)
    return conversation_panels.gallery(rows, made, context) if made else text_panels.gallery(rows, role, context)


def _conversation(rows: Rows, role: str) -> str | None:
    if role in rows.cells:
        return None
    return next((r for r in rows.cells if rows.kinds[r].name == CONVERSATION.name), None)
