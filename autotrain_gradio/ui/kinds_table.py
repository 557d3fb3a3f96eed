"""The table in which a person says what each column of a table holds, where that was not recognised well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import find_panel, in_unit

KINDS = {
    "number": "a number",
    "category": "a category",
    "date": "a date",
    "text": "a text",
    "id": "an id: not learnt from",
    "ignore": "to be ignored",
}
PANEL = "columns"
"""Id of the panel with the same facts (`data.kinds.feature_panels`): it is not drawn beside this table."""
SHOWN = 500
HELP = (
    "<p class='at-quiet'>What each column holds was recognised from its cells. Correct what is wrong; a change is "
    "checked at once.</p>"
)


def features(check: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a check that are learnt from, in the order of the data, and what their values are."""
    panel = find_panel(check.get("profile"), PANEL) or {"rows": []}
    values = {row[0]: row[-1] for row in panel["rows"]}
    return [{**c, "values": values.get(c["name"], "")} for c in check.get("columns") or [] if c.get("feature") in KINDS]


def html(columns: Sequence[Mapping[str, Any]]) -> str:
    """Draw the table; columns: of a check, each with `name, feature, guessed, missing, distinct, examples, values`."""
    if not columns:
        return ""
    rows = "".join(_row(number, column) for number, column in enumerate(columns[:SHOWN]))
    more = len(columns) - SHOWN
    note = f"<p class='at-note'>and {more:,} more: name them in data.options.kinds.</p>" if more > 0 else ""
    return (
        f"{HELP}<div class='at-scroll' tabindex='0' role='region' aria-label='What the columns hold'>"
        "<table class='at-table at-kinds'><thead><tr><th scope='col'>Column</th><th scope='col'>holds</th>"
        "<th scope='col' class='at-num'>different</th><th scope='col' class='at-num'>missing</th>"
        f"<th scope='col'>values</th></tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def change(columns: Sequence[Mapping[str, Any]], kinds: Any, told: Any) -> dict[str, str] | None:
    """Return `data.options.kinds` with a change that the browser sent; None when it makes no sense.

    kinds: those that were said before.
    """
    number, kind = (told.get("column"), told.get("kind")) if isinstance(told, Mapping) else (None, None)
    if not isinstance(number, int) or not 0 <= number < len(columns) or kind not in KINDS:
        return None
    return {**(kinds if isinstance(kinds, dict) else {}), str(columns[number]["name"]): str(kind)}


def _row(number: int, column: Mapping[str, Any]) -> str:
    name, kind = str(column["name"]), str(column["feature"])
    options = "".join(
        f"<option value='{k}'{' selected' if k == kind else ''}>{escape(words)}</option>" for k, words in KINDS.items()
    )
    said = "" if column.get("guessed", True) else "<small>as you said</small>"
    said = f"<small>{escape(in_unit(str(column['unit'])))}</small>{said}" if column.get("unit") else said
    texts = [str(e) for e in list(column.get("examples") or [])[:3]]
    examples = ", ".join(t if len(t) <= 24 else f"{t[:23]}…" for t in texts)
    # Of a column that is not used there is nothing but examples.
    values = str(column.get("values") or "") if kind not in {"id", "ignore"} else ""
    return (
        f"<tr><th scope='row'>{escape(name)}</th><td><select data-column='{number}' "
        f"aria-label='What {escape(name, quote=True)} holds'>{options}</select>{said}</td>"
        f"<td class='at-num'>{int(column.get('distinct') or 0):,}</td>"
        f"<td class='at-num'>{int(column.get('missing') or 0):,}</td><td>{escape(values or examples)}</td></tr>"
    )
