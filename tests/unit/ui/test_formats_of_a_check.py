"""The second step offers the formats of a task that has several, and the columns of the one that is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from autotrain_gradio.data.catalog import TEXT
from autotrain_gradio.data.declarations import Column, Format
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui import check_updates, check_view

PROMPT, COMPLETION, PLAIN = (
    Column(role, role.title(), TEXT, purpose="input") for role in ("prompt", "completion", "text")
)
FORMATS = (Format("pairs", "Prompt and completion", (PROMPT, COMPLETION)), Format("plain", "Text", (PLAIN,)))
IMAGES = registry().get("image-classification")
CHECK: dict[str, Any] = {
    "columns": [{"name": "body", "kind": "text", "examples": []}],
    "mapping": {"text": ["body"]},
    "format": {
        "name": "plain",
        "title": "Text",
        "reason": "the data has the column body",
        "others": [{"name": "pairs", "title": "Prompt and completion", "missing": ["Prompt", "Completion"]}],
    },
    "findings": [],
}


def test_the_view_has_the_format_its_reason_and_only_its_columns() -> None:
    view = check_view.view(replace(IMAGES, formats=FORMATS), "draft", CHECK)
    assert view.format == "plain" and list(view.columns) == ["text"]
    assert view.format_note == "The data has the column body. Prompt and completion needs Prompt, Completion."


def test_a_check_of_an_earlier_version_shows_the_columns_of_the_task() -> None:
    old = {k: v for k, v in CHECK.items() if k != "format"}
    view = check_view.view(IMAGES, "draft", old)
    assert list(view.columns) == [c.role for c in IMAGES.columns] and view.format == view.format_note == ""


def test_dropdowns_of_other_formats_are_hidden() -> None:
    view = check_view.view(replace(IMAGES, formats=FORMATS), "draft", CHECK)
    updates = check_updates.column_updates([(PROMPT, "a"), (PLAIN, "b")], view)
    assert isinstance(updates["a"], gr.Dropdown) and not updates["a"].visible and updates["b"].visible
