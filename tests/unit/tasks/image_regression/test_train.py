"""Image regression on the bundled sample, and AutoTrain's configurations of it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from transformers import pipeline

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.image_regression import train as task
from autotrain_gradio.tasks.registry import resolve
from tests.trials import Trial

ROOT = Path(__file__).resolve().parents[4]
SAMPLE = ROOT / "assets" / "samples" / "image_regression"
YAML = """
task: {task}
base_model: google/vit-base-patch16-224
project_name: autotrain-image-regression
log: tensorboard
backend: local
data:
  path: {path}
  train_split: train
  valid_split: null
  column_mapping:
    image_column: file_name
    target_column: filled
params:
  epochs: 2
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
"""


@pytest.mark.parametrize("name", ["image_regression", "image-regression", "image-scoring", "image_scoring"])
def test_autotrain_yaml_resolves_and_checks(tmp_path: Path, name: str) -> None:
    spec, _ = from_yaml(YAML.format(task=name, path=SAMPLE / "gauges"), {})
    resolved = resolve(spec)
    assert resolved.task.name == "image-regression" and resolved.params.lr == 2e-5
    assert resolved.spec.data.columns == {"image": "file_name", "target": "filled"}
    result = data.check(tmp_path, data.Request.of(resolved))
    assert not [f for f in result["findings"] if f["level"] == "error"]
    assert sorted(data.load(tmp_path)["train"].column_names) == ["image", "target:filled"]


def test_a_model_learns_the_sample_and_predicts_in_the_unit_of_the_target(tmp_path: Path) -> None:
    made = Trial(
        tmp_path / "run",
        {
            "task": "image-regression",
            "model": "tiny",
            "project_name": "gauges",
            "data": {"source": "sample", "path": "gauges"},
        },
    )
    run = made.reporter()
    task.train(run)
    assert made.events("result")[-1]["values"]["eval_r2"] > 0.6
    report = {p["title"]: p for p in json.loads((made.directory / "report.json").read_text())}
    assert list(report)[-3:] == ["Largest errors", "What the model looks at", "Training"]
    maps = report["What the model looks at"]["items"]
    assert [i["caption"] for i in maps] == [i["caption"] for i in report["Largest errors"]["items"]][:8]
    empty, full = sorted(SAMPLE.glob("gauges/images/*.jpg"))[:2]
    predictor = task.load(made.directory)
    found = predictor([{"image": str(empty)}, {"image": str(full)}])
    public = pipeline("image-classification", model=str(run.model))
    for path, prediction in zip((empty, full), found, strict=True):
        score = public(str(path), function_to_apply="none")[0]
        assert prediction["values"] == {"filled": pytest.approx(score["score"], abs=0.1)}
    explained = predictor.explain(str(full))
    assert [i["caption"] for i in explained["items"]] == ["filled"]
    assert (made.directory / explained["items"][0]["file"]).is_file()
    with pytest.raises(UserError, match="No image"):
        predictor([{"image": None}])
    assert [p["title"] for p in made.events("sample")[-1:] and [made.events("sample")[-1]["panel"]]] == [
        "Predictions on the same validation images"
    ]
    panels = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"images": 2, "versions": 1})
    assert len(panels[0]["items"]) == 4


def test_the_sample_equals_the_output_of_its_script(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_gauges", SAMPLE.parent / "make_gauges.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.*")}
    assert len(made) == 121 and {name: (SAMPLE / name).read_bytes() for name in made} == made
