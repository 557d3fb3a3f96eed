"""A run as it is watched: reloaded, from two browsers, over a restart of the app, stopped, deleted."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio.core.panels.chart_svg import SERIES_COLOURS
from tests.browser import App, Page, sync_api
from tests.hub import TOKEN, serve

expect = sync_api.expect
Visit = Callable[..., Page]


def test_a_reload_and_a_second_browser_show_the_same_run(app: App, visit: Visit) -> None:
    run = app.toy(steps=2000, step_seconds=0.05, project_name="watched")
    page = visit(f"{app.url}/?run={run}")
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Running")
    page.reload()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("watched")
    expect(page.locator("#run-live [data-part=progress]")).to_contain_text("of 2,000")
    # A bare address finds the run that is under way.
    page.goto(app.url)
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("watched")
    expect(page).to_have_url(re.compile(run))

    other = visit(f"{app.url}/?run={run}")
    expect(other.locator("#run-live [data-part=header]")).to_contain_text("watched")
    other.locator("#run-stop").click()
    for viewer in (page, other):
        expect(viewer.locator("#run-live [data-part=header]")).to_contain_text("Stopped")
        expect(viewer.locator("#run-live [data-part=reason]")).to_contain_text("saved")
        expect(viewer.locator("#run-download")).to_be_visible()
    assert app.service.snapshot(run)["state"] == "cancelled"

    page.locator("#run-resume").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("attempt 2")
    page.locator("#run-stop").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Stopped")


def test_a_visitor_can_view_but_not_change_the_run_of_another_owner(tmp_path: Path, visit: Visit) -> None:
    app = App(tmp_path, AUTOTRAIN_GRADIO_SHARED="1")
    try:
        app.start()
        run = app.toy(steps=3)  # the owner is the person at the machine
        app.until(run, "completed")
        page = visit(f"{app.url}/?run={run}")
        expect(page.locator("#run-report")).to_contain_text("Result")
        expect(page.locator("#try-it-ask")).to_be_visible()
        for button in ("stop", "delete", "download", "again", "resume"):
            expect(page.locator(f"#run-{button}")).to_be_hidden()
    finally:
        app.close()


def test_the_page_reconnects_after_a_restart_of_the_app(own_app: App, visit: Visit) -> None:
    own_app.start()
    run = own_app.toy(steps=4000, step_seconds=0.05)
    page = visit(f"{own_app.url}/?run={run}")
    expect(page.locator("#run-live [data-part=progress]")).to_contain_text("of 4,000")
    own_app.kill()
    expect(page.locator(".at-disconnected")).to_contain_text("not reachable")
    before = own_app.service.snapshot(run)["progress"]["step"]
    own_app.start()
    shown = page.locator("#run-live [data-part=progress] p")
    page.wait_for_function(
        "(step) => { const shown = document.querySelector('#run-live [data-part=progress] p')?.textContent || '';"
        " const m = /step ([\\d,]+) of/.exec(shown); return m && Number(m[1].replace(/,/g, '')) > step; }",
        arg=before,
    )
    assert "of 4,000" in shown.inner_text()
    assert own_app.service.snapshot(run)["attempt"] == 1
    own_app.service.stop(run)
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Stopped")


def test_a_series_whose_first_point_arrives_late_is_plotted(app: App, visit: Visit) -> None:
    run = app.toy(steps=200, step_seconds=0.05, project_name="late")
    page = visit(f"{app.url}/?run={run}")
    chart = page.locator("#run-chart-0")
    expect(chart.locator("canvas, svg.marks").first).to_be_visible()
    first = chart.screenshot()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed")
    page.wait_for_timeout(1500)
    assert chart.screenshot() != first
    # The toy tells its accuracy with its last breath.
    expect(page.locator("#run-live [data-part=tiles]")).to_contain_text("75.0 %")
    # What was watched to its end looks as it does when it is opened anew: no point is missing.
    page.wait_for_timeout(4000)
    watched = _right_end(chart.screenshot())
    page.reload()
    expect(chart.locator("canvas, svg.marks").first).to_be_visible()
    page.wait_for_timeout(2000)
    assert abs(_right_end(chart.screenshot()) - watched) <= 2


def _right_end(png: bytes) -> int:
    """Return the column of the last pixel of the first curve, which is green."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    green = (pixels[..., 1] - pixels[..., 0] > 60) & (pixels[..., 1] - pixels[..., 2] >= 0)
    return int(green.any(axis=0).nonzero()[0].max())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_single_point_is_visible_in_light_and_dark_mode(app: App, visit: Visit, mode: str) -> None:
    run = app.toy(steps=1)
    app.until(run, "completed")
    page = visit(f"{app.url}/?run={run}", color_scheme=mode)
    chart = page.locator("#run-chart-0")
    expect(chart.locator("svg.marks")).to_be_visible()
    page.wait_for_timeout(500)
    pixels = np.asarray(Image.open(io.BytesIO(chart.screenshot())).convert("RGB")).astype(int)
    wanted = [int(SERIES_COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)]
    assert (abs(pixels - wanted).max(axis=-1) < 8).sum() >= 30  # a dot of 8 pixels across has 50


