"""The page as a whole: phone width, accessibility, many tasks, what it serves, what it does not load."""

from __future__ import annotations

import dataclasses
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import psutil
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import Registry, registry
from autotrain_gradio.ui.page import launch
from tests.browser import TASK, App, Page, sync_api
from tests.ui.test_image_classification import use_sample

expect = sync_api.expect
Visit = Callable[..., Page]
STOCK = {"color-contrast", "image-redundant-alt"}
"""What a stock Gradio page violates by itself; its missing heading is ours to add."""


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def violations(page: Page) -> dict[str, list[str]]:
    """Return axe's violations: rule → the elements."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return {v["id"]: [n["html"][:200] for n in v["nodes"]] for v in found}


def test_a_phone_shows_every_step_without_scrolling_sideways(app: App, visit: Visit) -> None:
    page = visit(app.url, width=390, height=844, is_mobile=True, has_touch=True)
    expect(page.locator(f"{TASK}-sample-0")).to_be_visible()
    assert fits(page)
    use_sample(page)
    page.locator(f"{TASK}-labels > button").click()
    expect(page.locator(f"{TASK}-label-table")).to_be_visible()
    assert fits(page)
    # The next step is in reach without scrolling.
    expect(page.locator(f"{TASK}-check-next")).to_be_in_viewport()
    page.locator(f"{TASK}-check-next").click()
    page.locator(f"{TASK}-all > button").click()
    expect(page.locator(f"{TASK}-weight-decay")).to_be_visible()
    assert fits(page)
    page.locator(f"{TASK}-model-next").click()
    expect(page.locator(f"{TASK}-start")).to_be_in_viewport()
    assert fits(page)
    run = app.toy(steps=3)
    app.until(run, "completed")
    page.goto(f"{app.url}/?run={run}")
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed")
    assert fits(page)
    page.locator("#run-back").click()
    expect(page.locator(f"[data-action=open][data-run='{run}']")).to_be_visible()
    assert fits(page)


def test_axe_finds_nothing_but_what_stock_gradio_brings(app: App, visit: Visit) -> None:
    run = app.toy(steps=3)
    app.until(run, "completed")
    page = visit(app.url)
    expect(page.locator(f"{TASK}-sample-0")).to_be_visible()
    found = {"data": violations(page)}
    use_sample(page)
    found["check"] = violations(page)
    page.locator(f"{TASK}-check-next").click()
    expect(page.locator(f"{TASK}-model")).to_be_visible()
    found["model"] = violations(page)
    page.goto(f"{app.url}/?run={run}")
    expect(page.locator("#run-report")).to_contain_text("Result")
    found["run"] = violations(page)
    page.locator("#run-back").click()
    found["runs"] = violations(page)
    new = {where: {k: v for k, v in rules.items() if k not in STOCK} for where, rules in found.items()}
    assert not any(new.values()), new
    # Of contrast, what is drawn by us must be right: only Gradio's own elements may fail.
    ours = [n for rules in found.values() for n in rules.get("color-contrast", []) if 'class="at-' in n]
    assert not ours


def test_the_dark_page_has_readable_text(app: App, visit: Visit) -> None:
    page = visit(app.url, color_scheme="dark")
    use_sample(page)
    ours = [n for n in violations(page).get("color-contrast", []) if 'class="at-' in n]
    assert not ours


@pytest.fixture
def many(tmp_path: Path) -> str:
    """The page of 25 tasks, in this process."""
    task = next(iter(registry()))
    titles = ["Images", "Text", "Speech", "Tables", "Language models"]
    tasks = [
        dataclasses.replace(task, name=f"task-{i}", title=f"Task {i}", aliases=(), modality=titles[i % 5])
        for i in range(25)
    ]
    service = Service(Settings(home=tmp_path / "home"), Registry(tasks), dispatch=False)
    demo, url = launch(service, block=False, quiet=True)
    yield url
    demo.close()
    service.close()


def test_many_tasks_make_a_small_page_whose_tabs_fill_when_selected(many: str, visit: Visit) -> None:
    html = urllib.request.urlopen(many, timeout=30).read()
    assert len(html) < 600_000, len(html)
    page = visit(many)
    expect(page.locator("#task-0-sample-0")).to_be_visible()
    assert page.locator("#task-5-steps").count() == 0
    page.get_by_role("tab", name="Task 5", exact=True).click()
    expect(page.locator("#task-5-sample-0")).to_be_visible()
    page.get_by_role("tab", name="Speech").click()
    expect(page.locator("#task-2-sample-0")).to_be_visible()
    # Of tabs that are selected one straight after the other each is filled.
    page.get_by_role("tab", name="Task 7", exact=True).click()
    page.get_by_role("tab", name="Task 12", exact=True).click()
    expect(page.locator("#task-12-sample-0")).to_be_visible()
    # Going back finds the tab as it was left.
    page.get_by_role("tab", name="Images").click()
    expect(page.locator("#task-5-sample-0")).to_be_visible()


def test_the_pages_process_is_light_and_serves_only_what_it_shows(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    source = page.locator(f"{TASK}-gallery img").first.get_attribute("src")
    assert source is not None
    picture = urllib.request.urlopen(f"{app.url}/{source}", timeout=10)
    assert picture.headers["Content-Type"].startswith("image/")
    run = source.split("/")[2]
    for path in ("draft.json", "check/../draft.json", "check/%2e%2e/draft.json", "data/manifest.json"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{app.url}/autotrain/files/{run}/{path}", timeout=10)
        assert refused.value.code == 404
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{app.url}/gradio_api/file={app.home}/runs/{run}/draft.json", timeout=10)
    process = psutil.Process(app.process.pid)
    mapped = {Path(m.path).name for m in process.memory_maps()}
    assert not {name for name in mapped if name.startswith("libtorch")}
    assert process.memory_info().rss < 400e6  # 300 MB idle; this one has served a whole suite


def status(url: str) -> int:
    """Return the status of an answer."""
    try:
        return int(urllib.request.urlopen(url, timeout=10).status)
    except urllib.error.HTTPError as error:
        return error.code


def test_pictures_ask_for_the_password(tmp_path: Path) -> None:
    app = App(tmp_path, "--auth", "me:secret")
    try:
        app.start()
        draft = app.service.draft("toy-sorting")
        folder = app.home / "runs" / draft / "check"
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"x")
        for path in (f"autotrain/files/{draft}/check/a.jpg", "autotrain/download/x"):
            assert status(f"{app.url}/{path}") == 401
    finally:
        app.close()


def test_building_the_page_imports_nothing_heavy(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; from pathlib import Path; from autotrain_gradio.service import Service; "
        "from autotrain_gradio.core.settings import Settings; from autotrain_gradio.ui.page import build; "
        f"build(Service(Settings(home=Path({str(tmp_path)!r})), dispatch=False)); "
        "heavy = {'torch', 'transformers', 'datasets', 'albumentations', 'sklearn'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_all_events_are_private(tmp_path: Path) -> None:
    from autotrain_gradio.ui.page import build

    demo = build(Service(Settings(home=tmp_path), dispatch=False))
    assert isinstance(demo, gr.Blocks)
    shown = [f.api_name for f in demo.fns.values() if f.api_visibility == "public"]
    assert shown == []
