"""Findings on the page: a button for each fix, whose number finds its change."""

from __future__ import annotations

import json
import re

from autotrain_gradio.cli.console import findings_text
from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.ui.messages import changes_of_fixes, findings

GUESSED = Finding(
    "warning",
    "encoding-guessed",
    "It is Cyrillic (cp1251).",
    fix=Fix("Confirm cp1251", {"encoding": "cp1251"}),
    alternatives=tuple(
        Fix(f"Use {name}", {"encoding": name}, f"In {name}, 'a' is 'b'.") for name in ("koi8-r", "cp1252")
    ),
)
FOUND = [
    Finding("info", "plain", "No fix."),
    GUESSED,
    Finding("error", "no-header", "There is no header.", fix=Fix("Number them", {"options": {"header": False}})),
]


def test_the_number_of_a_button_finds_the_change_of_its_fix() -> None:
    stored = json.loads(json.dumps([f.to_dict() for f in FOUND]))
    html, changes = findings(stored, fixes=True), changes_of_fixes(stored)
    buttons = {label: int(n) for n, label in re.findall(r"data-fix='(\d+)'>([^<]+)<", html)}
    assert {label: changes[n] for label, n in buttons.items()} == {
        "Confirm cp1251": {"encoding": "cp1251"},
        "Use koi8-r": {"encoding": "koi8-r"},
        "Use cp1252": {"encoding": "cp1252"},
        "Number them": {"options": {"header": False}},
    }
    assert html.index("no header") < html.index("Cyrillic") < html.index("No fix"), "errors come first"
    assert html.index("In koi8-r, ") < html.index("Use koi8-r") < html.index("In cp1252, ")
    assert "data-fix" not in findings(stored)


def test_alternatives_are_part_of_the_text_and_survive_storing() -> None:
    stored = GUESSED.to_dict()
    assert Finding.from_dict(json.loads(json.dumps(stored))) == GUESSED
    assert str(GUESSED).endswith("In koi8-r, 'a' is 'b'. In cp1252, 'a' is 'b'.")
    assert findings_text([stored]).splitlines()[-1] == "  In cp1252, 'a' is 'b'."
    assert FOUND[0].to_dict().keys().isdisjoint({"fix", "alternatives"})
