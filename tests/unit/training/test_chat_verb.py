"""The verbs `chat` and `complete` of language models."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.model_cache import ModelCache
from autotrain_gradio.training import chat_verb, language_models
from autotrain_gradio.training.chat_prediction import LanguagePredictor

TEXTS = ["What does red mean?", "At red you stop.", "user", "assistant"]


def save_model(folder: Path, seed: int) -> Path:
    """Write a random model that generates 8 tokens."""
    language_models.tiny_model(folder, texts=TEXTS, seed=seed)
    model, tokenizer = language_models.saved.load_model(
        folder, language_models.AutoModelForCausalLM, language_models.AutoTokenizer
    )
    language_models.set_generation(model, tokenizer, (), 8)
    model.generation_config.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run with a model, fine-tuned from another one."""
    folder = tmp_path_factory.mktemp("run")
    save_model(folder / "model", 1)
    (folder / "spec.json").write_text(json.dumps({"model": str(save_model(folder / "base", 2))}))
    return folder


def call(run: Path, context: Mapping[str, Any], *, model: str = "", cache: ModelCache | None = None) -> list[Any]:
    """Return the items of the verb."""
    kept = cache or ModelCache()
    predictor = LanguagePredictor(run, "conversation", chat=True)
    made = SimpleNamespace(
        directory=run,
        context=context,
        spec=SimpleNamespace(model=model or json.loads((run / "spec.json").read_text())["model"]),
        progress=lambda message, fraction: None,
        cancelled=lambda: False,
        predictor=lambda: predictor,
        load_model=lambda load: kept.get(run, load),
    )
    return list(chat_verb.run(made))


def text_of(items: list[Any]) -> str:
    return "".join(item for item in items if isinstance(item, str))


def test_an_answer_is_streamed_with_its_lengths(run: Path) -> None:
    items = call(run, {"messages": "What does red mean?"})
    assert text_of(items) == LanguagePredictor(run, "m", chat=True)([{"m": "What does red mean?"}])[0]["text"]
    assert items[-1]["completion_tokens"] == 8 and items[-1]["finish_reason"] == "length" and len(items) > 3
    page = call(run, {"messages": {"messages": [{"role": "user", "content": "What does red mean?"}], "max_tokens": 3}})
    assert page[-1]["completion_tokens"] == 3 and text_of(items).startswith(text_of(page))
    assert call(run, {"text": "At red", "stop": "x", "seed": 3})[-1]["prompt_tokens"] > 1


def test_the_base_model_answers_after_the_trained_one(run: Path) -> None:
    items = call(run, {"messages": "What does red mean?", "base": True})
    expected = LanguagePredictor(run, "m", chat=True)
    expected.model = language_models.load_trained(run / "base")[0]
    base = "".join(item["base"] for item in items if isinstance(item, dict) and "base" in item)
    assert base == expected([{"m": "What does red mean?"}])[0]["text"] != text_of(items)
    assert items[-1]["base_completion_tokens"] == 8
    other = call(run, {"messages": "red", "base": True, "base_messages": [{"role": "user", "content": "stop stop"}]})
    facts = {name: value for item in other if isinstance(item, dict) for name, value in item.items()}
    assert facts["base_prompt_tokens"] > facts["prompt_tokens"]


def test_an_adapter_is_disabled_for_the_base_model(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from peft import LoraConfig, get_peft_model

    base, tokenizer = language_models.load_trained(run / "base")
    adapted = get_peft_model(base, LoraConfig(init_lora_weights=False, target_modules="all-linear"))
    adapted.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    base.generation_config.save_pretrained(tmp_path / "model")
    (tmp_path / "spec.json").write_text((run / "spec.json").read_text())
    expected = call(run, {"messages": "What does red mean?", "base": True})
    monkeypatch.setattr(chat_verb, "load_base", lambda directory: pytest.fail("the base model was loaded again"))
    items = call(tmp_path, {"messages": "What does red mean?", "base": True})
    base_text = "".join(item["base"] for item in items if isinstance(item, dict) and "base" in item)
    assert base_text == "".join(item["base"] for item in expected if isinstance(item, dict) and "base" in item)
    assert base_text != text_of(items)


def test_a_base_model_that_is_an_adapter_is_merged(run: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    base, _ = language_models.load_trained(run / "base")
    config = LoraConfig(init_lora_weights=False, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(base, config)
    adapted.save_pretrained(tmp_path / "adapter")
    shutil.copytree(run / "model", tmp_path / "model")
    (tmp_path / "spec.json").write_text(json.dumps({"model": str(tmp_path / "adapter")}))
    items = call(tmp_path, {"messages": "What does red mean?", "base": True})
    base_text = "".join(item["base"] for item in items if isinstance(item, dict) and "base" in item)
    expected = LanguagePredictor(run, "m", chat=True)
    expected.model = adapted.merge_and_unload()
    assert base_text == expected([{"m": "What does red mean?"}])[0]["text"]
    expected.model = language_models.load_trained(run / "base")[0]
    assert base_text != expected([{"m": "What does red mean?"}])[0]["text"]


def test_the_base_model_of_an_adapter_must_exist(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    config = {"peft_type": "LORA", "base_model_name_or_path": str(tmp_path / "missing")}
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config))
    (tmp_path / "spec.json").write_text(json.dumps({"model": str(tmp_path / "adapter")}))
    with pytest.raises(UserError, match="needs its base model") as raised:
        chat_verb.load_base(tmp_path)
    assert raised.value.code == "adapter-base-missing"


def test_both_models_must_fit_into_the_memory(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_verb.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(chat_verb.psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    with pytest.raises(UserError, match="of memory beside the trained one") as raised:
        chat_verb.load_base(run)
    assert raised.value.code == "memory-short"


@pytest.mark.parametrize(
    ("context", "where"),
    [
        ({"messages": "red", "temperature": 9}, "temperature"),
        ({"messages": "red", "max_tokens": 0}, "max_tokens"),
        ({"messages": 3}, "messages"),
        ({"messages": "red", "top_k": 3}, "top_k"),
        ({"messages": {"messages": "red", "seed": -1}}, "seed"),
    ],
)
def test_an_invalid_argument_is_named(run: Path, context: Mapping[str, Any], where: str) -> None:
    with pytest.raises(UserError) as raised:
        call(run, context)
    assert any(f.where.startswith(where) for f in raised.value.findings)


def test_the_tiny_model_has_no_base_model(run: Path) -> None:
    with pytest.raises(UserError, match="random weights"):
        call(run, {"messages": "red", "base": True}, model="tiny")
