"""Flawed language models: what is missing in their tokenizers and weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import RemoteEntryNotFoundError
from transformers import AutoTokenizer, LlamaForSequenceClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.llm_sft import train as task
from autotrain_gradio.training import language_models, pretrained
from autotrain_gradio.training.language_models import LanguageModel, set_pad_token
from autotrain_gradio.training.token_rows import Collate, as_dataset, text_row
from autotrain_gradio.training.tokens import open_tokenizer
from tests.unit.tasks.llm_sft.conftest import chat_trial
from tests.unit.training.test_pretrained import response

__all__ = ["chat_trial"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return language_models.tiny_model(tmp_path / "model", texts=["What does red mean? At red you stop."])


def edit(folder: Path, **values: Any) -> None:
    """Change the configuration of a tokenizer; None removes a key."""
    file = folder / "tokenizer_config.json"
    known = {**json.loads(file.read_text()), **values}
    file.write_text(json.dumps({key: value for key, value in known.items() if value is not None}))


def codes(made: Any) -> list[str]:
    return [f["code"] for f in task.probe(made.resolved.spec, made.resolved.params, {})["findings"]]


@pytest.mark.parametrize("pad", [None, "<|im_end|>"])
def test_the_end_is_trained_where_no_token_is_left_for_padding(folder: Path, pad: str | None) -> None:
    edit(folder, pad_token=pad, unk_token=None)
    tokenizer = open_tokenizer(str(folder))
    tokenizer.get_added_vocab = dict
    model: Any = type("Model", (), {"config": type("Config", (), {})})
    set_pad_token(LanguageModel(model, tokenizer, None))
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    rows = as_dataset([text_row(tokenizer, "red"), text_row(tokenizer, "What does red mean?")])
    labels = Collate(tokenizer.pad_token_id)([rows[0], rows[1]])["labels"]
    for label in labels:
        assert label[label != -100][-1] == tokenizer.eos_token_id
    assert (labels[0] == -100).any()


def test_a_tokenizer_without_an_end_is_a_finding(folder: Path, chat_trial: Callable[..., Any]) -> None:
    edit(folder, eos_token=None)
    made = chat_trial(model=str(folder), epochs=1)
    assert "no-eos-token" in codes(made)
    task.train(made.reporter())
    assert any("has no EOS token" in e["message"] for e in made.events("note"))


def test_more_tokens_than_embeddings_are_an_error_before_the_training(
    folder: Path, chat_trial: Callable[..., Any]
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<more{i}>" for i in range(9)])
    tokenizer.save_pretrained(folder)
    made = chat_trial(model=str(folder))
    assert codes(made) == ["model-broken"]
    with pytest.raises(UserError, match="embeddings") as failure:
        task.train(made.reporter())
    assert "resize_token_embeddings" in failure.value.hint


def test_a_classifier_without_an_output_layer_is_refused(folder: Path, chat_trial: Callable[..., Any]) -> None:
    config = language_models.tiny_config(len(AutoTokenizer.from_pretrained(folder)))
    config.tie_word_embeddings = False
    LlamaForSequenceClassification(config).save_pretrained(folder)
    made = chat_trial(model=str(folder))
    assert "model-other-head" in codes(made)
    with pytest.raises(UserError, match="no weights of lm_head") as failure:
        task.train(made.reporter())
    assert failure.value.findings[0].code == "model-wrong-task"


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        (["model-Q4_K_M.gguf"], "model-gguf", "GGUF only"),
        (["config.json", "model.gguf"], "model-gguf", "GGUF only"),
        (["adapter_config.json", "adapter_model.safetensors"], "model-adapter", "adapter"),
        (["model_index.json"], "model-wrong-task", "diffusers"),
        (["readme.txt"], "model-broken", "config.json is missing"),
    ],
)
def test_folders_of_other_formats_are_named(tmp_path: Path, files: list[str], code: str, message: str) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=message) as failure:
        pretrained.fetch_config(str(tmp_path))
    assert failure.value.findings[0].code == code and failure.value.hint


def test_a_folder_without_a_tokenizer_is_named(folder: Path) -> None:
    for file in folder.glob("*token*"):
        file.unlink()
    with pytest.raises(UserError, match="has no tokenizer"):
        open_tokenizer(str(folder))


def test_a_repository_of_another_format_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise RemoteEntryNotFoundError("404", response=response(404))

    monkeypatch.setattr(pretrained, "get_hf_file_metadata", missing)
    for files, code in ((["a.gguf", "README.md"], "model-gguf"), (["adapter_config.json"], "model-adapter")):
        monkeypatch.setattr(pretrained.HfApi, "list_repo_files", lambda self, model, files=files: files)
        with pytest.raises(UserError) as failure:
            pretrained.fetch_config("ana/model")
        assert failure.value.findings[0].code == code
    monkeypatch.setattr(pretrained.HfApi, "list_repo_files", lambda self, model: ["README.md"])
    with pytest.raises(UserError, match="a required file is missing on the Hub"):
        pretrained.fetch_config("ana/model")
