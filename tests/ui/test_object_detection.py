"""The slider above detected boxes."""

from __future__ import annotations

from collections.abc import Callable

from autotrain_gradio.core.panels import render_html
from autotrain_gradio.tasks.object_detection.boxes_panel import boxes_panel
from tests.browser import TASK, App, Page, sync_api

expect = sync_api.expect
Visit = Callable[..., Page]


def test_the_slider_shows_and_hides_boxes_by_their_score(app: App, visit: Visit) -> None:
    boxes = [{"box": [10 * n, 5, 10 * n + 8, 30], "label": "cat", "score": s} for n, s in enumerate((0.9, 0.6, 0.2))]
    item = {"file": "x.jpg", "width": 100, "height": 50}
    one = boxes_panel("One", [{**item, "boxes": boxes}], id="one", threshold=0.5)
    other = boxes_panel("Other", [{**item, "boxes": boxes}], id="other", threshold=0.5)
    page = visit(app.url)
    expect(page.locator(f"{TASK}-sample-0")).to_be_visible()  # the page's script runs now
    page.evaluate("html => document.body.insertAdjacentHTML('afterbegin', html)", render_html(one) + render_html(other))
    first, second = page.locator("[data-panel=one]"), page.locator("[data-panel=other]")
    shown = "g[data-score]:visible"
    expect(first.locator(shown)).to_have_count(2)
    first.get_by_label("Confidence threshold").fill("0.1")
    expect(first.locator(shown)).to_have_count(3)
    expect(first.locator(".at-box-threshold")).to_contain_text("3 of 3 boxes")
    first.get_by_label("Confidence threshold").press("End")
    expect(first.locator(shown)).to_have_count(0)
    expect(first.locator(".at-box-threshold output")).to_have_text("1.00")
    expect(second.locator(shown)).to_have_count(2)  # each panel has its own
