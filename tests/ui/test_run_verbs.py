"""The verbs of a run's task on the page: their inputs, their results as they arrive, their errors."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.browser import App, Page, sync_api

expect = sync_api.expect
Visit = Callable[..., Page]
UNREACHED = 100_000
"""A number to count to that takes hours: a call ends only if it is cancelled, however slow the machine is."""


@pytest.fixture(scope="module")
def mood_run(app: App, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A completed run of the task of the example package."""
    notes = tmp_path_factory.mktemp("moods") / "notes.mood"
    notes.write_text("".join(f"glad: sunny day {n}\nsad: rainy evening {n}\n" for n in range(10)))
    spec = {"task": "mood-reading", "project_name": "moods", "data": {"source": "path", "path": str(notes)}}
    run = app.service.start(app.service.draft("mood-reading"), spec)
    app.until(run, "completed")
    return run


@pytest.mark.parametrize("width", [1280, 390])
def test_verbs_of_a_task_from_another_package_are_called_on_the_page(
    app: App, visit: Visit, mood_run: str, width: int
) -> None:
    page = visit(f"{app.url}/?run={mood_run}", width=width, height=844)
    explain, vocabulary = page.locator("#verb-explain"), page.locator("#verb-vocabulary")
    expect(explain.get_by_role("heading", name="Explain a text")).to_be_visible()
    expect(explain).to_contain_text("Yields each word of the text with its mood.")
    expect(vocabulary.get_by_role("heading", name="Vocabulary")).to_be_visible()

    page.locator("#verb-explain-ask").click()
    expect(page.locator("#verb-explain-result")).to_contain_text("An input is missing: a text.")
    page.locator("#verb-explain-text textarea").fill("sunny evening")
    page.locator("#verb-explain-ask").click()
    result = page.locator("#verb-explain-result")
    expect(result.locator("tbody th")).to_have_text(["sunny", "evening"])
    expect(result.locator(".mood-faces")).to_contain_text("glad")  # the package's own kind of panel
    expect(result.locator(".at-busy")).to_have_count(0)
    expect(page.locator("#verb-explain-cancel")).to_be_hidden()

    page.locator("#verb-vocabulary-ask").click()
    expect(page.locator("#verb-vocabulary-result dt")).to_have_text(["glad", "sad"])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_items_of_a_stream_are_shown_as_they_arrive_until_it_is_cancelled(app: App, visit: Visit) -> None:
    run = app.toy(steps=2)
    app.until(run, "completed")
    page = visit(f"{app.url}/?run={run}")
    page.locator("#verb-count-to textarea").fill(str(UNREACHED))
    page.locator("#verb-count-ask").click()
    result, cancel = page.locator("#verb-count-result"), page.locator("#verb-count-cancel")
    rows = result.locator("tbody tr")
    expect(rows.nth(2)).to_be_visible()  # while the verb counts, and before it is cancelled
    expect(result.locator(".at-busy")).to_contain_text("items received")
    cancel.click()
    expect(cancel).to_be_hidden()
    expect(result.locator(".at-busy")).to_have_count(0)
    expect(result).to_contain_text("Cancelled after")
    # The worker has stopped counting, and the model stays loaded for the next call.
    counted = app.service.settings.runs / run / "counted"
    end = time.monotonic() + 60
    while not counted.is_file():
        assert time.monotonic() < end
        page.wait_for_timeout(100)
    assert 2 <= int(counted.read_text()) < UNREACHED - 1

    page.locator("#verb-count-to textarea").fill("many")
    page.locator("#verb-count-ask").click()
    expect(result.locator(".at-error")).to_be_visible()
    expect(result).not_to_contain_text("Traceback")


def test_a_run_without_a_model_shows_no_verbs(app: App, visit: Visit) -> None:
    failed = app.toy(trouble="user")
    app.until(failed, "failed")
    page = visit(f"{app.url}/?run={failed}")
    expect(page.locator("#run-live [data-part=reason]")).to_contain_text("The toy is broken.")
    expect(page.locator("#run-verbs")).to_be_hidden()
    expect(page.locator("#verb-count")).to_have_count(0)
