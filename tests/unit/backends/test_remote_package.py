"""What is uploaded of a run, so that a machine can train it; also the files of a server folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from autotrain_gradio import data
from autotrain_gradio.backends.price import Flavor, Quote, format_cost
from autotrain_gradio.backends.remote import cost, package
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.data.pipeline import materialize
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry

SHAPES = Path(__file__).resolve().parents[3] / "assets/samples/image_classification/shapes"


@pytest.mark.parametrize("source", ["path", "sample"])
def test_data_outside_of_the_run_is_uploaded_and_can_be_loaded_elsewhere(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "shapes"
    if source == "path":
        shutil.copytree(SHAPES, folder)
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    draft = service.draft("image-classification")
    service.check(
        draft,
        {
            "task": "image-classification",
            "data": {"source": source, "path": str(folder) if source == "path" else "shapes"},
        },
    )
    directory = service.store.get(draft).directory
    service.close()
    root = json.loads((directory / "data/manifest.json").read_text())["root"]
    assert root == (str(folder) if source == "path" else "sample:image_classification/shapes")
    files = package.files_of(directory, resume=False)
    elsewhere = tmp_path / "elsewhere"
    for name, content in files.items():
        target = elsewhere / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    run = elsewhere / "run"
    assert not (run / "check").exists() and not (run / "data/thumbs").exists()
    manifest = json.loads((run / "data/manifest.json").read_text())
    materialize.refuse_changed(run, manifest)
    rows = data.load(run)["train"]
    assert all(Path(row["image"]["path"]).is_relative_to(run) for row in rows) and len(rows) > 10
    assert all(Path(row["image"]["path"]).is_file() for row in rows)


def test_data_of_a_server_folder_that_was_not_checked_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "spec.json").write_text(json.dumps({"data": {"source": "path", "path": str(tmp_path)}}))
    with pytest.raises(DataError, match="its check has not ended"):
        package.files_of(run, resume=False)
    (run / "spec.json").write_text(json.dumps({"data": {"source": "hub", "path": "ana/reviews"}}))
    assert set(package.files_of(run, resume=False)) > {"run/spec.json"}


def test_only_the_latest_checkpoint_is_uploaded_to_resume(tmp_path: Path) -> None:
    for step in (5, 10, 9):
        (tmp_path / f"checkpoints/checkpoint-{step}").mkdir(parents=True)
        (tmp_path / f"checkpoints/checkpoint-{step}/state.json").write_text("{}")
    sent = [name for name in package.files_of(tmp_path, resume=True) if "checkpoints" in name]
    assert sent == ["run/checkpoints/checkpoint-10/state.json"]
    assert not [name for name in package.files_of(tmp_path, resume=False) if "checkpoints" in name]


def test_a_task_is_installed_with_its_extra() -> None:
    (app,) = package.requirements(registry().get("llm-sft"), "/autotrain")
    assert app.startswith("autotrain-gradio[language-models] @ file:///autotrain/package/autotrain_gradio-")


def test_the_limit_is_the_smaller_of_time_and_cost() -> None:
    assert cost.limit_of(ResourceSpec(timeout="1h", max_cost=10), 2.0) == 3600
    assert cost.limit_of(ResourceSpec(timeout="10h", max_cost=10), 2.0) == 5 * 3600
    assert cost.limit_of(ResourceSpec(), 2.0) is None
    assert Quote("a", "A", 2.0, 5400.0).text() == "A: 2.00 USD per hour; at most 1 h 30 min, so at most 3.00 USD."
    assert Flavor("a", "A", 1.005).text() == "A, 1.01 USD per hour"
    assert format_cost(0.001) == "0.01 USD" and format_cost(2) == "2.00 USD"