def test_the_log_grows_and_the_result_appears(app: App, visit: Visit) -> None:
    run = app.toy(steps=3)
    app.until(run, "completed")
    page = visit(f"{app.url}/?run={run}")
    expect(page.locator("#run-report")).to_contain_text("Result")
    page.locator("#run-log-box > button").click()
    expect(page.locator("#run-log pre")).to_contain_text("playing")


def test_a_failure_is_shown_with_a_hint_and_without_a_traceback(app: App, visit: Visit) -> None:
    run = app.toy(trouble="user")
    app.until(run, "failed")
    page = visit(f"{app.url}/?run={run}")
    reason = page.locator("#run-live [data-part=reason]")
    expect(reason).to_contain_text("The toy is broken.")
    expect(reason).to_contain_text("Mend it.")
    expect(reason).to_contain_text("toy 2")
    assert "Traceback" not in page.locator("#run-view").inner_text()


def test_an_unknown_run_shows_an_error_and_the_list_still_works(app: App, visit: Visit) -> None:
    page = visit(f"{app.url}/?run=20200101-000000-nothing-aaaaaaaaaa")
    expect(page.locator("#run-live [data-part=reason]")).to_contain_text("does not exist")
    page.locator("#run-back").click()
    expect(page.locator("#runs-table")).to_be_visible()
    expect(page).not_to_have_url(re.compile("run="))


def test_browser_history_switches_between_list_and_run(app: App, visit: Visit) -> None:
    run = app.toy(steps=4000, step_seconds=0.05, project_name="there-and-back")  # under way: a bare address shows it
    try:
        page = visit(f"{app.url}/?run={run}")
        header = page.locator("#run-live [data-part=header]")
        expect(header).to_contain_text("there-and-back")
        page.locator("#run-back").click()
        opened = page.locator(f"[data-action=open][data-run='{run}']")
        opened.click()
        expect(header).to_contain_text("there-and-back")
        expect(page).to_have_url(re.compile(run))
        page.go_back()
        expect(opened).to_be_visible()
        expect(page).not_to_have_url(re.compile("run="))
        page.go_forward()
        expect(header).to_contain_text("there-and-back")
        expect(page).to_have_url(re.compile(run))
    finally:
        app.service.stop(run)


