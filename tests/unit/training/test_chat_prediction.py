"""Answers of a trained language model: batched, sampled and streamed."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_prediction import (
    GREEDY,
    Generated,
    GenerationSettings,
    LanguagePredictor,
    messages_to_answer,
)

QUESTION = "What does red mean?"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with a random model that generates 12 tokens."""
    folder = tmp_path_factory.mktemp("run")
    language_models.tiny_model(folder / "model", texts=["What does red mean?", "At red you stop.", "user", "assistant"])
    model, tokenizer = language_models.saved.load_model(
        folder / "model", language_models.AutoModelForCausalLM, language_models.AutoTokenizer
    )
    language_models.set_generation(model, tokenizer, (), 12)
    model.generation_config.save_pretrained(folder / "model")
    return folder


@pytest.fixture(scope="module")
def predictor(run: Path) -> LanguagePredictor:
    return LanguagePredictor(run, "conversation", chat=True)


def collect(stream: Generator[str, None, Generated]) -> tuple[list[str], Generated]:
    parts = []
    while True:
        try:
            parts.append(next(stream))
        except StopIteration as end:
            return parts, end.value


def test_a_stream_gives_the_text_of_the_batch(predictor: LanguagePredictor) -> None:
    questions = [QUESTION, "red", json.dumps([{"role": "user", "content": "Stop."}])]
    batch = predictor([{"conversation": q} for q in questions])
    for question, found in zip(questions, batch, strict=True):
        parts, made = collect(predictor.stream(question))
        assert "".join(parts) == made.text == found["text"] and len(parts) > 1
        assert made.completion_tokens <= 12 and made.prompt_tokens > 5
        assert (made.finish_reason == "length") == ("note" in found)


def test_settings_hold_for_one_call(predictor: LanguagePredictor) -> None:
    greedy = predictor([{"conversation": QUESTION}])[0]["text"]
    sampled = GenerationSettings(temperature=2.0, seed=1)
    one, again = (collect(predictor.stream(QUESTION, sampled))[1].text for _ in range(2))
    other = collect(predictor.stream(QUESTION, GenerationSettings(temperature=2.0, seed=2)))[1].text
    assert one == again != other and one != greedy
    short = collect(predictor.stream(QUESTION, GenerationSettings(max_new_tokens=3)))[1]
    assert (short.completion_tokens, short.finish_reason) == (3, "length") and greedy.startswith(short.text)
    found = predictor([{"conversation": QUESTION}], GenerationSettings(max_new_tokens=3))[0]
    assert found["text"] == short.text and "3 tokens" in found["note"]
    assert predictor([{"conversation": QUESTION}], GREEDY)[0]["text"] == greedy
    part = greedy[3:6]
    stopped = collect(predictor.stream(QUESTION, GenerationSettings(stop=(part,))))[1]
    assert stopped.text == greedy[: greedy.index(part)].strip() and stopped.finish_reason == "stop"


def test_a_system_prompt_is_put_in_front_unless_there_is_one(predictor: LanguagePredictor) -> None:
    def text(value: Any, system: str) -> str:
        return str(predictor.tokenizer.decode(predictor.prompt(value, system)))

    assert text(QUESTION, " Be short. ").startswith("<|im_start|>system\nBe short.<|im_end|>")
    own = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "red"}]
    assert "Rhyme." in text(own, "Be short.") and "Be short." not in text(own, "Be short.")


def test_closing_and_cancelling_end_the_generation(predictor: LanguagePredictor) -> None:
    long = GenerationSettings(temperature=1.5, max_new_tokens=400, seed=3)
    stream = predictor.stream(QUESTION, long)
    assert next(stream)
    stream.close()  # waits for the thread, which ends after at most one more token
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked == 5

    made = collect(predictor.stream(QUESTION, long, cancelled=cancelled))[1]
    assert (made.completion_tokens, made.finish_reason) == (5, "cancelled")


def test_an_error_of_the_model_reaches_the_caller(predictor: LanguagePredictor, monkeypatch: Any) -> None:
    def broken(**options: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(predictor.model, "generate", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        next(predictor.stream(QUESTION))


def test_the_answer_ends_where_the_model_does(predictor: LanguagePredictor) -> None:
    settings = GenerationSettings(temperature=1.0, max_new_tokens=4000, seed=4)
    prompt = predictor.prompt("red " * 480)
    made = collect(predictor.generate(prompt, settings))[1]
    assert len(prompt) + made.completion_tokens <= 512
    with pytest.raises(UserError, match="supports 512") as raised:
        predictor.prompt("red " * 600)
    assert raised.value.code == "prompt-too-long"


@pytest.mark.parametrize("value", ["", " ", None, []])
def test_an_empty_message_is_refused(predictor: LanguagePredictor, value: Any) -> None:
    with pytest.raises(UserError, match="message is empty"):
        predictor.prompt(value)


@pytest.mark.parametrize("value", ["[{", '[{"content": "no role"}]', '[{"role": 1}]', "[{}, 3]"])
def test_a_conversation_that_is_not_one_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="not a JSON list of messages"):
        messages_to_answer(value, "conversation")


def test_the_last_answer_is_not_part_of_the_prompt() -> None:
    user, answer = {"role": "user", "content": "red?"}, {"role": "assistant", "content": "stop"}
    assert messages_to_answer([user, answer], "") == [user] == messages_to_answer("red?", "")
    with pytest.raises(UserError, match="no message to answer"):
        messages_to_answer([answer], "")


def test_plain_texts_are_continued(run: Path) -> None:
    predictor = LanguagePredictor(run, "text", chat=False)
    assert predictor.prompt("At red", "ignored") == predictor.tokenizer("At red")["input_ids"]
    found = predictor([{"text": "At red"}])[0]
    assert found["panels"][0]["title"] == "Continuation"
    assert collect(predictor.stream("At red"))[1].text == found["text"]
    with pytest.raises(UserError, match="text is empty"):
        predictor([{"text": " "}])
    with pytest.raises(UserError, match="plain texts"):
        predictor.prompt([{"role": "user", "content": "red"}])
