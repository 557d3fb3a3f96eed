"""Speech recognition in the page, from the sample to a transcript of somebody's own file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from tests.browser import ROOT, App, Page, sync_api

expect = sync_api.expect
Visit = Callable[..., Page]
TASK = "#automatic-speech-recognition"
CLIP = ROOT / "assets/samples/automatic_speech_recognition/numbers/clips"
SHOTS = os.environ.get("SCREENSHOTS", "")


def picture(page: Page, name: str) -> None:
    """Keep a picture of the whole page, where somebody wants to look at them."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_from_the_sample_to_a_transcript(app: App, visit: Visit) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Speech", exact=True).click()
    page.locator(f"{TASK}-sample-0").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    picture(page, "check")
    page.locator(f"{TASK}-check-next").click()
    page.get_by_label("Tiny, from scratch").locator("visible=true").check()
    expect(page.locator(f"{TASK}-epochs input")).to_have_value("15")
    page.locator(f"{TASK}-epochs input").fill("1")
    page.locator(f"{TASK}-preview-box > button").click()
    page.locator(f"{TASK}-preview-show").click()
    expect(page.locator(f"{TASK}-preview")).to_contain_text("The new vocabulary")
    expect(page.locator(f"{TASK}-preview audio").first).to_be_visible()
    picture(page, "model")
    page.locator(f"{TASK}-model-next").click()
    page.locator(f"{TASK}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=180_000)
    expect(page.locator("#run-report")).to_contain_text("Word error rate")
    expect(page.locator("#run-report")).to_contain_text("Worst utterances")
    expect(page.locator("#run-report audio").first).to_be_attached()
    expect(page.locator("#run-samples")).to_contain_text("Transcripts of the same validation utterances")
    page.locator("#try-it-audio").get_by_label("Upload file").click()
    page.locator("#try-it-audio input[type=file]").set_input_files(str(sorted(CLIP.iterdir())[0]))
    expect(page.locator("#try-it-prediction")).to_contain_text("s of audio", timeout=180_000)
    found = re.search(r"[\d.,]+ s of audio", page.locator("#try-it-prediction").inner_text())
    assert found is not None
    heard = found[0]
    page.locator("#try-it-audio").get_by_label("Clear").click()
    page.locator("#try-it-audio").get_by_label("Record audio").click()
    page.locator("#try-it-audio").get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(1500)
    page.locator("#try-it-audio").get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#try-it-prediction")).not_to_contain_text(heard, timeout=60_000)
    expect(page.locator("#try-it-prediction")).to_contain_text("s of audio", timeout=60_000)
    picture(page, "run")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture(page, "run-phone")
