"""A custom script in the page: from the sample to charts and files; a script that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser import App, Page, sync_api

expect = sync_api.expect
TAB = "#custom-script"
HEADER = "#run-live [data-part=header]"


def _open(page: Page) -> None:
    page.get_by_role("tab", name="Scripts", exact=True).click()


def test_from_the_sample_to_charts_and_files(app: App, visit: Callable[..., Page]) -> None:
    page = visit(app.url)
    _open(page)
    page.locator(f"{TAB}-sample-0").click()
    detected = page.locator(f"{TAB}-detected")
    expect(detected).to_contain_text("Ready to train")
    expect(detected).to_contain_text("script.py will be run")
    expect(detected).not_to_contain_text("Rows")
    expect(page.locator(f"{TAB}-profile")).to_contain_text("passes over the training points")
    expect(page.locator(f"{TAB}-columns")).to_be_hidden()
    expect(page.locator(f"{TAB}-split")).to_be_hidden()
    page.locator(f"{TAB}-check-next").click()
    expect(page.locator(f"{TAB}-model")).to_be_hidden()
    page.locator(f"{TAB}-args textarea, {TAB}-args input").first.fill("--epochs 40 --lr 'x")
    expect(page.locator(f"{TAB}-problem")).to_contain_text("no closing quotation")
    page.locator(f"{TAB}-args textarea, {TAB}-args input").first.fill("--epochs 40")
    page.locator(f"{TAB}-metric textarea, {TAB}-metric input").first.fill("val_accuracy")
    page.locator(f"{TAB}-preview-box > button").click()
    page.locator(f"{TAB}-preview-show").click()
    expect(page.locator(f"{TAB}-preview")).to_contain_text("python script.py --epochs 40")
    page.locator(f"{TAB}-model-next").click()
    page.locator(f"{TAB}-start").click()
    expect(page.locator(HEADER)).to_contain_text("Completed", timeout=120_000)
    expect(page.locator("#run-report")).to_contain_text("network.json")
    for number, title in enumerate(("loss", "accuracy")):
        chart = page.locator(f"#run-chart-{number}")
        expect(chart).to_contain_text(title)
        expect(chart.locator("canvas, svg").first).to_be_visible()
    expect(page.locator("#run-live [data-part=tiles] dt").first).to_have_text("val_accuracy")
    expect(page.locator("#run-download")).to_have_text("Download the files")
    page.locator("#run-back").click()
    expect(page.locator("#runs-list")).to_contain_text("val_accuracy")


def test_a_failing_script_shows_its_error_and_output(app: App, visit: Callable[..., Page], tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('reading')\nraise ValueError('no such column')\n")
    page = visit(app.url, width=390, height=800)
    _open(page)
    page.locator(f"{TAB}-files input[type=file]").set_input_files(str(script))
    expect(page.locator(f"{TAB}-detected")).to_contain_text("Ready to train")
    page.locator(f"{TAB}-check-next").click()
    page.locator(f"{TAB}-model-next").click()
    page.locator(f"{TAB}-start").click()
    expect(page.locator(HEADER)).to_contain_text("Failed", timeout=120_000)
    expect(page.locator("#run-live [data-part=reason]")).to_contain_text("status 1: ValueError: no such column")
    expect(page.locator("#run-live [data-part=reason]")).to_contain_text("script.py, line 2")
    expect(page.locator("#run-report")).to_contain_text("reading")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
