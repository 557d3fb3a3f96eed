"""A verb's section of the page: partial results are shown until the result replaces them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from autotrain_gradio.core.panels import RenderContext
from autotrain_gradio.tasks.verbs import Verb
from autotrain_gradio.ui import background_task
from autotrain_gradio.ui.run_verbs import _VerbSection


def test_a_partial_result_is_shown_until_the_result_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_task, "MIN_INTERVAL_SECONDS", 0.0)
    shown, reported = threading.Event(), threading.Event()

    class Service:
        def call(
            self, *given: Any, progress: Callable[[str, float], None], on_found: Callable[[Any], None]
        ) -> dict[str, int]:
            on_found({"words": 3})
            assert shown.wait(10)
            progress("Counting the rest", 0.5)
            assert reported.wait(10)
            return {"words": 77}

    context: Any = SimpleNamespace(
        service=Service(), owner=lambda visitor: "local", render_context=lambda run: RenderContext()
    )
    group: Any = SimpleNamespace(values=lambda values: {})
    seen = []
    for html, _ in _VerbSection(context, Verb("count", "toy.count")).call(group, "run", ""):
        seen.append(html)
        if "Partial result received" in html:
            shown.set()
        if "Counting the rest" in html:
            reported.set()
    partial = next(html for html in seen if "Partial result received" in html)
    later = next(html for html in seen if "Counting the rest" in html)
    assert ">3<" in partial and ">3<" in later
    assert ">77<" in seen[-1] and ">3<" not in seen[-1] and "at-busy" not in seen[-1]
