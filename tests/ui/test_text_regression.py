"""Text regression in the page: from the sample with three scores to an answer."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import App, Page, sync_api

expect = sync_api.expect
TEXT = "#text-regression"


def test_from_the_sample_with_three_scores_to_an_answer(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Text", exact=True).click()
    page.get_by_role("tab", name="Text regression").click()
    page.locator(f"{TEXT}-sample-1").click()
    expect(page.locator(f"{TEXT}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{TEXT}-findings")).to_contain_text("'room', 'food', 'service' were taken as the target")
    page.locator(f"{TEXT}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    page.locator(f"{TEXT}-epochs input").fill("3")
    page.locator(f"{TEXT}-model-next").click()
    page.locator(f"{TEXT}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=180_000)
    report = page.locator("#run-report")
    plots = ("Predicted against true: room", "Distribution of the residuals: food")
    for title in ("Each target", *plots, "Largest errors"):
        expect(report).to_contain_text(title)
    expect(page.locator("#run-samples table tbody tr")).to_have_count(8)

    page.locator("#try-it-text textarea").fill("The soup was cold, and the room was spotless.")
    page.locator("#try-it-ask").click()
    for name in ("room", "food", "service"):
        expect(page.locator("#try-it-prediction .at-numbers")).to_contain_text(name)
