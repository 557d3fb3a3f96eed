"""From data to a trained model, as a person does it."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.browser import SAMPLES, TASK, App, Page, sync_api

expect = sync_api.expect
Visit = Callable[..., Page]
QUICK_YAML = (
    "task: image-classification\nmodel: tiny\nproject_name: shapes-model\ndata:\n  source: sample\n  path: shapes\n"
    "params:\n  epochs: {epochs}\n  batch_size: 16\n"
)


def use_sample(page: Page) -> None:
    """Go from the first step to a finished check."""
    page.locator(f"{TASK}-sample-0").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")


def paste(page: Page, text: str) -> None:
    """Fill the form with YAML, on the third step."""
    page.locator(f"{TASK}-views > button").click()
    page.get_by_role("tab", name="Paste YAML").click()
    page.locator(f"{TASK}-paste textarea").fill(text)
    page.locator(f"{TASK}-paste-fill").click()


def test_from_the_sample_to_a_prediction(app: App, visit: Visit, tmp_path: Path) -> None:
    page = visit(app.url)
    use_sample(page)
    assert page.locator(f"{TASK}-gallery img").count() >= 12
    assert page.locator(f"{TASK}-gallery img").first.evaluate("img => img.decode().then(() => img.naturalWidth)") > 0
    expect(page.locator(f"{TASK}-profile")).to_contain_text("leaf")

    page.locator(f"{TASK}-check-next").click()
    page.get_by_label("Tiny, from scratch").check()
    # The form follows the model: what suits the first suggestion does not suit an untrained one.
    expect(page.locator(f"{TASK}-epochs input")).to_have_value("20")
    page.locator(f"{TASK}-epochs input").fill("3")
    expect(page.locator(f"{TASK}-estimate")).to_contain_text("3 epochs of 72 rows")
    page.locator(f"{TASK}-project-name").locator("input, textarea").fill("bad/name")
    expect(page.locator(f"{TASK}-problem")).to_contain_text("cannot name a model")
    page.locator(f"{TASK}-project-name").locator("input, textarea").fill("shapes")
    expect(page.locator(f"{TASK}-problem")).not_to_contain_text("cannot name a model")
    page.locator(f"{TASK}-model-next").click()
    expect(page.locator(f"{TASK}-ready")).to_contain_text("tiny, from scratch")

    # Two clicks are one run.
    page.locator(f"{TASK}-start").dblclick()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("shapes")
    expect(page).to_have_url(re.compile(r"\?run=\d{8}-\d{6}-"))
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed", timeout=120_000)
    assert len([r for r in app.service.runs() if r["task"] == "image-classification"]) == 1
    expect(page.locator("#run-report")).to_contain_text("Confusion matrix")
    expect(page.locator("#run-samples img")).to_have_count(8)
    assert page.locator("#run-chart-0 canvas, #run-chart-0 svg").count() > 0

    page.locator("#try-it-image input[type=file]").set_input_files(str(SAMPLES / "star" / "star_03.jpg"))
    expect(page.locator("#try-it-prediction")).to_contain_text("leaf")
    expect(page.locator("#try-it-prediction")).to_contain_text("%")

    with page.expect_download() as downloading:
        page.locator("#run-download").click()
    downloading.value.save_as(tmp_path / "model.zip")
    names = zipfile.ZipFile(tmp_path / "model.zip").namelist()
    assert "shapes/README.md" in names and "shapes/config.json" in names

    # Starting again brings its settings and its data back, checked and ready to be changed.
    page.locator("#run-again").click()
    page.locator(f"{TASK}-check-next").click()  # once it was checked
    expect(page.locator(f"{TASK}-epochs input")).to_be_visible()
    expect(page.locator(f"{TASK}-epochs input")).to_have_value("3")
    expect(page.locator(f"{TASK}-project-name").locator("input, textarea")).to_have_value("shapes")


def test_pasted_yaml_fills_the_form_and_reports_errors(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    page.locator(f"{TASK}-check-next").click()
    paste(page, QUICK_YAML.format(epochs=7) + "  lrr: 1\n")
    expect(page.locator(f"{TASK}-paste-problem")).to_contain_text("Did you mean 'lr'?")
    page.locator(f"{TASK}-paste textarea").fill("task: [")
    page.locator(f"{TASK}-paste-fill").click()
    expect(page.locator(f"{TASK}-paste-problem")).to_contain_text("not valid YAML")
    page.locator(f"{TASK}-paste textarea").fill(QUICK_YAML.format(epochs=7))
    page.locator(f"{TASK}-paste-fill").click()
    expect(page.locator(f"{TASK}-epochs input")).to_have_value("7")
    expect(page.locator(f"{TASK}-batch-size input")).to_have_value("16")
    assert page.get_by_label("Tiny, from scratch").is_checked()
    # And the view follows the form back.
    page.locator(f"{TASK}-views > button").click()
    page.locator(f"{TASK}-epochs input").fill("9")
    expect(page.locator(f"{TASK}-yaml")).to_contain_text("epochs: 9")


def test_a_zip_with_invalid_files_has_findings_and_fixes(app: App, visit: Visit, tmp_path: Path) -> None:
    zipped = tmp_path / "photos.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for folder, source in (("Star", "star"), ("star ", "star"), ("leaf", "leaf")):
            for number, file in enumerate(sorted((SAMPLES / source).iterdir())):
                if number % 2 == (folder == "Star") and number < 20:
                    archive.write(file, f"photos/{folder}/{file.name}")
        archive.writestr("photos/leaf/broken.jpg", b"\xff\xd8\xff no picture")
        archive.writestr("photos/leaf/nothing.png", b"")
    page = visit(app.url)
    page.locator(f"{TASK}-files input[type=file]").set_input_files(str(zipped))
    findings = page.locator(f"{TASK}-findings")
    expect(findings).to_contain_text("broken.jpg")
    expect(findings).to_contain_text("nothing.png")
    expect(page.locator(f"{TASK}-detected")).to_contain_text("2 rows dropped")
    findings.locator("button[data-fix]").first.click()
    expect(page.locator(f"{TASK}-detected .at-numbers")).to_contain_text(re.compile(r"Classes\s*2"))
    expect(findings.locator("button[data-fix]")).to_have_count(0)

    # The place is free again for other files.
    bomb = tmp_path / "outside.zip"
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("../outside.jpg", b"x")
    page.locator(f"{TASK}-step-1-button").click()
    expect(page.locator(f"{TASK}-data-note")).to_contain_text("photos.zip")
    page.locator(f"{TASK}-files input[type=file]").set_input_files(str(bomb))
    expect(findings).to_contain_text("../outside.jpg")
    expect(page.locator(f"{TASK}-check-next")).to_be_disabled()


def test_a_task_of_another_package_has_a_tab_that_works(app: App, visit: Visit, tmp_path: Path) -> None:
    notes = tmp_path / "notes.mood"
    notes.write_text("".join(f"glad: sunny day {n}\nsad: rainy evening {n}\n" for n in range(10)))
    page = visit(app.url)
    page.get_by_role("tab", name="Moods").click()
    page.locator("#mood-reading-files input[type=file]").set_input_files(str(notes))
    expect(page.locator("#mood-reading-detected")).to_contain_text("Lines with a mood in front")
    page.locator("#mood-reading-check-next").click()
    page.locator("#mood-reading-preview-box > button").click()
    page.locator("#mood-reading-preview-show").click()
    expect(page.locator("#mood-reading-preview")).to_contain_text("sunny")
    page.locator("#mood-reading-model-next").click()
    page.locator("#mood-reading-start").click()
    expect(page.locator("#run-live [data-part=header]")).to_contain_text("Completed")
    page.locator("#try-it-text").get_by_role("textbox").fill("a sunny day")
    page.locator("#try-it-ask").click()
    expect(page.locator("#try-it-prediction")).to_contain_text("glad")


def test_publishing_is_requested_before_training(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    page.locator(f"{TASK}-check-next").click()
    page.locator(f"{TASK}-model-next").click()
    page.locator(f"{TASK}-hub > button").click()
    page.locator(f"{TASK}-push-to-hub input").check()
    page.locator(f"{TASK}-hub-username input").fill("lab")
    page.locator(f"{TASK}-hub-username input").blur()
    page.locator(".stepper button:visible", has_text="Model").click()
    page.locator(f"{TASK}-views > button").click()
    expect(page.locator(f"{TASK}-yaml")).to_contain_text("push_to_hub: true")
    expect(page.locator(f"{TASK}-yaml")).to_contain_text("username: lab")


def test_a_draft_comes_back_after_a_reload(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    page.reload()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{TASK}-check-next")).to_be_enabled()
    # What was changed since the check comes back, too.
    page.locator(f"{TASK}-check-next").click()
    epochs = page.locator(f"{TASK}-epochs input")
    epochs.fill("7")
    epochs.blur()
    expect(page.locator(f"{TASK}-estimate")).to_contain_text("7 epochs")
    page.reload()
    page.locator(f"{TASK}-check-next").click()
    expect(page.locator(f"{TASK}-epochs input")).to_have_value("7")


def test_a_reload_comes_back_to_the_tab_that_was_open(app: App, visit: Visit) -> None:
    page = visit(app.url)
    page.get_by_role("tab", name="Tables").click()
    page.get_by_role("tab", name="Table regression").click()
    expect(page).to_have_url(re.compile(r"\?tab=tabular-regression$"))
    page.reload()
    expect(page.locator("#tabular-regression-sample-0")).to_be_visible()


def test_earlier_steps_and_invalid_settings_can_be_corrected(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    page.locator(f"{TASK}-step-1-button, [role=tab]:has-text('Data'), button:has-text('Data')").first.click()
    page.locator(f"{TASK}-data-next").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")

    page.locator(f"{TASK}-split > button").click()
    fraction = page.locator(f"{TASK}-valid-fraction input")
    fraction.fill("1.5")
    page.locator(f"{TASK}-split-apply").click()
    expect(page.locator(f"{TASK}-findings")).to_contain_text("less than 1")
    expect(fraction).to_be_visible()
    fraction.fill("0.5")
    page.locator(f"{TASK}-split-apply").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    expect(page.locator(f"{TASK}-detected")).to_contain_text("45")


def test_expired_data_can_be_uploaded_again(app: App, visit: Visit) -> None:
    page = visit(app.url)
    use_sample(page)
    for draft in (app.home / "runs").iterdir():
        if not (draft / "spec.json").exists():
            shutil.rmtree(draft)
    page.locator(f"{TASK}-step-1-button, [role=tab]:has-text('Data'), button:has-text('Data')").first.click()
    use_sample(page)
    page.locator(f"{TASK}-check-next").click()
    expect(page.get_by_label("Tiny, from scratch")).to_be_visible()


def test_yaml_of_other_data_opens_the_check_step(app: App, visit: Visit, tmp_path: Path) -> None:
    page = visit(app.url)
    use_sample(page)
    page.locator(f"{TASK}-check-next").click()
    shutil.copytree(SAMPLES, tmp_path / "mine")
    paste(page, f"task: image_classification\nbase_model: tiny\ndata: {{path: {tmp_path / 'mine'}}}\n")
    page.locator(f"{TASK}-check-now").click()
    expect(page.locator(f"{TASK}-detected")).to_contain_text("Ready to train")
    page.locator(f"{TASK}-check-next").click()
    expect(page.locator(f"{TASK}-estimate")).to_contain_text("72 rows")
