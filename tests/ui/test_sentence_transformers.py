"""Sentence transformers in the page: from the sample to a search with the model before and after."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import App, Page, sync_api

expect = sync_api.expect
EMBEDDINGS = "#sentence-transformers"


def test_from_the_sample_to_a_search_before_and_after(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Text", exact=True).click()
    page.get_by_role("tab", name="Embeddings", exact=True).click()
    page.locator(f"{EMBEDDINGS}-sample-0").click()
    expect(page.locator(f"{EMBEDDINGS}-detected")).to_contain_text("Ready to train")
    page.locator(f"{EMBEDDINGS}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    page.locator(f"{EMBEDDINGS}-epochs input").fill("3")
    page.locator(f"{EMBEDDINGS}-preview-box > button").click()
    page.locator(f"{EMBEDDINGS}-preview-show").click()
    expect(page.locator(f"{EMBEDDINGS}-preview")).to_contain_text("First texts: lengths in tokens")
    page.locator(f"{EMBEDDINGS}-model-next").click()
    page.locator(f"{EMBEDDINGS}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=240_000)
    expect(page.locator("#run-report")).to_contain_text("Before and after")
    expect(page.locator("#run-report")).to_contain_text("Queries with the worst rank")

    page.locator("#try-it-sentence1 textarea").fill("my gribble sulks again")
    page.locator("#try-it-ask").click()
    answer = page.locator("#try-it-prediction")
    expect(answer).to_contain_text("The closest of 168 texts of the data.", timeout=120_000)
    expect(answer).to_contain_text("rank by the base model")
    expect(answer.locator("table tbody tr")).to_have_count(10)
