"""The list of runs: one page at a time, unreadable runs with their reason, and no trust in what a browser sends."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.ui import runs_tab
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.runs_tab import RunsTab, render_runs

SPEC = {"task": "image-classification", "project_name": "shapes", "model": "tiny", "data": {"path": "shapes"}}


@pytest.fixture
def tab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(runs_tab, "PAGE_ROWS", 3)
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    for _ in range(7):
        run = service.store.create("image-classification", "local", SPEC)
        run.freeze(SPEC)
        run.begin(run.enqueue(resume=False))
        run.close_attempt(1, "failed", "It fell.")
    with gr.Blocks():
        yield RunsTab.build(PageContext(service))
    service.close()


def shown(html: str) -> list[str]:
    return re.findall(r"data-action='open' data-run='([^']+)'", html)


def click(tab: RunsTab, offset: Any, **data: Any) -> Any:
    return tab.act("", offset, SimpleNamespace(_data=data)).get(tab.offset)  # type: ignore[arg-type]


def test_a_page_at_a_time_in_both_directions(tab: RunsTab) -> None:
    names = [row["id"] for row in tab.context.service.runs()]
    offset, seen = 0, []
    for begin, end in ((1, 3), (4, 6), (7, 7)):
        html = tab.refresh("", None, offset)[0]
        assert f"Runs {begin} to {end} of 7" in html
        assert ("data-action='newer' disabled" in html) == (begin == 1)
        assert ("data-action='older' disabled" in html) == (end == 7)
        seen += shown(html)
        offset = click(tab, offset, action="older")
    assert seen == names
    assert shown(tab.refresh("", None, offset)[0]) == names[6:]  # there are no older ones: the last page stays
    assert click(tab, 3, action="newer") == 0 and click(tab, 0, action="newer") == 0


def test_the_runs_read_so_far_are_shown_while_the_index_is_made(tab: RunsTab) -> None:
    page = tab.context.service.runs_page(limit=3)
    assert "Reading" not in render_runs(page, {})
    html = render_runs({**page, "unread": 8200}, {})
    assert "Reading 8,200 more runs …" in html and len(shown(html)) == 3
    empty = render_runs({"rows": [], "total": 0, "offset": 0, "unread": 1}, {})
    assert "Reading 1 more run …" in empty and "No runs yet" not in empty


def test_the_offset_follows_a_list_that_has_become_shorter(tab: RunsTab) -> None:
    assert tab.refresh("", None, 6)[2] == 6
    for name in [row["id"] for row in tab.context.service.runs()][:4]:
        tab.context.service.delete(name)
    html, _, offset = tab.refresh("", None, 6)
    assert len(shown(html)) == 3
    assert offset == 0


def test_a_list_that_has_not_changed_is_not_sent_again(tab: RunsTab) -> None:
    html, digest, _ = tab.refresh("", None, 0)
    assert shown(html)
    assert tab.refresh("", digest, 0)[0] != html
    tab.context.service.delete(shown(html)[0])
    assert shown(tab.refresh("", digest, 0)[0]) != shown(html)


def test_an_unreadable_run_shows_its_reason_and_a_short_list_no_pages(tab: RunsTab) -> None:
    service = tab.context.service
    names = [row["id"] for row in service.runs()]
    for name in names[3:]:
        service.delete(name)
    (service.settings.runs / names[1] / "spec.json").write_text("null")
    page = service.runs_page(limit=3)
    html = render_runs(page, {t.name: t for t in service.tasks})
    assert set(shown(html)) == set(names[:3]) and "at-pages" not in html
    assert "Unreadable" in html and "spec.json is damaged: it contains null" in html


def test_a_list_that_has_not_changed_is_not_rendered_again(tab: RunsTab, monkeypatch: pytest.MonkeyPatch) -> None:
    html, digest, offset = tab.refresh("", None, 0)
    monkeypatch.setattr(runs_tab, "render_runs", lambda *_: pytest.fail("rendered again"))
    assert tab.refresh("", digest, offset) == (gr.skip(),) * 3
    monkeypatch.undo()
    tab.context.service.delete(shown(html)[0])
    assert shown(tab.refresh("", digest, offset)[0])[:2] == shown(html)[1:]
