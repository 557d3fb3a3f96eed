"""Checkpoints of older versions, whose weights have other names than the modules, and of other models."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    ASTConfig,
    ASTForAudioClassification,
    BertConfig,
    BertForMaskedLM,
    PreTrainedModel,
    SwinConfig,
    SwinForImageClassification,
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from autotrain_gradio.tasks.image_classification import train as task
from autotrain_gradio.training import checkpoint_weights, trainer_internals
from tests.trials import trial

__all__ = ["trial"]

SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


def vit(**settings: Any) -> ViTForImageClassification:
    return ViTForImageClassification(ViTConfig(**SMALL, image_size=32, patch_size=16, **settings))


MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "vit": vit,
    "swin": lambda: SwinForImageClassification(
        SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 1], window_size=4)
    ),
    "ast": lambda: ASTForAudioClassification(ASTConfig(**SMALL, max_length=32, num_mel_bins=16)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_checkpoint_with_the_names_of_an_older_version_is_converted(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    model.save_pretrained(tmp_path)
    assert checkpoint_weights.missing_weights(model, tmp_path), "without other names this proves nothing"
    assert checkpoint_weights.convert(model, tmp_path)
    assert checkpoint_weights.missing_weights(model, tmp_path) == []
    stored, weights = load_file(tmp_path / "model.safetensors"), model.state_dict()
    assert stored.keys() == weights.keys() and all(torch.equal(stored[n], weights[n]) for n in weights)
    assert not list(tmp_path.glob("*.part"))


def test_tied_weights_and_adapters_are_stored_once_and_not_missing(tmp_path: Path) -> None:
    tied = BertForMaskedLM(BertConfig(**SMALL, vocab_size=20))
    tied.save_pretrained(tmp_path / "tied")
    stored = load_file(tmp_path / "tied" / "model.safetensors")
    assert stored.keys() < tied.state_dict().keys()
    assert checkpoint_weights.missing_weights(tied, tmp_path / "tied") == []
    stored.pop("bert.embeddings.word_embeddings.weight")
    save_file(stored, tmp_path / "tied" / "model.safetensors")
    assert "bert.embeddings.word_embeddings.weight" in checkpoint_weights.missing_weights(tied, tmp_path / "tied")

    adapted = get_peft_model(tied, LoraConfig(target_modules=["query", "value"], modules_to_save=["cls"]))
    adapted.save_pretrained(tmp_path / "adapter")
    assert checkpoint_weights.missing_weights(adapted, tmp_path / "adapter") == []
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    adapter = load_file(file)
    removed = next(name for name in adapter if "lora_B" in name)
    save_file({name: weight for name, weight in adapter.items() if name != removed}, file)
    assert checkpoint_weights.missing_weights(adapted, tmp_path / "adapter") == [removed]
    assert not checkpoint_weights.convert(adapted, tmp_path / "adapter")


def test_a_checkpoint_of_another_model_is_not_changed(tmp_path: Path) -> None:
    vit(num_labels=2).save_pretrained(tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    for other in (vit(num_labels=3), MODELS["swin"]()):
        assert checkpoint_weights.missing_weights(other, tmp_path)
        assert not checkpoint_weights.convert(other, tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == before


@contextmanager
def public_names(trainer: Trainer) -> Any:
    """Write checkpoints as versions before `native_weight_names` did."""
    yield


def trained_by_an_older_version(
    trial: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, list[int]]:
    """Return a run of three epochs whose checkpoints have public names, and the steps of its checkpoints."""
    vit(num_labels=2).save_pretrained(tmp_path / "vit")
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "vit")
    made = trial(model=str(tmp_path / "vit"), epochs=3)
    with monkeypatch.context() as patch:
        patch.setattr(trainer_internals, "native_weight_names", public_names)
        task.train(made.reporter())
    folders = (made.directory / "checkpoints").glob("checkpoint-*")
    return made, sorted(int(f.name.removeprefix("checkpoint-")) for f in folders)


def test_a_run_of_an_older_version_resumes_with_the_weights_of_its_checkpoints(
    trial: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, steps = trained_by_an_older_version(trial, tmp_path, monkeypatch)
    folder = made.directory / "checkpoints"
    public = ViTForImageClassification.from_pretrained(folder / f"checkpoint-{steps[-1]}").state_dict()
    resumed: list[dict[str, torch.Tensor]] = []
    train = Trainer._inner_training_loop

    def recording(self: Any, *args: Any, **kwargs: Any) -> Any:
        resumed.append({name: weight.clone() for name, weight in self.model.state_dict().items()})
        return train(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "_inner_training_loop", recording)
    task.train(made.reporter(attempt=2))
    assert resumed[0].keys() == public.keys() and all(torch.equal(resumed[0][n], public[n]) for n in public)
    notes = [e["message"] for e in made.events("note") if e["attempt"] == 2]
    assert any(f"step {steps[-1]} was written by an older version" in note for note in notes), notes
    state = json.loads((folder / f"checkpoint-{steps[-1]}" / "trainer_state.json").read_text())
    best = load_file(Path(state["best_model_checkpoint"]) / "model.safetensors")
    saved = ViTForImageClassification.from_pretrained(made.directory / "model").state_dict()
    assert all(torch.equal(best[name], saved[name]) for name in saved)


def test_a_checkpoint_that_lacks_weights_is_moved_aside_for_the_previous_one(
    trial: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, steps = trained_by_an_older_version(trial, tmp_path, monkeypatch)
    latest = made.directory / "checkpoints" / f"checkpoint-{steps[-1]}"
    weights = load_file(latest / "model.safetensors")
    weights.pop("classifier.weight")
    save_file(weights, latest / "model.safetensors")
    task.train(made.reporter(attempt=2))
    notes = [e["message"] for e in made.events("note") if e["attempt"] == 2]
    assert any(f"step {steps[-1]} lacks" in note and "was moved to unusable_checkpoints" in note for note in notes)
    aside = made.directory / "unusable_checkpoints" / latest.name
    assert load_file(aside / "model.safetensors").keys() == weights.keys(), "nothing of the user is lost"
    assert any(f"Resumed from the checkpoint of step {steps[-2]}" in note for note in notes)


def test_loading_a_part_of_the_weights_is_an_error(tmp_path: Path) -> None:
    trainer = Trainer(vit(), TrainingArguments(str(tmp_path / "run"), report_to="none", use_cpu=True))
    trainer.args.load_best_model_at_end = True
    trainer.state.best_model_checkpoint = str(tmp_path)
    trainer.model.save_pretrained(tmp_path)
    with trainer_internals.native_weight_names(trainer), pytest.raises(RuntimeError, match="lacks"):
        trainer_internals.load_best_model(trainer)
