"""The pictures of the README, taken of the running app: `make pictures`."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

expect.set_options(timeout=120_000)
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TASK = "#image-classification"
SHAPES = ROOT / "assets" / "samples" / "image_classification" / "shapes"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@contextmanager
def app(home: Path) -> Iterator[str]:
    """Serve the page from a home of its own; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "AUTOTRAIN_GRADIO_HOME": str(home), "GRADIO_ANALYTICS_ENABLED": "False"}
    process = subprocess.Popen([sys.executable, str(ROOT / "app.py"), "--port", str(port)], env=env, cwd=home)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def shoot(page: Page, name: str, *, height: int | None = None) -> None:
    """Save the page as a picture of few colours; `height` cuts it, in pixels of the page."""
    page.wait_for_timeout(1200)
    path = HERE / f"{name}.png"
    page.screenshot(path=str(path), full_page=True, animations="disabled", timeout=120_000)
    image = Image.open(path)
    if height and image.height > height:
        image = image.crop((0, 0, image.width, height))
    image.convert("RGB").quantize(256).save(path, optimize=True)


def main() -> None:
    """Walk from the sample to a trained model, and take a picture of each step."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        app(Path(folder)) as url,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.goto(url)
        page.locator(f"{TASK}-sample-0").wait_for()
        page.locator(f"{TASK}-sample-0").click()
        expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train", timeout=60_000)
        shoot(page, "check", height=1300)
        page.locator(f"{TASK}-check-next").click()
        page.get_by_label("Tiny, from scratch").check()
        page.locator(f"{TASK}-project-name").locator("input, textarea").fill("leaves-and-stars")
        expect(page.locator(f"{TASK}-epochs input")).to_have_value("20")
        page.locator(f"{TASK}-epochs input").fill("100")  # long enough to be seen at work
        page.get_by_role("button", name="Preview of the training inputs").click()
        page.get_by_role("button", name="Show preview").click()
        page.locator(f"{TASK}-preview img").first.wait_for(timeout=60_000)
        shoot(page, "model")
        page.locator(f"{TASK}-model-next").click()
        page.locator(f"{TASK}-start").click()
        expect(page.locator("#run-live")).to_contain_text("Running", timeout=60_000)
        page.locator("#run-samples img").first.wait_for(timeout=60_000)
        page.wait_for_timeout(2500)
        shoot(page, "training", height=1200)
        expect(page.locator("#run-live")).to_contain_text("Completed", timeout=180_000)
        page.locator("#try-it-image input[type=file]").set_input_files(str(SHAPES / "star" / "star_03.jpg"))
        expect(page.locator("#try-it-prediction")).to_contain_text("%", timeout=60_000)
        shoot(page, "results", height=1900)
        page.set_viewport_size({"width": 390, "height": 844})
        shoot(page, "phone", height=1500)
        other_tasks(browser.new_page(viewport={"width": 1200, "height": 800}), url)
        browser.close()


def other_tasks(page: Page, url: str) -> None:
    """Take pictures of texts as tokens, of a chat model, of a leaderboard, of the LiFE picker, and of a recognizer."""
    text, table, speech = "#text-classification", "#tabular-classification", "#automatic-speech-recognition"
    to_model(page, url, "Text", text)
    page.locator(f"{text}-model").get_by_label("Tiny, from scratch").check()
    page.locator(f"{text}-preview-box > button").click()
    page.locator(f"{text}-preview-show").click()
    page.locator(f"{text}-preview section").first.wait_for(timeout=60_000)
    page.locator(f"{text}-preview-box").scroll_into_view_if_needed()
    part(page, f"{text}-preview-box", "tokens")

    chat_model(page, url)

    to_model(page, url, "Tables", table)
    page.locator(f"{table}-model-next").click()
    page.locator(f"{table}-start").click()
    expect(page.locator("#run-live")).to_contain_text("Completed", timeout=300_000)
    page.wait_for_timeout(3000)
    shoot(page, "tables", height=1500)

    page.goto(url)
    page.get_by_role("tab", name="Speech", exact=True).click()
    page.get_by_role("button", name="LiFE App").click()
    page.locator(f"{speech}-life-sample").click()
    page.locator(f"{speech}-life-use").wait_for(timeout=60_000)
    part(page, f"{speech}-life", "life")

    to_model(page, url, "Speech", speech)
    page.locator(f"{speech}-model").get_by_label("Tiny, from scratch").check()
    page.locator(f"{speech}-model-next").click()
    page.locator(f"{speech}-start").click()
    expect(page.locator("#run-live")).to_contain_text("Completed", timeout=400_000)
    page.wait_for_timeout(3000)
    shoot(page, "speech", height=1300)


def chat_model(page: Page, url: str) -> None:
    """Take pictures of the tokens on which a chat model is trained, and of a chat with it."""
    chat = "#llm-sft"
    to_model(page, url, "Language models", chat)
    page.locator(f"{chat}-model").get_by_label("Tiny, from scratch").check()
    expect(page.locator(f"{chat}-epochs input")).to_have_value("6")
    page.locator(f"{chat}-preview-box > button").click()
    page.locator(f"{chat}-preview-show").click()
    page.locator(f"{chat}-preview .at-panel-tokens").wait_for(timeout=60_000)
    part(page, f"{chat}-preview .at-panel-tokens", "trained-tokens")
    page.locator(f"{chat}-model-next").click()
    page.locator(f"{chat}-start").click()
    expect(page.locator("#run-live")).to_contain_text("Completed", timeout=300_000)
    messages = page.locator("#verb-chat-messages-chat .message")
    for number, question in enumerate(("How long do I boil carrots?", "And potatoes?"), 1):
        page.locator("#verb-chat-messages textarea").fill(question)
        page.locator("#verb-chat-ask").click()
        expect(messages).to_have_count(2 * number)
        expect(page.locator("#verb-chat-ask")).to_be_visible()
        expect(messages.last).to_contain_text(re.compile(r"\d+ minutes"), timeout=60_000)
    part(page, "#verb-chat", "chat")


def to_model(page: Page, url: str, modality: str, task: str) -> None:
    """Open a task's tab, take its first sample, and go to the step of the model."""
    page.goto(url)
    page.get_by_role("tab", name=modality, exact=True).click()
    page.locator(f"{task}-sample-0").click()
    expect(page.locator(f"{task}-detected")).to_contain_text("Ready to train", timeout=60_000)
    page.locator(f"{task}-check-next").click()


def part(page: Page, selector: str, name: str) -> None:
    """Save a picture of one element, without the bar that floats over the page."""
    page.add_style_tag(content=".at-next { position: static !important }")
    page.wait_for_timeout(1200)
    path = HERE / f"{name}.png"
    page.locator(selector).screenshot(path=str(path), animations="disabled", timeout=120_000)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    main()
