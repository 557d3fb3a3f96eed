"""Panels of conversations: how many messages they have, and the first turns of a few."""

from __future__ import annotations

from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.data.rows import Context, Rows
from autotrain_gradio.data.values.arrow_columns import pick

EDGES = (1, 2, 3, 4, 5, 7, 9, 13, 21, 51)
LOOKED_AT = 5_000
"""Conversations of each split whose messages are counted."""
EXAMPLES = 6
TURNS = 4
"""Messages of an example that are shown."""
SHOWN = 120
"""Characters of a message that are shown."""


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Draw how many messages the conversations have."""
    parts: dict[str, Any] = {}
    for split in ("train", "validation"):
        used = rows.indices(split)
        chosen = used[:: max(1, -(-len(used) // LOOKED_AT))]
        texts = pick(rows.cells[role].values, chosen).to_pylist()
        parts[split] = np.array([len(messages_of(text)) for text in texts], dtype=np.int64)
    every = np.concatenate(list(parts.values()))
    if not len(every):
        return []
    bounds = zip(EDGES, EDGES[1:], strict=False)
    labels = [f"{a:,}" if b == a + 1 else f"{a:,} to {b - 1:,}" for a, b in bounds] + [f"{EDGES[-1]:,} and more"]
    note = f"Median {np.median(every):,.0f} messages, most {every.max():,.0f}."
    if len(every) < rows.count():
        note += f" Of {len(every):,} conversations, evenly chosen."
    title = "Messages in a conversation"
    return [charts.histogram(title, parts, [*EDGES, np.inf], labels, unit="conversations", note=note)]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show the first turns of conversations, evenly chosen."""
    used = rows.indices()
    chosen = used[np.linspace(0, len(used) - 1, min(EXAMPLES, len(used))).astype(int)].tolist()
    cells = [
        [show(rows.cells[role].values[i].as_py()), "validation" if rows.validation[i] else "training"] for i in chosen
    ]
    return [panels.table("Examples", ["Conversation", "Used for"], cells)]


def show(cell: str) -> str:
    """Return the first turns of a stored conversation, shortened, a line each."""
    messages = messages_of(cell)
    lines = []
    for message in messages[:TURNS]:
        calls = [call["function"]["name"] for call in message.get("tool_calls", ())]
        text = one_line(message["content"], SHOWN) or (f"calls {', '.join(calls)}" if calls else "(empty)")
        lines.append(f"{message['role']}: {text}")
    if len(messages) > TURNS:
        lines.append(f"… {len(messages) - TURNS:,} more")
    return "\n".join(lines)
