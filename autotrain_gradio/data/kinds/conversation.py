"""Cells that are conversations: lists of messages in the forms of OpenAI and ShareGPT, and ChatML.

Each is stored as JSON in the form of OpenAI and TRL; `messages_of` gives its messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, format_count, join_examples, pluralize
from autotrain_gradio.data.catalog import RENDERED_TEXT
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.kinds.conversation_messages import (
    CHATML,
    CUT,
    EMPTY,
    IMAGES,
    NO_CONTENT,
    OPENAI,
    SHAREGPT,
    UNKNOWN_ROLE,
    UNREADABLE,
    Message,
    Parsed,
    is_conversation,
    messages_of,
    parse,
    stored,
)
from autotrain_gradio.data.kinds.conversation_panels import gallery, profile
from autotrain_gradio.data.kinds.conversation_text import resembles_messages
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Cells, Context, Guess
from autotrain_gradio.data.values.content_ids import of_texts

__all__ = [
    "Message",
    "gallery",
    "guess",
    "holds_conversations",
    "inspect",
    "messages_of",
    "profile",
    "recognize",
    "stored",
]

BATCH = 20_000
"""Rows that are parsed before they become Arrow."""
LOOKED_AT = 100
"""Cells by which a column is recognized, from all parts of it: the first ones may be damaged."""
SHARE = 0.5
"""Least share of them that must be conversations in a column that may have texts instead."""
LEAST = 0.1
"""The same of a column that is named as conversations are: its other cells are damaged, and are reported."""
KEYS = {OPENAI: "role and content", SHAREGPT: "from and value", CHATML: "text with <|im_start|>"}
EXAMPLES = 3
"""Rows of each form that are named, where there are several."""
_READABLE = 'Write [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].'
REASONS = {
    EMPTY: ("{n} {has} no messages", "Fill them in to use these rows."),
    UNREADABLE: ("{n} {holds} no list of messages that could be parsed", _READABLE),
    UNKNOWN_ROLE: (
        "{n} {has} a message of an unknown role",
        "Rename the roles to system, user, assistant or tool (ShareGPT: system, human, gpt, function_call, tool).",
    ),
    CUT: (
        "{n} {holds} JSON that ends in the middle of a message",
        "A program has truncated the cells (Excel holds 32,767 characters): export the data as JSON lines or Parquet.",
    ),
    NO_CONTENT: (
        "{n} {has} a message without content",
        'Fill in "content"; only messages of the assistant with tool_calls need none.',
    ),
    IMAGES: (
        "{n} {has} messages with images, audio or files",
        "This task reads text only. Remove these parts if the conversation makes sense without them.",
    ),
}
"""Code of a reason → template of the message, and what to do."""


def guess(columns: dict[str, pa.ChunkedArray], role: Column, request: Request) -> Guess | None:
    """Return the first column whose cells are conversations of a user and an assistant."""
    found = next((name for name, column in columns.items() if holds_conversations(column, answered=True)), None)
    return Guess([found], "its cells are lists of messages") if found is not None else None


def recognize(columns: dict[str, list[pa.ChunkedArray]], request: Request) -> float:
    """Return the confidence that a format's first column holds conversations."""
    column = next(iter(columns.values()))[0]
    if holds_conversations(column, answered=True, share=LEAST):
        return 0.95
    return 0.3 if holds_conversations(column) else 0.0


