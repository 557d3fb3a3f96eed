"""Image classification models that cannot be used, the probe of a model, and the tiny model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import (
    AutoImageProcessor,
    AutoModelForImageClassification,
    BertConfig,
    ViTConfig,
    ViTForImageClassification,
)

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.image_classification import train
from autotrain_gradio.training import image_models as models
from autotrain_gradio.training import saved


def open_it(name: object, tmp_path: Path, labels: tuple[str, ...] = ("a", "b")) -> tuple[Any, Any, Any]:
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return models.open_model(str(name), labels, seed=1, scratch=tmp_path / "scratch")


def refused(name: object, tmp_path: Path) -> tuple[str, str]:
    with pytest.raises(UserError) as caught:
        open_it(name, tmp_path)
    finding = caught.value.findings[0]
    assert str(name) in finding.message and finding.hint
    return finding.code, finding.message


def test_invalid_model_folders_are_refused_with_a_reason(tmp_path: Path) -> None:
    good = models.tiny_model(tmp_path / "good", ["a", "b"])
    assert refused(tmp_path / "none", tmp_path)[0] == "model-not-found"
    broken = Path(shutil.copytree(good, tmp_path / "broken"))
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert refused(broken, tmp_path)[0] == "model-broken"
    weights.unlink()
    assert refused(broken, tmp_path)[0] == "model-broken"
    no_processor = Path(shutil.copytree(good, tmp_path / "no_processor"))
    (no_processor / "preprocessor_config.json").unlink()
    assert refused(no_processor, tmp_path)[0] == "model-broken"
    BertConfig(architectures=["BertForMaskedLM"]).save_pretrained(tmp_path / "bert")
    code, message = refused(tmp_path / "bert", tmp_path)
    assert code == "model-wrong-task" and "BertForMaskedLM" in message
    own_code = tmp_path / "own_code"
    own_code.mkdir()
    (own_code / "config.json").write_text(json.dumps({"model_type": "mine", "auto_map": {"AutoModel": "code.Mine"}}))
    code, message = refused(own_code, tmp_path)
    assert code == "model-wrong-task" and "custom code" in message
    grey = Path(shutil.copytree(good, tmp_path / "grey"))
    config = json.loads((grey / "config.json").read_text())
    (grey / "config.json").write_text(json.dumps({**config, "num_channels": 1}))
    code, message = refused(grey, tmp_path)
    assert code == "model-wrong-task" and "1 channel" in message


def test_weights_saved_in_16_bits_are_trained_in_32(tmp_path: Path) -> None:
    folder = models.tiny_model(tmp_path / "half", ["a", "b"])
    from transformers import AutoModelForImageClassification

    AutoModelForImageClassification.from_pretrained(folder).half().save_pretrained(folder)
    model, _, _ = open_it(folder, tmp_path)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_multi_label_base_model_becomes_single_label(tmp_path: Path) -> None:
    folder = models.tiny_model(tmp_path / "base", ["a", "b"])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "problem_type": "multi_label_classification"}))
    model, _, _ = open_it(folder, tmp_path, ("x", "y", "z"))
    assert model.config.problem_type == "single_label_classification"
    assert model.config.id2label == {0: "x", 1: "y", 2: "z"} and model.config.label2id == {"x": 0, "y": 1, "z": 2}


def test_the_tiny_model_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, two, other = (models.tiny_model(tmp_path / str(i), ["a", "b"], seed=s) for i, s in enumerate((1, 1, 2)))
    weights = [(f / "model.safetensors").read_bytes() for f in (one, two, other)]
    assert weights[0] == weights[1] != weights[2]


def test_a_frozen_backbone_stays_in_evaluation_mode(tmp_path: Path) -> None:
    model, _, _ = open_it("tiny", tmp_path)
    models.freeze_backbone(model)
    model.train()
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms and not any(n.training for n in norms) and model.classifier.training
    assert {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad} == {"classifier"}


def test_batch_normalization_in_several_processes_is_noted(tmp_path: Path) -> None:
    model, _, _ = open_it("tiny", tmp_path)
    note = models.batch_norm_note(model, 3, 8)
    assert "each of the 3 processes normalizes its own 8 images of a step, not all 24 together" in note
    assert models.batch_norm_note(model, 1, 8) == "" and models.batch_norm_note(_Headless(), 3, 8) == ""


def test_a_model_without_a_head_cannot_be_frozen() -> None:
    with pytest.raises(UserError, match="The head of"):
        models.freeze_backbone(_Headless())


class _Headless(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    @property
    def base_model(self) -> torch.nn.Module:
        return self


def test_a_difference_of_the_saved_model_is_detected(tmp_path: Path) -> None:
    model, processor, _ = open_it("tiny", tmp_path)
    folder = tmp_path / "saved"
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    public = (model, AutoModelForImageClassification, AutoImageProcessor)
    saved.verify(folder, *public, classes=2)
    with pytest.raises(UserError, match="2 classes instead of 3"):
        saved.verify(folder, *public, classes=3)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    with pytest.raises(UserError, match="differs"):
        saved.verify(folder, *public, classes=2)


def probe(model: object) -> dict[str, Any]:
    return train.probe(RunSpec(task="image-classification", model=str(model)), SimpleNamespace(), {})


def test_a_probe_reports_size_parameters_and_labels_without_weights(tmp_path: Path) -> None:
    config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, image_size=32)
    config.id2label = {0: "cat", 1: "dog"}
    config.save_pretrained(tmp_path)
    from transformers import ViTImageProcessor

    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    found = probe(tmp_path)
    assert found["findings"] == [] and found["input_size"] == [32, 32] and found["labels"] == ["cat", "dog"]
    assert found["parameters"] == sum(p.numel() for p in ViTForImageClassification(config).parameters())
    tiny = probe("tiny")
    assert tiny["findings"] == [] and tiny["input_size"] == [64, 64] and 100_000 < tiny["parameters"] < 1_000_000
    json.dumps([found, tiny])


@pytest.mark.parametrize(
    ("model", "code"),
    [("nobody/nothing", "hub-unreachable"), ("a model with spaces", "model-not-found"), ("./none", "model-not-found")],
)
def test_a_probe_of_a_missing_model_is_a_finding(model: str, code: str) -> None:
    assert [f["code"] for f in probe(model)["findings"]] == [code]
