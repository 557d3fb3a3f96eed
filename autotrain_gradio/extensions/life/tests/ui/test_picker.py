"""The LiFE picker in a real browser: an export, a server, two people at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from autotrain_gradio.extensions.life.tests.fake_life import PASSWORD, USER, FakeLife
from autotrain_gradio.extensions.life.tests.life_data import PEOPLE, boundary, document, files, grid, zipped
from tests.browser import App, Page, sync_api

expect = sync_api.expect
Visit = Callable[..., Page]
ASR = "#automatic-speech-recognition"
LIFE = f"{ASR}-life"


def to_picker(page: Page) -> None:
    """Open the picker in the tab of speech recognition."""
    page.get_by_role("tab", name="Speech", exact=True).click()
    page.locator(f"{LIFE} > button").click()


def choose(page: Page, which: str, text: str) -> None:
    """Choose the option of a dropdown that begins with a text, by the keyboard."""
    box = page.locator(f"{LIFE}-{which} input")
    box.click()
    box.fill(text)
    box.press("Enter")


def field(page: Page, which: str, text: str) -> None:
    """Fill in a text field."""
    page.locator(f"{LIFE}-{which}").locator("input, textarea").first.fill(text)


@pytest.mark.parametrize("width", [1280, 390])
def test_an_export_is_opened_previewed_and_used(app: App, visit: Visit, tmp_path: Path, width: int) -> None:
    export = zipped(tmp_path / "Bhojpuri_textgrids.zip", files(*(document(n) for n in range(1, 7))))
    page = visit(app.url, width=width)
    to_picker(page)
    page.locator(f"{LIFE}-files input[type=file]").set_input_files(str(export))
    expect(page.locator(f"{LIFE}-status")).to_contain_text("LiFE JSON with audio")
    expect(page.locator(f"{LIFE}-summary")).to_contain_text("12")
    choose(page, "dataset", "⚠")
    expect(page.locator(f"{LIFE}-summary")).to_contain_text("output of a model")
    choose(page, "script", "IPA")
    expect(page.locator(f"{LIFE}-dataset input")).to_have_value("latest · 6 segments, 0.1 min, 1 speaker")
    page.locator(f"{LIFE}-listen").click()
    players = page.locator(f"{LIFE}-preview audio")
    expect(players).to_have_count(6)
    heard = page.request.get(f"{app.url}/{players.first.get_attribute('src')}")
    assert heard.ok and heard.body().startswith(b"RIFF")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator(f"{LIFE}-use").click()
    expect(page.locator(f"{ASR}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{ASR}-findings")).to_contain_text("Bhojpuri, IPA, latest: 6 segments")
    assert not any(name in page.content() for name in PEOPLE)

    # A visit later the choice can be changed without the file.
    page.reload()
    page.get_by_role("tab", name="Speech", exact=True).click()
    page.locator(f"{ASR}-step-1-button").click()
    page.locator(f"{LIFE}-again").click()
    expect(page.locator(f"{LIFE}-script input")).to_have_value("IPA · 6 segments, 0.1 min, 1 speaker")


def test_a_server_is_used_from_login_to_check(app: App, visit: Visit) -> None:
    other = document(7, project="Magahi", textGrid=grid(boundary(1, 2, Devanagari="का")))
    fake = FakeLife({"Bhojpuri": {"documents": [document(n) for n in range(1, 4)]}, "Magahi": {"documents": [other]}})
    with fake.serve() as address:
        page = visit(app.url)
        to_picker(page)
        page.get_by_label("LiFE server (experimental)").check()
        field(page, "address", "http://life.example.org")
        page.locator(f"{LIFE}-list").click()
        expect(page.locator(f"{LIFE}-status")).to_contain_text("unencrypted")
        field(page, "address", address)
        field(page, "username", USER)
        field(page, "password", "guess")
        page.locator(f"{LIFE}-list").click()
        expect(page.locator(f"{LIFE}-status")).to_contain_text("does not accept this user name")
        field(page, "password", PASSWORD)
        page.locator(f"{LIFE}-list").click()
        choose(page, "remote", "Bho")
        choose(page, "remote", "Mag")
        page.locator(f"{LIFE}-read").click()
        expect(page.locator(f"{LIFE}-summary")).to_contain_text("Projects")
        expect(page.locator(f"{LIFE}-script input")).to_have_value("Devanagari · 7 segments, 0.2 min, 2 speakers")
        choose(page, "script", "IPA")
        expect(page.locator(f"{LIFE}-script input")).to_have_value(
            "IPA · 3 segments, 0.1 min, 1 speaker · only in Bhojpuri"
        )
        page.locator(f"{LIFE}-listen").click()
        expect(page.locator(f"{LIFE}-preview audio")).to_have_count(3)
        choose(page, "script", "Devanagari")
        page.locator(f"{LIFE}-use").click()
        expect(page.locator(f"{ASR}-findings")).to_contain_text("7 segments")
        assert fake.active == fake.first
    assert not any(name in page.content() for name in PEOPLE[1:])
    assert not [p for p in app.home.rglob("*") if p.is_file() and PASSWORD.encode() in p.read_bytes()]
    assert PASSWORD not in app.log()


def test_two_browsers_use_the_picker_at_the_same_time(own_app: App, visit: Visit, tmp_path: Path) -> None:
    own_app.environ["AUTOTRAIN_GRADIO_SHARED"] = "1"
    own_app.start()
    pages = {}
    for name in ("quorlin", "zebrant"):
        grids = grid(boundary(1, 2, **{f"Script {name}": f"text {name}"}), boundary(2, 3, **{f"Script {name}": name}))
        (tmp_path / name).mkdir()
        export = zipped(tmp_path / name / "x.zip", files(*(document(n, project=name, textGrid=grids) for n in (1, 2))))
        page = pages[name] = visit(own_app.url)
        to_picker(page)
        page.locator(f"{LIFE}-files input[type=file]").set_input_files(str(export))
    for action, place in (("listen", "preview"), ("use", "")):
        for page in pages.values():
            expect(page.locator(f"{LIFE}-summary")).to_contain_text("Segments")
            page.locator(f"{LIFE}-{action}").click()
        for name, page in pages.items():
            shown = page.locator(f"{LIFE}-{place}") if place else page.locator(f"{ASR}-findings")
            expect(shown).to_contain_text(name)
    for name, page in pages.items():
        other = "zebrant" if name == "quorlin" else "quorlin"
        assert name in page.content() and other not in page.content()
