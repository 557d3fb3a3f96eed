"""Inputs to try a model with: texts that its training has shown predictions of, and did not learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.tasks.base import Input

OFFERED = 3

SCRIPT = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) trigger('submit', {text: button.textContent});
});
"""


def texts(snapshot: Mapping[str, Any], inputs: Sequence[Input]) -> list[str]:
    """Return texts of the latest sample predictions, where a task asks for one text: the shortest ones, as they were
    shown (a long one is cut). None where there was no evaluation."""
    samples = snapshot.get("samples") or []
    if not samples or len(inputs) != 1:
        return []
    shown = dict.fromkeys((samples[-1]["panel"].get("examples") or {}).get(inputs[0].name) or [])
    return sorted(shown, key=len)[:OFFERED]


def html(found: Sequence[str]) -> str:
    """Draw each text as a button; of none nothing."""
    if not found:
        return ""
    buttons = "".join(f"<li><button type='button' dir='auto'>{escape(text)}</button></li>" for text in found)
    return f"<p class='at-note'>Or one of the validation part, with a click:</p><ul class='at-examples'>{buttons}</ul>"


def chosen(told: Any) -> str:
    """Return the text that the browser sent; nothing in it is trusted to be of any form."""
    text = told.get("text") if isinstance(told, Mapping) else None
    return text if isinstance(text, str) else ""
