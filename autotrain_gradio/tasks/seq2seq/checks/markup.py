"""HTML in texts: tags and entities, which a model would learn to read and to write."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import matches
from autotrain_gradio.data.values.labels import quoted

TAG = (
    r"(?i)</?(a|b|i|p|br|div|span|em|strong|ul|ol|li|h[1-6]|table|tr|td|th|img|script|font|sub|sup|hr|html|body)"
    r"(\s[^<>]*)?/?>"
)
ENTITY = r"&(amp|lt|gt|quot|apos|nbsp|[a-z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,6});"


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report texts with tags or entities of HTML, for each side."""
    for role, cells in rows.cells.items():
        if not rows.columns[role].kind.texts:
            continue
        found = (matches(cells.values, TAG, "<") | matches(cells.values, ENTITY, "&")) & rows.needed
        marked = found.nonzero()[0]
        text, hint = "{n} {has} HTML tags or entities", "Convert them to plain text, or the model will write them, too."
        first = [cells.values[int(row)].as_py() for row in marked[:1]]
        shown = "".join(pc.utf8_slice_codeunits(value, 0, 60).as_py() for value in first)
        detail = f", such as {quoted(' '.join(shown.split()))}" if shown else ""
        yield from rows.findings(
            "warning", "text-html", text + detail, marked, hint, noun=rows.columns[role].title.lower()
        )
