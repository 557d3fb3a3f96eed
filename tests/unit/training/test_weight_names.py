"""Checkpoints restore the weights of models whose weights have other names in saved files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import Trainer, TrainingArguments, ViTConfig, ViTForImageClassification, ViTImageProcessor

from autotrain_gradio.tasks.image_classification import train as task
from autotrain_gradio.training import trainer_internals
from tests.trials import trial

__all__ = ["trial"]


def vit(**labels: Any) -> ViTForImageClassification:
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return ViTForImageClassification(ViTConfig(**small, image_size=32, patch_size=16, **labels))


def test_the_best_checkpoint_is_loaded_whatever_the_saved_names(tmp_path: Path) -> None:
    model = vit()
    model.save_pretrained(tmp_path / "saved")
    names = set(model.state_dict())
    assert set(load_file(tmp_path / "saved" / "model.safetensors")) != names, "without other names this proves nothing"
    args = TrainingArguments(
        str(tmp_path / "run"), report_to="none", save_only_model=True, save_strategy="epoch", use_cpu=True
    )
    trainer = Trainer(model, args)
    trainer.args.load_best_model_at_end = True
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    with trainer_internals.native_weight_names(trainer):
        trainer_internals.save_checkpoint(trainer)
        with torch.no_grad():
            for weight in model.parameters():
                weight.zero_()
        trainer.state.best_model_checkpoint = str(tmp_path / "run" / "checkpoint-0")
        trainer_internals.load_best_model(trainer)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    model.save_pretrained(tmp_path / "again")
    files = [load_file(tmp_path / name / "model.safetensors") for name in ("saved", "again")]
    assert files[0].keys() == files[1].keys(), "the model is saved under its public names"


def test_a_training_of_a_vit_keeps_its_best_weights_and_resumes(
    trial: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vit(num_labels=2).save_pretrained(tmp_path / "vit")
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "vit")
    made = trial(model=str(tmp_path / "vit"), epochs=3)
    run = made.reporter()
    task.train(run)
    best = next(e["path"] for e in reversed(made.events("checkpoint")) if e["best"])
    saved = ViTForImageClassification.from_pretrained(run.model).state_dict()
    stored = load_file(run.directory / best / "model.safetensors")
    assert stored.keys() == saved.keys() and all(torch.equal(stored[name], saved[name]) for name in saved)
    loaded: list[Any] = []
    original = torch.nn.Module.load_state_dict

    def recording(self: Any, *args: Any, **kwargs: Any) -> Any:
        loaded.append(original(self, *args, **kwargs))
        return loaded[-1]

    monkeypatch.setattr(torch.nn.Module, "load_state_dict", recording)
    task.train(made.reporter(attempt=2))
    assert loaded and not any(found.missing_keys for found in loaded)
