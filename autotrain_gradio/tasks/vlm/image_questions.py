"""Check: rows with the same image belong in the same split, and placeholders of images need an image.

It also stores width and height of the images with the rows, so that lengths in tokens are known without decoding.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.catalog import CONVERSATION, IMAGE, TEXT
from autotrain_gradio.data.checks.conversations import DROPPED, KEPT, turn_faults
from autotrain_gradio.data.kinds.conversation_messages import messages_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

PLACEHOLDER = "<image>"
"""Where a prompt of LLaVA's data refers to the image."""
TOO_MANY = "image-placeholders-extra"
SKIPPED = {TOO_MANY: "the prompt refers to more images than the row has"}


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Drop prompts with more placeholders than images; report images of both given splits. Runs before the split."""
    role = next(r for r in rows.cells if rows.kinds[r].name == IMAGE.name)
    cells = rows.cells[role]
    talk = next((r for r in rows.cells if rows.kinds[r].name == CONVERSATION.name), None)
    if talk is not None:
        yield from _turns(rows, talk)
    for prompt in (r for r in rows.having("input") if rows.kinds[r].name in {TEXT.name, CONVERSATION.name}):
        counts = np.array([str(value or "").count(PLACEHOLDER) for value in rows.cells[prompt].to_list()])
        extra = np.flatnonzero((counts > 1) & rows.needed)
        rows.drop(extra, TOO_MANY)
        text = f"{{n}} {{has}} more placeholders {PLACEHOLDER} than images; {{it}} {{was}} skipped"
        hint = "Leave one placeholder in the prompt, or none: the image then comes first."
        yield from rows.findings("warning", TOO_MANY, text, extra, hint, noun="prompt")
    for name in ("width", "height"):
        cells.facts[name] = np.array([value or 0 for value in cells.facts[name]], dtype=np.int32)
    cells.stored_facts = ("width", "height")
    yield from _both_splits(rows, role)


def _turns(rows: Rows, role: str) -> Iterator[Finding]:
    """Drop conversations from which nothing can be learned, and report others whose turns a template may refuse."""
    faults: dict[str, list[int]] = {}
    needed = rows.needed
    for number, cell in enumerate(rows.cells[role].to_list()):
        for code in turn_faults(messages_of(cell)) if needed[number] and cell is not None else ():
            faults.setdefault(code, []).append(number)
    for code, (text, hint) in DROPPED.items():
        found = faults.get(code, [])
        rows.drop(np.array(found, dtype=np.int64), code)
        yield from rows.findings("warning", code, text + "; {it} {was} skipped", found, hint)
    for code, (level, text, hint) in KEPT.items():
        yield from rows.findings(level, code, text, faults.get(code, []), hint)


def _both_splits(rows: Rows, role: str) -> Iterator[Finding]:
    """Keep the rows of an image in one split, and report images that both given splits have."""
    cells, used = rows.cells[role], rows.indices()
    content = np.asarray(cells.content())
    cells.facts["group"] = np.where(content < 0, np.arange(len(rows)) + len(rows), content).astype(np.int64)
    inputs = [r for r in rows.having("input") if r != role]
    if not inputs:
        return  # the check of duplicates reports equal images
    known = set(content[used[~rows.validation[used]]].tolist()) - {-1}
    shared = np.array([i for i in used[rows.validation[used]].tolist() if content[i] in known], dtype=np.int64)
    text = "{n} {has} an image that the training split has too. The results will look better than they are"
    hint = "Move all rows of an image into one of the two splits."
    yield from rows.findings("warning", "image-in-both-splits", text, shared, hint, noun="validation row")