def holds_conversations(column: pa.ChunkedArray, *, answered: bool = False, share: float = SHARE) -> bool:
    """Whether cells of a column are conversations, usable or not; damaged ones count, if they begin like some.

    answered: and most of these that can be used are of a user and an assistant. share: least share of them.
    """
    places = np.unique(np.linspace(0, len(column) - 1, LOOKED_AT).astype(int)) if len(column) else []
    cells = [v for v in column.take(pa.array(places, pa.int64())).to_pylist() if v is not None and v != ""]
    usable = [cell for cell in cells if is_conversation(cell)]
    others = sum(isinstance(cell, str) and resembles_messages(cell) for cell in cells if not is_conversation(cell))
    if not usable and not others or len(usable) + others < share * len(cells):
        return False
    return not answered or 2 * sum(is_conversation(cell, answered=True) for cell in usable) >= len(usable)


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse each conversation; what cannot be parsed is skipped and reported."""
    rows: dict[str, list[int]] = {}
    forms: Counter[str] = Counter()
    roles: Counter[str] = Counter()
    details: dict[int, str] = {}
    unused: Counter[str] = Counter()
    halves: list[int] = []
    wrapped: dict[str, list[int]] = {}
    values: list[int] = []
    first: dict[str, list[int]] = {}

    def parsed(number: int, value: object) -> str | None:
        if not context.needed[number]:
            return None
        found = parse(value)
        if found.problem:
            rows.setdefault(found.problem, []).append(number)
            details[number] = _detail(found, value)
            return None
        forms[found.form] += 1
        if len(first.setdefault(found.form, [])) < EXAMPLES:
            first[found.form].append(number)
        if found.wrapped:
            wrapped.setdefault(found.wrapped, []).append(number)
        if found.values:
            values.append(number)
        roles.update(message["role"] for message in found.messages)
        unused.update(found.unused)
        try:
            found.text.encode()
        except UnicodeEncodeError:
            halves.append(number)
            return found.text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return found.text

    texts = text_array(
        parsed(start + i, value)
        for start in range(0, len(cells), BATCH)
        for i, value in enumerate(cells.slice(start, BATCH).to_pylist())
    )
    result = Cells(texts, {code: np.array(numbers) for code, numbers in rows.items()}, {"digest": of_texts(texts)})
    for code in rows:
        text, hint = REASONS[code]
        result.findings += context.skipped(code, text, rows[code], hint, lambda row: details[row])
    text = "{n} {holds} half of a character (a truncated emoji, perhaps), which was replaced by \ufffd"
    hint, where = "Truncate texts between characters.", f"column {context.column}"
    result.findings += context.findings("warning", "half-characters", text, halves, hint, where=where)
    for how, numbers in wrapped.items():
        text, code = f"{{n}} {{has}} messages in {how}; they were parsed all the same", "conversation-notation"
        hint = "Nothing is lost. Other programs may need the messages as plain JSON."
        result.findings += context.findings("info", code, text, numbers, hint, where=where)
    text = "{n} {has} messages whose content is a number or true or false, which {was} read as text"
    hint = 'Write "content" as a text.'
    result.findings += context.findings("info", "conversation-values", text, values, hint, where=where)
    result.findings += _reading(context, forms, roles, unused, first)
    return result


def text_array(texts: Iterable[str | None]) -> pa.ChunkedArray:
    """Return texts as Arrow, in chunks that are small enough for its offsets."""
    chunks: list[pa.Array] = []
    batch: list[str | None] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text or "")
        if len(batch) >= BATCH or size > 2**28:
            chunks.append(pa.array(batch, pa.string()))
            batch, size = [], 0
    return pa.chunked_array([*chunks, pa.array(batch, pa.string())], pa.string())


def _detail(found: Parsed, value: object) -> str:
    if found.problem == UNKNOWN_ROLE:
        return f" ({join_examples([repr(role) for role in dict.fromkeys(found.unknown)])})"
    return f": {' '.join(str(value)[:200].split())[:40]!r}" if found.problem == UNREADABLE else ""


def _reading(
    context: Context, forms: Counter[str], roles: Counter[str], unused: Counter[str], first: dict[str, list[int]]
) -> list[Finding]:
    """Report how many conversations were read, in which form, and what is not used of them. first: rows of a form."""
    findings, column, where = list[Finding](), context.column, f"column {context.column}"
    if forms:
        names = {form: KEYS[form] for form in forms}
        if len(forms) > 1:
            for form in names:
                rows = join_examples([context.locations[row] for row in first[form]], forms[form], limit=EXAMPLES)
                names[form] += f": {rows}"
        shown = " and ".join(f"{n:,} in the form of {form} ({names[form]})" for form, n in forms.most_common())
        message = f"{count_with_verb(forms.total(), 'conversation', 'was')} read from the column '{column}': {shown}. "
        message += f"Messages: {', '.join(f'{n:,} {role}' for role, n in roles.most_common())}."
        fix = _as_texts(context) if forms[CHATML] else None
        hint = "The template of the model is applied to them; used as texts, they stay as they are." if fix else ""
        findings.append(Finding("info", "conversation-form", message, hint, where, fix))
    if unused:
        shown = join_examples([f"'{key}' ({pluralize(n, 'conversation')})" for key, n in unused.most_common()])
        text = "{n} of the messages {is} not used"
        message = f"{format_count(text, len(unused), 'key')}: {shown}."
        findings.append(Finding("info", "message-keys-unused", message, "", where))
    return findings


def _as_texts(context: Context) -> Fix | None:
    """Return the change by which rendered conversations are used as texts, if the task has a format for these."""
    for format in context.request.formats:
        for column in format.columns:
            if column.kind.name == RENDERED_TEXT.name:
                change = {"format": format.name, "columns": {column.role: context.column}}
                return Fix("Use them as texts", change)
    return None
