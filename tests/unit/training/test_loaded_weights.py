"""Weights that are pickled, missing, of another model or NaN are named before the training; never random instead."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.text_classification import models
from autotrain_gradio.training import loaded_weights

LABELS = ["red", "green", "blue"]


class Unsafe:
    """An object whose unpickling would run code."""

    def __reduce__(self) -> Any:
        return (print, ("this must not run",))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.tiny_model(tmp_path_factory.mktemp("saved") / "model", ["a", "b"], texts=["red ball"], seed=1)


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


def open_model(folder: Path) -> Any:
    return models.open_model(
        str(folder), LABELS, multi_label=False, texts=["x"], seed=1, scratch=folder.parent / "scratch"
    )


def configure(folder: Path, **change: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"x": Unsafe()}, folder / "pytorch_model.bin")


def sharded(folder: Path) -> None:
    names = list(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    shards = {name: f"model-0000{1 + n % 2}-of-00002.safetensors" for n, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))


def of_another(folder: Path) -> None:
    save_file({"a.b": torch.zeros(2)}, folder / "model.safetensors", metadata={"format": "pt"})


BROKEN: dict[str, tuple[Callable[[Path], Any], str]] = {
    "pickled": (pickled, "are pickled, and contain more than tensors"),
    "missing shards": (sharded, "lists 2 files that are missing: model-00001-of-00002"),
    "an index that is a list": (lambda f: (f / "model.safetensors.index.json").write_text("[]"), "index.json"),
    "weights of another model": (of_another, "belongs to another model"),
    "other hidden size": (lambda f: configure(f, hidden_size=192), "does not match its weights"),
    "other intermediate size": (lambda f: configure(f, intermediate_size=7), "does not match its weights"),
    "a text for a number": (lambda f: configure(f, num_hidden_layers="two"), "is not valid"),
    "more layers than types": (lambda f: configure(f, num_hidden_layers=50), "is not valid"),
    "no heads": (lambda f: configure(f, num_attention_heads=0), "cannot be loaded"),
    "labels as a list": (lambda f: configure(f, id2label=[1]), "cannot be loaded"),
    "a deep config": (lambda f: (f / "config.json").write_text("[" * 100_000), "config.json"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_model_that_cannot_be_used_is_named(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage, said = BROKEN[name]
    damage(folder)
    with pytest.raises(UserError) as caught:
        open_model(folder)
    assert said in caught.value.message, caught.value.message
    assert caught.value.code in {"model-broken", "model-pickled"} and caught.value.hint
    assert "weights_only" not in str(caught.value) and "this must not run" not in capsys.readouterr().out
    if name == "pickled":
        assert "Convert the model to safetensors" in caught.value.hint


def test_a_new_head_is_no_mismatch(folder: Path) -> None:
    model, _, fresh = open_model(folder)
    assert fresh == ["classifier"] and model.config.num_labels == 3


def test_weights_that_are_nan_from_the_start_are_named(folder: Path) -> None:
    model = open_model(folder)[0]
    loaded_weights.require_finite("box", model.named_parameters())
    with torch.no_grad():
        model.model.final_norm.weight[3] = float("nan")
    with pytest.raises(UserError, match="weights of 'box' contain NaN.*final_norm") as caught:
        loaded_weights.require_finite("box", model.named_parameters())
    assert caught.value.code == "weights-not-finite" and "learning rate" not in caught.value.hint