def test_the_list_opens_runs_and_deletes_them_after_a_confirmation(app: App, visit: Visit) -> None:
    run = app.toy(steps=2, project_name="short-lived")
    app.until(run, "completed")
    page = visit(app.url)
    page.get_by_role("tab", name="Runs").click()
    page.locator(f"[data-action=open][data-run='{run}']").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("short-lived")
    page.locator("#run-delete").click()
    page.locator("#run-delete-not").click()
    expect(page.locator("#run-ask-delete")).to_be_hidden()
    page.locator("#run-back").click()
    expect(page.locator("#run-report")).to_be_hidden()
    expect(page.locator("#run-live")).to_be_hidden()
    button = page.locator(f"[data-action=delete][data-run='{run}']")
    button.click()
    expect(button).to_have_text("Delete permanently?")
    assert run in {r["id"] for r in app.service.runs()}
    button.click()
    expect(button).to_have_count(0)
    assert run not in {r["id"] for r in app.service.runs()}


def test_the_confirmation_of_a_deletion_fits_a_phone(app: App, visit: Visit) -> None:
    run = app.toy(steps=2)
    app.until(run, "completed")
    page = visit(f"{app.url}/?run={run}", width=390, height=844)
    page.locator("#run-delete").click()
    asked, now = page.locator("#run-ask-delete p").bounding_box(), page.locator("#run-delete-now").bounding_box()
    assert asked["width"] > 250 and asked["y"] + asked["height"] <= now["y"]
    assert now["y"] == page.locator("#run-delete-not").bounding_box()["y"]
    page.locator("#run-delete-not").click()
    # A row for a button that is not there yet covers nothing.
    page.get_by_role("tab", name="Images").click()
    expect(page.locator("#image-classification-sample-0")).to_be_visible()
    expect(page.locator("#image-classification-step-1 .at-next")).to_be_hidden()


def test_a_model_is_published_from_its_run(tmp_path: Path, visit: Visit) -> None:
    with serve() as hub:
        app = App(tmp_path, HF_ENDPOINT=hub.url)
        try:
            app.start()
            run = app.toy(steps=2, project_name="boxes")
            app.until(run, "completed")
            page = visit(f"{app.url}/?run={run}")
            page.locator("#run-publish-box > button").click()
            token = page.locator("#run-publish-token input")
            token.fill("hf_wrong")
            page.locator("#run-publish").click()
            expect(page.locator("#run-published")).to_contain_text("rejects the token")
            token.fill(TOKEN)
            page.locator("#run-publish").click()
            expect(page.locator("#run-published a")).to_have_attribute("href", f"{hub.url}/ana/boxes")
            expect(token).to_have_value("")  # it is not left lying about
            assert hub.files["box.txt"] == b"red" and hub.repositories["ana/boxes"]["visibility"] == "private"
        finally:
            app.close()


@pytest.mark.parametrize("way", ["address", "list"])
def test_the_status_is_polled_once_a_second_and_charts_are_plotted_meanwhile(app: App, visit: Visit, way: str) -> None:
    run = app.toy(steps=400, step_seconds=0.05, project_name=f"polled-{way}")
    app.until(run, "running")
    page = visit(f"{app.url}/?run={run}" if way == "address" else f"{app.url}/?tab=runs")
    if way == "list":
        page.get_by_role("button", name=f"polled-{way}", exact=True).click()
    expect(page.locator("#run-live [data-part=progress]")).to_contain_text("of 400")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.wait_for_timeout(5000)
    polls = [url for url in sent if "component_server" in url]
    plots = [url for url in sent if "/run/" in url or "/queue/join" in url]
    assert 2 <= len(polls) <= 8, f"{len(polls)} polls in 5 s"
    assert plots, "the charts follow the run"
    app.service.stop(run)


def test_a_tab_in_the_address_is_shown_although_a_run_was_open(app: App, visit: Visit) -> None:
    run = app.toy(steps=2000, step_seconds=0.05, project_name="behind")
    page = visit(f"{app.url}/?run={run}")
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("behind")
    page.goto(f"{app.url}/?tab=image-classification")
    expect(page.locator("#image-classification-sample-0")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(page.locator("#run-live")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?tab=image-classification$"))
    app.service.stop(run)
