"""AutoTrain's configurations of text regression, and the bundled samples."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.spec import from_yaml
from autotrain_gradio.tasks.registry import resolve

ROOT = Path(__file__).resolve().parents[4]
AUTOTRAIN = """
task: {task}
base_model: google-bert/bert-base-uncased
project_name: autotrain-bert-regression
log: tensorboard
backend: local
data:
  path: {path}
  train_split: train
  valid_split: null
  column_mapping:
    {text}: comment
    {target}: points
params:
  max_seq_length: 512
  epochs: 3
  batch_size: 4
  lr: 2e-5
  optimizer: adamw_torch
  scheduler: linear
  gradient_accumulation: 1
  mixed_precision: fp16
  early_stopping_patience: 5
  early_stopping_threshold: 0.01
hub:
  username: ${{HF_USERNAME}}
  token: ${{HF_TOKEN}}
  push_to_hub: false
"""


@pytest.mark.parametrize(
    ("task", "text", "target"),
    [
        ("text_regression", "text_column", "target_column"),
        ("text-regression", "text_column", "target_column"),
        ("text_single_column_regression", "text", "label"),
        ("text-single-column-regression", "sentence_column", "target_columns"),
    ],
)
def test_autotrain_yaml_resolves_and_checks(tmp_path: Path, task: str, text: str, target: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = "".join(f"remark number {i},{i % 9},{i}\n" for i in range(30))
    (folder / "train.csv").write_text("comment,points,other\n" + rows)
    given = AUTOTRAIN.format(task=task, path=folder, text=text, target=target)
    spec, _ = from_yaml(given, {"HF_USERNAME": "ana", "HF_TOKEN": "hf_x"})
    resolved = resolve(spec)
    assert resolved.task.name == "text-regression"
    assert resolved.spec.data.columns == {"text": "comment", "target": "points"}
    assert (resolved.params.lr, resolved.params.max_seq_length, resolved.params.mixed_precision) == (2e-5, 512, "fp16")
    draft = tmp_path / "draft"
    draft.mkdir()
    result = data.check(draft, data.Request.of(resolved))
    assert not [f for f in result["findings"] if f["level"] == "error"]
    assert result["mapping"] == {"text": ["comment"], "target": ["points"]}
    assert sorted(data.load(draft)["train"].column_names) == ["target:points", "text"]


def test_the_samples_equal_the_output_of_their_script(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_reviews", ROOT / "assets" / "samples" / "make_reviews.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_reviews"] = module
    spec.loader.exec_module(module)
    module.main(tmp_path)
    made = {p.relative_to(tmp_path): p.read_bytes() for p in tmp_path.rglob("*.*")}
    kept = ROOT / "assets" / "samples" / "text_regression"
    assert len(made) == 4 and {name: (kept / name).read_bytes() for name in made} == made


@pytest.mark.parametrize(
    ("sample", "targets"), [("reviews", ["rating"]), ("review-scores", ["room", "food", "service"])]
)
def test_the_samples_have_no_findings(tmp_path: Path, sample: str, targets: list[str]) -> None:
    resolved = resolve({"task": "text-regression", "data": {"source": "sample", "path": sample}})
    result = data.check(tmp_path, data.Request.of(resolved))
    assert result["mapping"]["target"] == targets
    assert {f["code"] for f in result["findings"]} <= {"column-guessed"}
    assert json.dumps(result["profile"])
