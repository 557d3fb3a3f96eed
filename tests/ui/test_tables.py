"""From a table to predictions, as a person does it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from tests.browser import ROOT, App, Page, sync_api

expect = sync_api.expect
TASK = "#tabular-classification"
CUSTOMERS = ROOT / "assets" / "samples" / "tabular" / "customers" / "customers.csv"


def test_from_a_table_to_a_row_and_a_file_of_predictions(app: App, visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(app.url, width=390, height=844)
    page.get_by_role("tab", name="Tables").click()
    page.locator(f"{TASK}-sample-0").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    # A column is said to be something else: it is checked anew, and stays so.
    table = page.locator(f"{TASK}-kinds-table")
    row = table.get_by_role("row").filter(has=page.get_by_role("gridcell", name="note", exact=True))
    expect(row).to_contain_text("Category")
    table.get_by_role("gridcell", name="note", exact=True).click()
    expect(page.locator(f"{TASK}-kinds-columns")).to_contain_text("note")
    page.get_by_label("Kind", exact=True).click()
    page.get_by_role("option", name="Text").click()
    page.locator(f"{TASK}-kinds-apply").click()
    expect(row).to_contain_text("set by you")
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")

    page.locator(f"{TASK}-check-next").click()
    page.get_by_label("Several models").check()
    page.locator(f"{TASK}-model-other").locator("input, textarea").fill("logistic regression, decision_tree, nonsense")
    expect(page.locator(f"{TASK}-problem")).to_contain_text("no model 'nonsense'")
    page.locator(f"{TASK}-model-other").locator("input, textarea").fill("logistic regression, decision_tree")
    expect(page.locator(f"{TASK}-problem")).not_to_contain_text("no model")
    page.locator(f"{TASK}-num-trials input").fill("3")
    page.locator(f"{TASK}-model-next").click()
    page.locator(f"{TASK}-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=120_000)
    expect(page.locator("#run-report")).to_contain_text("Leaderboard")
    expect(page.locator("#run-samples-box")).to_contain_text("Leaderboard after each trial")
    run = app.service.runs()[0]
    spec = (app.service.snapshot(run["id"]) or {})["spec"]
    assert spec["model"] == "logistic_regression,decision_tree" and spec["data"]["options"]["kinds"] == {"note": "text"}

    form = page.locator("#try-it-row")
    expect(form.get_by_label("plan")).to_have_value("basic")
    form.get_by_label("faults").fill("9")
    form.get_by_label("age").fill("")
    page.get_by_role("button", name="Predict this row").click()
    expect(page.locator("#try-it-prediction")).to_contain_text("left")
    page.set_input_files("#try-it-table input[type=file]", CUSTOMERS)
    expect(page.locator("#try-it-prediction")).to_contain_text("600 rows")
    with page.expect_download() as found:
        page.locator("#try-it-prediction a").click()
    found.value.save_as(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 600 and sum(r["prediction"] == r["outcome"] for r in rows) > 420
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_findings_of_a_large_table_are_shown_while_its_rows_are_written(
    app: App, visit: Callable[..., Page], tmp_path: Path
) -> None:
    lines = "".join(f"note {i},{'ab'[i % 2]}\n" for i in range(100_000))
    (tmp_path / "large.csv").write_text(f"text,label\n{lines},a\n")
    task, hold = "#text-classification", app.home / "hold"
    hold.touch()
    try:
        page = visit(app.url)
        page.get_by_role("tab", name="Text", exact=True).click()
        page.locator(f"{task}-files input[type=file]").set_input_files(tmp_path / "large.csv")
        expect(page.get_by_text("Writing the rows for the training")).to_be_visible(timeout=60_000)
        expect(page.locator(f"{task}-detected")).to_contain_text("Ready to train")
        expect(page.locator(f"{task}-detected")).to_contain_text("1 row dropped")
        expect(page.locator(f"{task}-gallery")).to_contain_text("training")
        expect(page.locator(f"{task}-check-next")).to_be_disabled()
    finally:
        hold.unlink()
    expect(page.locator(f"{task}-check-next")).to_be_enabled(timeout=30_000)
    expect(page.get_by_text("Writing the rows for the training")).to_have_count(0)
    expect(page.locator(f"{task}-detected")).to_contain_text("100,001")
