"""A verb's section of the page: partial results are shown until the result replaces them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from autotrain_gradio.core.panels import RenderContext
from autotrain_gradio.tasks.verbs import Verb
from autotrain_gradio.ui import background_task, run_verbs
from autotrain_gradio.ui.run_verbs import _VerbSection

GROUP: Any = SimpleNamespace(values=lambda values: {})


def context_of(service: Any) -> Any:
    """Return the part of a page's context that a section uses."""
    return SimpleNamespace(service=service, owner=lambda visitor: "local", render_context=lambda run: RenderContext())


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

    seen = []
    for html, _ in _VerbSection(context_of(Service()), Verb("count", "toy.count")).call(GROUP, "run", ""):
        seen.append(html)
        if "Partial result received" in html:
            shown.set()
        if "Counting the rest" in html:
            reported.set()
    partial = next(html for html in seen if "Partial result received" in html)
    later = next(html for html in seen if "Counting the rest" in html)
    assert ">3<" in partial and ">3<" in later
    assert ">77<" in seen[-1] and ">3<" not in seen[-1] and "at-busy" not in seen[-1]


@pytest.mark.parametrize("slow_render", [False, True])
def test_updates_of_a_long_stream_are_limited_in_bytes_and_rendering(
    monkeypatch: pytest.MonkeyPatch, slow_render: bool
) -> None:
    monkeypatch.setattr(background_task, "MIN_INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(run_verbs, "UPDATE_SECONDS", 0.0)
    monkeypatch.setattr(run_verbs, "BYTES_PER_SECOND", 1e9 if slow_render else 20_000)
    rendering = []

    class Section(_VerbSection):
        def _shown(self, items: Sequence[Any], run: str) -> str:
            began = time.perf_counter()
            time.sleep(0.05 if slow_render else 0.0)
            html = super()._shown(items, run)
            rendering.append(time.perf_counter() - began)
            return html

    class Service:
        def stream(self, *given: Any, progress: Callable[[str, float], None]) -> Iterator[str]:
            end = time.monotonic() + 1.0
            while time.monotonic() < end:
                yield "word " * 10
                time.sleep(0.002)

    began = time.monotonic()
    section = Section(context_of(Service()), Verb("count", "toy.count", streams=True))
    updates = [html for html, _ in section.call(GROUP, "run", "")]
    seconds = time.monotonic() - began
    assert updates[-1].count("word") > 200 and "at-busy" not in updates[-1]
    if slow_render:
        assert sum(rendering[:-2]) < 0.25 * seconds + 0.1
    else:
        assert len("".join(updates[:-2])) < 20_000 * seconds + 1_000 * len(updates)


def test_the_latest_items_are_shown_while_others_arrive_and_all_of_them_at_the_end() -> None:
    class Service:
        def stream(self, *given: Any, progress: Callable[[str, float], None]) -> Iterator[dict[str, int]]:
            for number in range(1000):
                yield {"number": number, "square": number * number}
            time.sleep(3 * run_verbs.UPDATE_SECONDS)

    section = _VerbSection(context_of(Service()), Verb("count", "toy.count", streams=True))
    began = time.monotonic()
    updates = [html for html, _ in section.call(GROUP, "run", "")]
    seconds = time.monotonic() - began
    assert len(updates) <= 3 + seconds / run_verbs.UPDATE_SECONDS
    last, end = updates[-2], updates[-1]
    assert "at-busy" in last and "<th>999<" in last.replace(" scope='row'", "") and "<th>1<" not in last
    assert end.count("<tr>") > 400 > last.count("<tr>") > 100
