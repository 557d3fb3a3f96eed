"""Image regression with several targets, missing and invalid numbers, and targets that are constant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from autotrain_gradio import data
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.image_regression import TASK
from autotrain_gradio.tasks.image_regression import train as task
from autotrain_gradio.tasks.registry import resolve
from tests.trials import Trial

Row = dict[str, str]
ROWS = 40


@pytest.fixture
def bars(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that draws bars of a width and a brightness, and writes the table of them.

    It is called with a function that changes the cells of a row, by its number.
    """

    def make(change: Callable[[int, Row], Row] = lambda number, row: row) -> Path:
        folder = tmp_path / "bars"
        folder.mkdir()
        draw = np.random.default_rng(0)
        rows = []
        for number in range(ROWS):
            width, light = int(draw.integers(4, 60)), int(draw.integers(60, 255))
            pixels = np.zeros((64, 64, 3), dtype=np.uint8)
            pixels[16:48, :width] = light
            Image.fromarray(pixels).save(folder / f"{number}.png")
            row = {"file_name": f"{number}.png", "width": f"{width} mm", "light": f"{light / 255:.3f}"}
            rows.append(change(number, row))
        lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
        (folder / "metadata.csv").write_text("\n".join(lines))
        return folder

    return make


def spec_of(folder: Path, *targets: str, **params: Any) -> dict[str, Any]:
    """Return the spec of a short training."""
    columns = {"image": "file_name", "target": list(targets)}
    return {
        "task": "image-regression",
        "model": "tiny",
        "project_name": "bars",
        "data": {"source": "path", "path": str(folder), "columns": columns},
        "params": {"epochs": 12, "lr": 5e-3, "horizontal_flip": False, "random_rotate90": False, **params},
    }


def checked(folder: Path, scratch: Path, *targets: str) -> dict[str, dict[str, Any]]:
    """Return code → finding of a check."""
    result = data.check(scratch, data.Request.of(resolve(spec_of(folder, *targets))))
    return {finding["code"]: finding for finding in result["findings"]}


def test_several_targets_are_predicted_together_each_in_its_unit(bars: Callable[..., Path], tmp_path: Path) -> None:
    folder = bars()
    made = Trial(tmp_path / "run", spec_of(folder, "width", "light"))
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    assert values["eval_r2"] > 0.5
    found = task.load(made.directory)([{"image": str(folder / f"{n}.png")} for n in range(8)])
    namespace: dict[str, Any] = {"model": str(made.directory / "model"), "value": str(folder / "0.png")}
    exec(TASK.loader_example, namespace)
    assert found[0]["values"] == pytest.approx(namespace["answer"], rel=0.05, abs=0.5)
    assert set(found[0]["values"]) == {"width", "light"} and found[0]["units"] == {"width": "mm"}
    spread = {name: np.std([f["values"][name] for f in found]) for name in ("width", "light")}
    assert spread["width"] > 20 * spread["light"], "each target keeps its own scale"
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    each = report["Each target"]["rows"]
    assert [row[0] for row in each] == ["width (mm)", "light"]
    assert np.mean([row[1] for row in each]) == pytest.approx(values["eval_r2"], abs=1e-3)
    assert all(i["caption"].startswith(("width ", "light ")) for i in report["Largest errors"]["items"])
    assert "standard deviations" in report["Largest errors"]["note"]
    card = (made.directory / "model" / "README.md").read_text()
    assert "width (mm): mean" in card and "light: mean" in card and "width: R²" in card


def test_missing_and_invalid_numbers_are_skipped_with_their_rows(bars: Callable[..., Path], tmp_path: Path) -> None:
    def change(number: int, row: Row) -> Row:
        return {
            **row,
            "width": {3: "", 4: "wide"}.get(number, row["width"]),
            "light": "" if number == 5 else row["light"],
        }

    found = checked(bars(change), tmp_path / "draft", "width", "light")
    assert {"number-missing", "number-unreadable"} <= set(found)
    assert all(found[code]["level"] == "warning" for code in ("number-missing", "number-unreadable"))
    assert "row 6" in found["number-unreadable"]["message"], "the header is row 1"
    rows = data.load(tmp_path / "draft")
    assert sum(len(part) for part in rows.values()) == ROWS - 3
    kept = {Path(cell["path"]).name for part in rows.values() for cell in part["image"]}
    assert not kept & {"3.png", "4.png", "5.png"}


def test_a_column_without_numbers_is_an_error(bars: Callable[..., Path], tmp_path: Path) -> None:
    found = checked(bars(lambda number, row: {**row, "width": ""}), tmp_path / "draft", "width")
    assert [code for code, finding in found.items() if finding["level"] == "error"], found


def test_a_constant_target_is_refused(bars: Callable[..., Path], tmp_path: Path) -> None:
    folder = bars(lambda number, row: {**row, "light": "0.5"})
    errors = {c: f for c, f in checked(folder, tmp_path / "draft", "light").items() if f["level"] == "error"}
    assert errors and all("light" in f["message"] + f["where"] for f in errors.values()), errors
    with pytest.raises(DataError):
        Trial(tmp_path / "run", spec_of(folder, "light")).reporter()
        data.ensure(tmp_path / "run", data.Request.of(resolve(spec_of(folder, "light"))))


def test_a_target_that_is_constant_in_validation_has_no_r2(bars: Callable[..., Path], tmp_path: Path) -> None:
    def change(number: int, row: Row) -> Row:
        last = number >= ROWS - 4
        return {**row, "light": "0.5" if last else row["light"], "split": "validation" if last else "train"}

    made = Trial(tmp_path / "run", spec_of(bars(change), "light", epochs=1, metric_for_best_model="r2"))
    task.train(made.reporter())
    values = made.events("result")[-1]["values"]
    assert "eval_r2" not in values and values["eval_mae"] > 0
    assert any("R² is undefined" in e["message"] for e in made.events("note"))
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert "so R² and Spearman are undefined" in report["Results"]["note"]
