"""Text classification in the page: from the sample with several labels to an answer."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser import App, Page, sync_api

expect = sync_api.expect
TEXT = "#text-classification"


def test_from_the_sample_with_several_labels_to_an_answer(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Text", exact=True).click()
    page.locator(f"{TEXT}-sample-1").click()
    expect(page.locator(f"{TEXT}-detected")).to_contain_text("Ready to train")
    page.locator(f"{TEXT}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    expect(page.locator(f"{TEXT}-epochs input")).to_have_value("10")
    page.locator(f"{TEXT}-epochs input").fill("4")

    # What a shorter reading cuts off is struck out.
    page.locator(f"{TEXT}-max-seq-length input").fill("16")
    page.locator(f"{TEXT}-preview-box > button").click()
    page.locator(f"{TEXT}-preview-show").click()
    tokens = page.locator(f"{TEXT}-preview .at-tokens")
    expect(tokens.locator("del").first).to_be_visible()
    expect(page.locator(f"{TEXT}-preview")).to_contain_text("truncated texts")

    # It follows what is changed, and until it is drawn anew it stays as it is.
    page.evaluate(
        "place => { window.gone = 0; new MutationObserver(() => {"
        " if (!document.querySelector(place + ' .at-tokens')) window.gone += 1 }"
        ").observe(document.querySelector(place), {subtree: true, childList: true}) }",
        f"{TEXT}-preview",
    )
    page.locator(f"{TEXT}-max-seq-length input").fill("64")
    expect(page.locator(f"{TEXT}-preview")).to_contain_text("uses the first 64")
    expect(tokens.locator("del")).to_have_count(0)
    page.locator(f"{TEXT}-max-seq-length input").fill("16")
    expect(page.locator(f"{TEXT}-preview")).to_contain_text("uses the first 16")
    assert page.evaluate("window.gone") == 0

    page.locator(f"{TEXT}-model-next").click()
    page.locator(f"{TEXT}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=180_000)
    expect(page.locator("#run-report")).to_contain_text("Each label")
    expect(page.locator("#run-report")).to_contain_text("thresholds tuned on the other half")
    expect(page.locator("#run-samples table tbody tr")).to_have_count(8)

    page.locator("#try-it-text textarea").fill("Where is my parcel? " + "Please answer. " * 40)
    page.locator("#try-it-ask").click()
    answer = page.locator("#try-it-prediction .at-answer")
    expect(answer.locator(".at-scores li")).to_have_count(4)
    assert answer.locator(".at-chips li").count() >= 1
    expect(page.locator("#try-it-prediction")).to_contain_text("was truncated to the first 16")

    # An example of the validation split is there for a click.
    before = page.locator("#try-it-prediction").inner_text()
    offered = page.locator("button.at-example")
    expect(offered).to_have_count(3)
    shown = page.locator("#run-samples tbody th").all_inner_texts()
    text = offered.nth(1).inner_text()
    assert text in shown
    offered.nth(1).click()
    expect(page.locator("#try-it-text textarea")).to_have_value(text)
    expect(page.locator("#try-it-prediction")).not_to_have_text(before, use_inner_text=True)
    expect(answer.locator(".at-scores li")).to_have_count(4)
