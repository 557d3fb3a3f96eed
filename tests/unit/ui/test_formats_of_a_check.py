"""The second step offers the formats of a task that has several, and the columns of the one that is used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.data.catalog import TEXT
from autotrain_gradio.data.declarations import Column, Format
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui import check_view
from tests.ui.tab_steps import build_steps

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


@pytest.mark.filterwarnings("error:The value passed into gr.Dropdown")
@pytest.mark.parametrize("name", ["text-classification", "tabular-classification"])
def test_the_columns_of_a_check_are_choices_of_their_dropdowns(tmp_path: Path, name: str) -> None:
    task = registry().get(name)
    roles = [column.role for column in task.columns]
    check = {
        "columns": [{"name": role, "kind": "text", "examples": []} for role in roles],
        "mapping": {role: [role] for role in roles},
        "findings": [],
    }
    service = Service(Settings(home=tmp_path), dispatch=False)
    try:
        result = build_steps(service, task).check.result
        updates = result.update(check_view.view(task, "draft", check))
        assert all(updates[c.dropdown].multiselect == c.column.many for c in result.columns)
    finally:
        service.close()


def test_dropdowns_of_other_formats_are_hidden_and_another_format_can_be_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = replace(IMAGES, columns=(), formats=FORMATS)
    service = Service(Settings(home=tmp_path), dispatch=False)
    try:
        steps = build_steps(service, task)
        result = steps.check.result
        updates = result.update(check_view.view(task, "draft", CHECK))
        dropdowns = {choice.column.role: choice.dropdown for choice in result.columns}
        assert not updates[dropdowns["prompt"]].visible and updates[dropdowns["text"]].visible
        assert result.format is not None and updates[result.format].value == "plain"

        checked: list[dict[str, Any]] = []
        monkeypatch.setattr(service, "check", lambda draft, spec, *of, **more: checked.append(spec["data"]) or CHECK)
        data = {"source": "upload", "path": "x", "columns": {"text": "body", "prompt": "question"}}
        form = {steps.session.form.data: data, steps.session.draft: "draft", result.format: "pairs"}
        list(steps.check.switch_format({**steps.values(), **form}))
        assert checked[0]["format"] == "pairs" and checked[0]["columns"] == {"prompt": "question"}
    finally:
        service.close()
