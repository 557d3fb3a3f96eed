"""Chat models, trained for a few steps with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio import data
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import render_html, render_text
from autotrain_gradio.tasks.llm_sft import train as task
from autotrain_gradio.training import language_models, language_run, language_trainer
from tests.contract.headlines.perplexity import measure_model
from tests.unit.tasks.llm_sft.conftest import ANSWERS, chats
from tests.unit.training.test_chat_templates import UNMARKED

Make = Callable[..., Any]


def notes_of(made: Any) -> list[str]:
    return [e["message"] for e in made.events("note")]


def texts(item: dict[str, Any]) -> dict[str, str]:
    return dict(item["lines"])


def test_it_memorises_answers_which_the_public_loaders_give_too(chat_trial: Make) -> None:
    made = chat_trial(epochs=20, lr=4e-3)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert values["eval_loss"] < 0.2 and values["eval_token_accuracy"] > 0.9, values
    rows = data.load(made.directory)
    assert values["eval_perplexity"] == pytest.approx(measure_model(rows, run.model), rel=1e-3)
    predictor = task.load(made.directory)
    found = predictor([{"conversation": f"What does {colour} mean?"} for colour in ANSWERS])
    assert [f["text"] for f in found] == [f"At {colour} you {verb}." for colour, verb in ANSWERS.items()]
    whole = rows["validation"]["conversation"][0]
    expected = json.loads(whole)[-1]["content"]
    assert predictor([{"conversation": whole}])[0]["text"] == expected
    with pytest.raises(UserError, match="message is empty"):
        predictor([{"conversation": " "}])
    tokenizer, model = AutoTokenizer.from_pretrained(run.model), AutoModelForCausalLM.from_pretrained(run.model)
    assert "<|im_start|>" in tokenizer.chat_template and model.generation_config.max_new_tokens == 12
    assert tokenizer.eos_token_id in model.generation_config.eos_token_id

    samples = [e["panel"] for e in made.events("sample")]
    base = [texts(item)["base model"] for item in samples[0]["items"]]
    assert len(samples) == 20 and all([texts(i)["base model"] for i in s["items"]] == base for s in samples)
    assert all(texts(item)["this model"] == texts(item)["reference"] for item in samples[-1]["items"])
    for panel in [*json.loads((made.directory / "report.json").read_text()), *samples]:
        assert render_html(panel) and render_text(panel)


def test_lora_is_merged_or_kept_as_an_adapter_on_its_base_model(
    chat_trial: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = chat_trial(peft=True, use_dora=True, lora_r=4, padding="left")
    task.train(made.reporter())
    assert AutoTokenizer.from_pretrained(made.directory / "model").padding_side == "left"
    assert not (made.directory / "model" / "adapter_config.json").exists()
    assert any("parameters are trainable" in n for n in notes_of(made))
    trainers: list[Any] = []
    given = language_run.LanguageTrainer
    monkeypatch.setattr(
        language_run, "LanguageTrainer", lambda **settings: trainers.append(given(**settings)) or trainers[-1]
    )
    base = made.directory / "model"
    again = chat_trial(run="second", model=str(base), peft=True, merge_adapter=False, lora_r=4, lr=1e-2)
    task.train(again.reporter())
    assert (again.directory / "model" / "adapter_config.json").is_file()
    ids = torch.as_tensor(trainers[0].eval_dataset[0]["input_ids"])[None]
    models = [task.load(again.directory).model, trainers[0].model.eval(), AutoModelForCausalLM.from_pretrained(base)]
    with torch.inference_mode():
        loaded, trained, before = (model(ids).logits for model in models)
    torch.testing.assert_close(loaded, trained, rtol=1e-4, atol=1e-4)
    assert (loaded - before).abs().max() > 1e-2


def test_a_saved_model_that_answers_otherwise_is_an_error(chat_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    given = language_run.saved.load_model

    def damaged(*arguments: Any) -> Any:
        model, tokenizer = given(*arguments)
        model.model.norm.weight.data.neg_()
        return model, tokenizer

    monkeypatch.setattr(language_run.saved, "load_model", damaged)
    with pytest.raises(UserError, match="answers otherwise"):
        task.train(chat_trial().reporter())


def test_packing_trains_on_the_same_tokens_in_fewer_sequences(chat_trial: Make) -> None:
    made = chat_trial(packing=True, block_size=128)
    task.train(made.reporter())
    packed = next(n for n in notes_of(made) if n.startswith("Packing"))
    assert "20 rows in" in packed and made.events("result")


def test_packing_is_refused_where_the_model_mixes_rows(chat_trial: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_trainer, "mean_loss", lambda model, batch: float(len(batch["input_ids"])))
    made = chat_trial(packing=True)
    task.train(made.reporter())
    assert any("Packing was switched off" in n for n in notes_of(made))


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("drop", "dropped"),
        ("truncate", "truncated at the end"),
        ("truncate_left", "truncated at the beginning"),
        ("chunk", "split into chunks"),
    ],
)
def test_long_rows_are_counted(chat_trial: Make, action: str, message: str) -> None:
    long = {"messages": [*chats(1)[0]["messages"], {"role": "user", "content": "red " * 80}]}
    long["messages"].append({"role": "assistant", "content": "At red you stop."})
    made = chat_trial([*chats(20), long, long], block_size=64, too_long=action, data={"valid_fraction": 0})
    task.train(made.reporter())
    assert any(message in n for n in notes_of(made)), notes_of(made)


def test_rows_without_a_trained_token_are_named(chat_trial: Make) -> None:
    long = {"messages": [{"role": "user", "content": "red " * 200}, {"role": "assistant", "content": "Stop."}]}
    made = chat_trial([*chats(20), long], block_size=64, data={"valid_fraction": 0})
    task.train(made.reporter())
    assert any("no token is left to train on" in n for n in notes_of(made))
    with pytest.raises(UserError, match="No training row is left"):
        task.train(chat_trial([long] * 12, run="all", block_size=64, data={"valid_fraction": 0}).reporter())


def test_texts_that_are_rendered_already(chat_trial: Make) -> None:
    made = chat_trial([{"text": f"### Q: {c}? ### A: {v}"} for c, v in ANSWERS.items()] * 3)
    task.train(made.reporter())
    assert made.directory.joinpath("model", "config.json").is_file()


def test_parts_that_the_template_leaves_out_are_counted(chat_trial: Make, tmp_path: Any) -> None:
    folder = language_models.tiny_model(tmp_path / "model", texts=["What does red mean?"])
    text = "{{ bos_token }}{{ bos_token }}" + UNMARKED
    (folder / "chat_template.jinja").write_text(text)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = "<|im_start|>"
    tokenizer.save_pretrained(folder)
    call = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}
    with_call = [{"role": "user", "content": "Go"}, call, {"role": "tool", "content": "1"}, *chats(1)[0]["messages"]]
    made = chat_trial([*chats(20), {"messages": with_call}], model=str(folder), data={"valid_fraction": 0}, epochs=1)
    panels = task.preview(made.directory, made.resolved.spec, made.resolved.params, {})
    assert "The chat template leaves out tool calls of 1 row." in panels[0]["note"]
    task.train(made.reporter())
    assert "The chat template leaves out tool calls of 1 training row." in notes_of(made)
    assert any("begin with two BOS tokens" in n for n in notes_of(made))
    codes = [f["code"] for f in task.probe(made.resolved.spec, made.resolved.params, {})["findings"]]
    assert codes == ["template-drops", "double-bos", "memory-estimate"]


def test_the_card_says_how_the_model_is_served(chat_trial: Make) -> None:
    made = chat_trial(epochs=1, generation_rows=0)
    task.train(made.reporter())
    text = (made.directory / "model" / "README.md").read_text(encoding="utf-8")
    assert "### Serve the model" in text and "`autotrain-gradio serve lights` | tried" in text
