"""Panel kinds: looked up by name, open to others, and forgiving about what they do not know."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from html import escape
from typing import Any

import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import KINDS, Panel, PanelKind, RenderContext, render_html, render_text
from autotrain_gradio.ui import run_html


@pytest.fixture()
def gauge(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Register a panel kind that no module of the app knows."""
    module = types.ModuleType("gauge_panel")
    module.html = lambda panel, context: f"<meter value='{panel['value']}'>{escape(panel['word'])}</meter>"  # type: ignore[attr-defined]
    module.text = lambda panel, context: f"  [{'#' * panel['value']}] {panel['word']}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gauge_panel", module)
    monkeypatch.setattr(KINDS, "_items", dict(KINDS._items))
    KINDS.add(PanelKind("gauge", "gauge_panel"))
    yield "gauge"


def test_a_registered_kind_is_rendered_as_html_and_text(gauge: str, capsys: pytest.CaptureFixture[str]) -> None:
    panel: Panel = panels.new_panel(gauge, "Pressure", value=3, word="high & rising")
    page = run_html.render_report({"id": "run", "report": [panel], "attempt": 1})
    assert "<meter value='3'>high &amp; rising</meter>" in page and "<h3>Pressure</h3>" in page

    class Service:
        settings: Any = types.SimpleNamespace(runs=__import__("pathlib").Path("runs"))

        def snapshot(self, run: str) -> dict[str, Any]:
            base = {"project_name": "p", "task_title": "t", "model": "m", "state": "completed", "title": "Completed"}
            return {**base, "error": None, "reason": None, "metrics": {}, "report": [panel], "progress": None}

    commands._print_run(Service(), "run")  # type: ignore[arg-type]
    assert "Pressure\n  [###] high & rising" in capsys.readouterr().out


def test_an_unknown_kind_is_rendered_as_a_note() -> None:
    panel = {"kind": "hologram", "title": "From a package that was removed", "note": "Stored."}
    for drawn in (render_html(panel), render_text(panel)):
        assert "hologram" in drawn and "not installed" in drawn and "Stored." in drawn


def test_duplicate_names_are_refused() -> None:
    KINDS.add(PanelKind("numbers", "autotrain_gradio.core.panels.numbers"))  # the same again
    with pytest.raises(ValueError, match="numbers"):
        KINDS.add(PanelKind("numbers", "elsewhere.numbers"))


def test_panels_without_an_id_get_that_of_their_title() -> None:
    assert panels.numbers("Most confident mistakes", {})["id"] == "most-confident-mistakes"
    assert panels.numbers("Anything", {}, id="overview")["id"] == "overview"
    assert panels.markdown("prose")["id"] == "markdown"
    stored = [{"kind": "numbers", "title": "Overview", "items": []}]
    assert panels.find_panel(stored, "overview") is stored[0]
    assert 'data-panel="overview"' in render_html(stored[0])
    assert panels.find_panel(stored, "columns") is None and panels.find_panel(None, "overview") is None


def test_panels_stored_by_the_earlier_version_still_render() -> None:
    old: list[Panel] = [
        {"kind": "numbers", "title": "Results", "note": "", "items": [{"label": "accuracy", "value": 0.5}]},
        {"kind": "lines", "title": "Loss", "x": "step", "y": "", "series": {"loss": [[1, 2.0]]}},
        {"kind": "table", "title": "T", "note": "", "columns": ["a"], "rows": [["b"]]},
        {"kind": "markdown", "title": "", "text": "**x**"},
    ]
    for panel in old:
        assert "<section" in render_html(panel) and render_text(panel, RenderContext(rows=3))
