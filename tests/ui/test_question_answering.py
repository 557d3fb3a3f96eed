"""Question answering in the page: from the sample to an answer that is marked in its context."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import App, Page, sync_api

expect = sync_api.expect
QA = "#extractive-question-answering"


def test_from_the_sample_to_an_answer(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Text", exact=True).click()
    page.get_by_role("tab", name="Question answering", exact=True).click()
    page.locator(f"{QA}-sample-0").click()
    expect(page.locator(f"{QA}-detected")).to_contain_text("Ready to train")
    expect(page.locator(".at-answers mark").first).to_be_visible()
    page.locator(f"{QA}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    page.locator(f"{QA}-epochs input").fill("2")

    # With short windows a context has several; the preview shows them with the answers in them.
    page.locator(f"{QA}-max-seq-length input").fill("40")
    page.locator(f"{QA}-preview-box > button").click()
    page.locator(f"{QA}-preview-show").click()
    expect(page.locator(f"{QA}-preview .at-answers mark").first).to_be_visible()
    expect(page.locator(f"{QA}-preview")).to_contain_text("window 2 of")

    page.locator(f"{QA}-model-next").click()
    page.locator(f"{QA}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=180_000)
    expect(page.locator("#run-report")).to_contain_text("Errors by kind")
    expect(page.locator("#run-samples .at-answers > li")).to_have_count(6)

    # An example fills both inputs.
    offered = page.locator("button.at-example")
    expect(offered).to_have_count(3)
    question = offered.nth(1).inner_text()
    offered.nth(1).click()
    expect(page.locator("#try-it-question textarea")).to_have_value(question)
    expect(page.locator("#try-it-context textarea")).not_to_have_value("")
    expect(page.locator("#try-it-prediction .at-answers")).to_contain_text(question)

    page.locator("#try-it-question textarea").fill("How much is a ticket?")
    page.locator("#try-it-context textarea").fill("")
    page.locator("#try-it-ask").click()
    expect(page.locator("#try-it-prediction")).to_contain_text("An input is missing: the context")
