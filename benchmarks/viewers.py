"""CPU time of the page's process with 20 browsers that show a run, with real browsers and a real worker."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from benchmarks.rows import Row
from tests.browser import ARGUMENTS, CHROMIUM, App

VIEWERS, SECONDS, SETTLE = 20, 24, 8
LOAD_MS = 300_000
"""Timeout of the pages, which load at the same time and are not measured until they have."""
STEP_SECONDS = 0.2


def _share(process: psutil.Process, seconds: float) -> float:
    """Return the share of one core that a process itself, without its children, uses."""
    before, began = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / (time.monotonic() - began)


def measure() -> list[Row]:
    """Open a run with 5 new points a second in 20 tabs; count the processor time of the page's process."""
    if CHROMIUM is None:
        raise RuntimeError("this needs Chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        app = App(Path(name))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            app.start()
            assert app.process is not None
            process = psutil.Process(app.process.pid)
            run = app.toy(steps=100_000, step_seconds=STEP_SECONDS)
            app.until(run, "running")
            time.sleep(SETTLE)
            alone = _share(process, SECONDS / 2)
            pages, asked = [], Counter[bool]()
            for _ in range(VIEWERS):
                page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
                page.on("request", lambda request: asked.update(["component_server" in request.url]))
                page.goto(f"{app.url}/?run={run}")
                pages.append(page)
            for page in pages:
                page.locator("[data-part=progress]").get_by_text("step", exact=False).first.wait_for(timeout=LOAD_MS)
            time.sleep(SETTLE)
            asked.clear()
            began, before = time.monotonic(), process.cpu_times()
            pages[0].wait_for_timeout(SECONDS * 1000)  # requests are counted meanwhile
            after, seconds = process.cpu_times(), time.monotonic() - began
            used = (after.user + after.system - before.user - before.system) / seconds
            polls = asked[True] / seconds / VIEWERS
            shown = {page.locator("[data-part=progress]").inner_text() for page in pages}
            if not all(shown):
                raise RuntimeError(f"a viewer sees nothing of the run: {shown}")
        finally:
            browser.close()
            app.close()
    return [
        Row(
            f"{VIEWERS} browsers that look at one run, the page's process "
            f"({alone:.1%} of a core without them; each asks {polls:.2f} times a second)",
            f"{used:.1%} of a core",
            "one core",
            used,
            0.15,
        )
    ]
