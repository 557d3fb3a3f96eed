"""The sizes in a model's configuration are checked before the model is built."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.automatic_speech_recognition import models as speech
from autotrain_gradio.tasks.text_classification import models as texts
from autotrain_gradio.training import image_models as images
from autotrain_gradio.training import plausibility, pretrained
from autotrain_gradio.training.tiny_image_model import tiny_model

ROOMY = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "vocab_size": 262_144, "num_labels": 9}


def folder(path: Path, config: dict[str, Any], weights: int = 10) -> str:
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    save_file({"w": torch.zeros(weights)}, path / "model.safetensors")
    return str(path)


@pytest.mark.parametrize(
    "config",
    [
        {"num_labels": 1_000_000_000},
        {"text_config": {"num_hidden_layers": 10**7}},
        {"depths": [2, 10**9, 2]},
        {"vocab_size": 10**12},
        {"hidden_sizes": [64, 10**11]},
        {"num_attention_heads": float("inf")},
    ],
    ids=lambda config: next(iter(config)),
)
def test_a_size_that_cannot_be_is_refused_before_anything_is_built(tmp_path: Path, config: dict[str, Any]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = folder(tmp_path / "m", {"model_type": "vit", **config})
    for open_it in (images.open_config, texts.open_config, pretrained.fetch_config):
        with pytest.raises(UserError, match="not plausible") as caught:
            open_it(model)
        assert caught.value.code == "model-broken"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


def test_usual_sizes_are_fine(tmp_path: Path) -> None:
    more = {"max_position_embeddings": 10**9, "rope_theta": 10**8, "label2id": {"a layer": 0}, "use_size": True}
    plausibility.require_sizes({**ROOMY, **more}, "m")


def test_a_config_of_many_megabytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plausibility, "CONFIG_BYTES", 1000)
    with pytest.raises(UserError, match=r"damaged: it has 1\.\d KiB"):
        pretrained.fetch_config(folder(tmp_path / "m", {"model_type": "vit", "text": "x" * 1000}))


def test_a_model_far_larger_than_its_weights_file_is_refused(tmp_path: Path) -> None:
    path = tiny_model(tmp_path / "m", ["a", "b"], seed=1)
    config = json.loads((path / "config.json").read_text())
    config["hidden_sizes"] = [50_000 for _ in config["hidden_sizes"]]
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="describes a model of .* weights .* its weights file has") as caught:
        images.open_model(str(path), ["a", "b", "c"], seed=1, scratch=tmp_path)
    assert caught.value.code == "model-broken"


def test_the_weights_of_a_folder_are_counted_from_the_headers(tmp_path: Path) -> None:
    assert plausibility.stored_weights(tmp_path) is None
    plausibility.require_weights("some/model", lambda: 10**12)  # of the Hub: nothing is known
    folder(tmp_path, {}, weights=60)
    save_file({"a": torch.zeros(3, 4), "b": torch.zeros(())}, tmp_path / "more.safetensors")
    assert plausibility.stored_weights(tmp_path) == 60 + 12 + 1
    for content in (b"", b"\xff" * 20, (10).to_bytes(8, "little") + b"{not json}", (2).to_bytes(8, "little") + b"[]"):
        (tmp_path / "more.safetensors").write_bytes(content)
        with pytest.raises(UserError, match="damaged"):
            plausibility.stored_weights(tmp_path)


def test_every_task_with_models_of_transformers_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def require(name: str, count: Any) -> None:
        assert count() > 1000
        seen.append(name)
        raise UserError("enough")

    monkeypatch.setattr(plausibility, "require_weights", require)
    with pytest.raises(UserError, match="enough"):
        images.open_model("tiny", ["a"], seed=1, scratch=tmp_path / "images")
    with pytest.raises(UserError, match="enough"):
        texts.open_model("tiny", ["a"], multi_label=False, texts=["b c"], seed=1, scratch=tmp_path / "texts")
    from autotrain_gradio.tasks.registry import registry

    params = registry().get("automatic-speech-recognition").params()
    (tmp_path / "speech").mkdir()
    with pytest.raises(UserError, match="enough"):
        speech.open_recognizer("tiny", params, ["a b"], tmp_path / "speech")
    assert len(seen) == 3
