"""Speech in the page: sounds are uploaded, checked, and can be listened to."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import render_all_html
from tests.browser import ROOT, App, Page, sync_api
from tests.ui.test_page import violations
from tests.unit.data.sounds import sound

expect = sync_api.expect
Visit = Callable[..., Page]
TASK = "#automatic-speech-recognition"
PLAYERS = f"{TASK}-gallery audio"


def open_tab(page: Page) -> None:
    """Go to the tab of speech recognition."""
    page.get_by_role("tab", name="Speech", exact=True).click()
    expect(page.locator(f"{TASK}-files")).to_be_visible()


def test_an_uploaded_zip_of_clips_can_be_listened_to(app: App, visit: Visit, tmp_path: Path) -> None:
    archive = tmp_path / "speech.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for number in range(8):
            zipped.writestr(f"clips/{number}.wav", sound(1.0 + number / 10, hertz=200 + 30 * number))
        rows = "".join(f"clips/{n}.wav,नमस्ते दुनिया {n}\n" for n in range(8))
        zipped.writestr("metadata.csv", f"file_name,transcription\n{rows}clips/none.wav,not there\n")
    page = visit(app.url)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_tab(page)
    page.locator(f"{TASK}-files input[type=file]").set_input_files(str(archive))
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{TASK}-findings")).to_contain_text("clips/none.wav")
    expect(page.locator(PLAYERS)).to_have_count(8)
    expect(page.locator(f"{TASK}-gallery")).to_contain_text("नमस्ते दुनिया 3")
    expect(page.locator(f"{TASK}-profile")).to_contain_text("Median")
    assert not [url for url in asked if url.endswith(".wav") or ".wav?" in url], "nothing is loaded before it is played"
    played = (
        page.locator(PLAYERS)
        .nth(3)
        .evaluate(
            "a => new Promise((done, failed) => {"
            "  a.onerror = () => failed(a.error.message); a.muted = true;"
            "  a.ontimeupdate = () => { if (a.currentTime > 0) done(a.duration); };"
            "  a.play().catch(failed); })"
        )
    )
    assert 1.0 <= played <= 1.8
    url = page.locator(PLAYERS).first.get_attribute("src")
    part = page.evaluate(
        "url => fetch(url, {headers: {Range: 'bytes=100-199'}})"
        ".then(async r => [r.status, r.headers.get('content-type'), (await r.arrayBuffer()).byteLength])",
        url,
    )
    assert part[0] == 206 and part[1].startswith("audio/") and part[2] == 100


def test_players_fit_a_narrow_page(app: App, visit: Visit) -> None:
    page = visit(app.url, width=390, height=844)
    open_tab(page)
    page.locator(f"{TASK}-sample-0").click()
    expect(page.locator(PLAYERS)).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = page.locator(PLAYERS).evaluate_all("all => all.map(a => a.getBoundingClientRect().right)")
    assert max(boxes) <= 390


GRID = (
    '"ooTextFile"\n"TextGrid"\n0\n6\n<exists>\n2\n'
    '"IntervalTier"\n"sentence"\n0\n6\n2\n0\n3\n"good morning everybody"\n3\n6\n"good evening to you"\n'
    '"IntervalTier"\n"word"\n0\n6\n3\n0\n1\n"good"\n1\n2\n"morning"\n3\n4\n"good"\n'
)


def test_the_tier_of_a_textgrid_is_switched_by_a_button(app: App, visit: Visit, tmp_path: Path) -> None:
    files = []
    for number in range(3):
        files += [tmp_path / f"talk{number}.wav", tmp_path / f"talk{number}.TextGrid"]
        files[-2].write_bytes(sound(6.0, hertz=200 + 30 * number))
        files[-1].write_text(GRID)
    page = visit(app.url)
    open_tab(page)
    page.locator(f"{TASK}-files input[type=file]").set_input_files([str(f) for f in files])
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Praat TextGrids")
    expect(page.locator(PLAYERS)).to_have_count(6)
    page.get_by_role("button", name="Use the tier 'word'").click()
    expect(page.locator(PLAYERS)).to_have_count(9)
    expect(page.locator(f"{TASK}-findings")).to_contain_text("The tier 'word'")


def test_axe_finds_nothing_wrong_with_players_and_transcripts(app: App, visit: Visit, tmp_path: Path) -> None:
    rows = [
        {"reference": "one two three", "prediction": "one tow four three", "file": "report/a.wav", "wer": 0.5},
        {"reference": "नमस्ते", "prediction": "", "caption": "anna"},
    ]
    items = [{"file": "report/a.wav", "caption": "one two three", "detail": "anna · 2.0 s"}]
    drawn = render_all_html([panels.transcripts("Heard", rows), panels.gallery("Listen", items)])
    css = (ROOT / "assets" / "page.css").read_text(encoding="utf-8")
    for theme in ("", "dark"):
        file = tmp_path / f"page{theme}.html"
        file.write_text(
            f'<!doctype html><html lang="en" class="{theme}"><head><meta charset="utf-8"><title>x</title><style>{css}'
            "body { background: var(--at-card); color: var(--at-text) }</style></head><body><main><h1>x</h1><h2>y</h2>"
            f"{drawn}</main></body></html>",
            encoding="utf-8",
        )
        assert not violations(visit(file.as_uri()))
