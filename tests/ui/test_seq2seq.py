"""Text to text in the page: from the sample to a translation."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import App, Page, sync_api

expect = sync_api.expect
TEXT = "#seq2seq"


def test_from_the_sample_to_a_translation(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Text", exact=True).click()
    page.get_by_role("tab", name="Text to text", exact=True).click()
    page.locator(f"{TEXT}-sample-0").click()
    expect(page.locator(f"{TEXT}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{TEXT}-findings")).to_contain_text("translate from English to Esperanto")
    page.locator(f"{TEXT}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    expect(page.locator(f"{TEXT}-epochs input")).to_have_value("20")
    page.locator(f"{TEXT}-epochs input").fill("4")
    page.locator(f"{TEXT}-max-target-length input").fill("8")
    page.locator(f"{TEXT}-preview-box > button").click()
    page.locator(f"{TEXT}-preview-show").click()
    expect(page.locator(f"{TEXT}-preview .at-tokens del").first).to_be_visible()
    expect(page.locator(f"{TEXT}-preview")).to_contain_text("truncated targets")
    page.locator(f"{TEXT}-model-next").click()
    page.locator(f"{TEXT}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=180_000)
    expect(page.locator("#run-report")).to_contain_text("Kinds of errors")
    expect(page.locator("#run-samples .at-transcripts li")).to_have_count(6)
    page.locator("#try-it-text textarea").fill("The cat sees a bird.")
    page.locator("#try-it-ask").click()
    expect(page.locator("#try-it-prediction .at-answer")).to_be_visible()
    expect(page.locator("button.at-example")).to_have_count(3)
