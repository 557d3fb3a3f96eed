"""The result of a verb as panels: panels of the verb's own, else its JSON data as text, numbers or a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from autotrain_gradio.core.panels import KINDS, Panel, numbers, table, text_block
from autotrain_gradio.core.predictions import flatten


def is_panel(item: Any) -> bool:
    """Return whether an item of JSON data is a panel of a registered kind."""
    return isinstance(item, Mapping) and item.get("kind") in KINDS


def result_panels(items: Iterable[Any]) -> list[Panel]:
    """Return the panels of a verb's items; a result that is not streamed is the only item.

    Panels, and the `panels` of a prediction, are kept. Consecutive strings (tokens of a text) become one text,
    consecutive objects a table with a row each, a single object its values by name, everything else JSON as text.
    Empty items have no panel.
    """
    found: list[Panel] = []
    for form, group in groupby(_expand(items), key=_form):
        if form == "panel":
            found += [dict(item) for item in group]
        elif form == "text":
            found += _text("".join(group))
        elif form == "object":
            found += _objects([flatten(item) for item in group])
        else:
            found += _text("\n".join(json.dumps(item, ensure_ascii=False) for item in group))
    return found


def _expand(items: Iterable[Any]) -> Iterable[Any]:
    """Yield the items; of a list its elements, and of a prediction its panels."""
    for item in items:
        if isinstance(item, Mapping) and not is_panel(item) and isinstance(item.get("panels"), list):
            yield from item["panels"]
        elif isinstance(item, list) and any(isinstance(element, Mapping) for element in item):
            yield from _expand(item)
        else:
            yield item


def _form(item: Any) -> str:
    if is_panel(item):
        return "panel"
    return "text" if isinstance(item, str) else "object" if isinstance(item, Mapping) else "other"


def _text(text: str) -> list[Panel]:
    return [text_block("", text)] if text.strip() else []


def _objects(rows: Sequence[Mapping[str, Any]]) -> list[Panel]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return []
    if len(rows) == 1:
        return [numbers("", rows[0])]
    return [table("", names, [[row.get(name) for name in names] for row in rows])]
