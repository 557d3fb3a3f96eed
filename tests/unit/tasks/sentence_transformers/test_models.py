"""Models of sentence transformers: which can be opened, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, BertConfig, BertForMaskedLM, ViTConfig, ViTModel

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.sentence_transformers import models
from autotrain_gradio.tasks.sentence_transformers.probe import probe
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return models.tiny_model(tmp_path / "tiny", texts=["a few words", "and a few more"])


def open_(name: Path | str) -> SentenceTransformer:
    return models.open_model(str(name), texts=[], seed=1, scratch=Path())


def test_the_tiny_model_is_deterministic(tmp_path: Path) -> None:
    first, second = (models.open_model("tiny", texts=["a word"], seed=3, scratch=tmp_path / n) for n in ("1", "2"))
    assert models.dimension(first) == 96
    assert all(torch.equal(v, second.state_dict()[k]) for k, v in first.state_dict().items())


def test_a_text_encoder_gets_mean_pooling(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer(["a few words"])
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertForMaskedLM(config).save_pretrained(tmp_path / "bert")  # with a head, and the prefix "bert."
    tokenizer.save_pretrained(tmp_path / "bert")
    model = open_(tmp_path / "bert")
    assert [type(m).__name__ for m in model] == ["Transformer", "Pooling"] and models.dimension(model) == 32
    facts = probe(RunSpec(task="sentence-transformers", model=str(tmp_path / "bert")), None, {})
    assert facts["findings"] == [] and facts["input_size"] == {"tokens": 64} and facts["labels"] is None


def test_a_model_of_images_is_refused(tmp_path: Path) -> None:
    config = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=32)
    ViTModel(config).save_pretrained(tmp_path / "vit")
    with pytest.raises(UserError) as caught:
        open_(tmp_path / "vit")
    assert "vit" in caught.value.message and "Traceback" not in caught.value.message


def test_custom_code_is_refused(tiny: Path) -> None:
    modules = json.loads((tiny / "modules.json").read_text())
    modules[0]["type"] = "custom_module.CustomTransformer"
    (tiny / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(UserError, match=r"needs custom code \(custom_module.CustomTransformer\)") as caught:
        open_(tiny)
    assert caught.value.code == "model-wrong-task"


def test_weights_of_another_model_are_refused(tiny: Path) -> None:
    weights = load_file(tiny / "model.safetensors")
    save_file({f"other.{i}": w for i, w in enumerate(weights.values())}, tiny / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="belongs to another model") as caught:
        open_(tiny)
    assert caught.value.code == "model-broken"


def test_missing_and_damaged_models_are_explained(tmp_path: Path, tiny: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        open_(tmp_path / "nothing")
    (tiny / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(UserError, match="damaged|cannot be loaded"):
        open_(tiny)


def test_prompts_of_the_model_are_used_for_queries_and_documents(tiny: Path) -> None:
    model = open_(tiny)
    assert models.prompts_of(model, "qa") == {}
    model.prompts = {"query": "query: ", "document": "passage: "}
    assert models.prompts_of(model, "qa") == {
        "sentence1": "query: ",
        "sentence2": "passage: ",
        "sentence3": "passage: ",
    }
    assert set(models.prompts_of(model, "pair_score").values()) == {"query: "}


def test_the_encoder_is_the_one_of_transformers(tiny: Path) -> None:
    encoder = models.transformer_of(open_(tiny))
    assert type(encoder) is type(AutoModel.from_config(encoder.config))
