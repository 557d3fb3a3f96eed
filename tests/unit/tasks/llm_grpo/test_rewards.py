"""Reward functions: what they score, and clear errors for wrong ones."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerFast

from autotrain_gradio.core.errors import Forbidden, SpecError, UserError
from autotrain_gradio.tasks.llm_grpo import GrpoParams
from autotrain_gradio.tasks.llm_grpo.python_reward import load_function
from autotrain_gradio.tasks.llm_grpo.reward_model import RewardModel, model_findings
from autotrain_gradio.tasks.llm_grpo.rewards import (
    Batch,
    JsonSchema,
    LengthTarget,
    RegexMatch,
    make_rewards,
    total,
    words,
)
from autotrain_gradio.training import language_models
from autotrain_gradio.training.text_models import tiny_config
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer


def batch(*completions: str, answers: list[str | None] | None = None, **extra: list[Any]) -> Batch:
    prompts = [[{"role": "user", "content": f"question {n}"}] for n in range(len(completions))]
    return Batch(prompts, completions, answers or [None] * len(completions), extra)  # type: ignore[arg-type]


def test_the_total_is_the_weighted_sum_of_what_applies() -> None:
    params = GrpoParams(exact_answer_weight=2, length_weight=-0.5, length_target=2)
    rewards = make_rewards(params, len)
    scores = [r.score(batch("4", "4 5", "6", answers=["4", None, "4"])) for r in rewards]
    assert scores == [[1.0, None, 0.0], [0.5, 1.0, 0.5]]
    rows = [{r.name: s[i] for r, s in zip(rewards, scores, strict=True)} for i in range(3)]
    assert [total(row, rewards) for row in rows] == [1.75, -0.5, -0.25]


def test_regular_expressions_search_or_match_the_whole() -> None:
    texts = batch("<answer>4</answer>", "so <answer>4</answer>", "4")
    assert RegexMatch("<answer>.*</answer>", "search")(texts) == [1, 1, 0]
    assert RegexMatch("<answer>.*</answer>", "full_match")(texts) == [1, 0, 0]


def test_wrong_regular_expressions_are_clear_errors() -> None:
    with pytest.raises(SpecError, match=r"invalid: .*position 3") as caught:
        RegexMatch("a(b", "search")
    assert caught.value.where == "params.regex_pattern"
    began = time.monotonic()
    with pytest.raises(SpecError, match="catastrophic backtracking"):
        RegexMatch("^(a|aa)+$", "search")
    assert time.monotonic() - began < 5


def test_a_match_that_takes_too_long_counts_as_none_and_is_said_once() -> None:
    said: list[str] = []
    found = RegexMatch("^(z|zz)+$", "search", said.append)
    began = time.monotonic()
    assert found(batch("z" * 3000 + "!", "z")) == [0, 1]
    assert found(batch("z" * 3000 + "!")) == [0]
    assert len(said) == 1 and "counts as no match" in said[0] and time.monotonic() - began < 5


def test_json_schemas() -> None:
    schema = {"type": "object", "required": ["city"], "properties": {"city": {"$ref": "#/$defs/name"}}}
    schema["$defs"] = {"name": {"type": "string", "pattern": "^[A-Z]"}}
    score = JsonSchema(json.dumps(schema))
    texts = ['{"city": "Rome"}', '```json\n{"city": "Rome"}\n```', '{"city": "rome"}', "[]", "Rome", '{"city": NaN}']
    assert score(batch(*texts)) == [1, 1, 0.5, 0.5, 0, 0]
    assert score(batch("[" * 100_000)) == [0]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"patternProperties": {"^(a+)+$": {}}}, "do not support 'patternProperties'"),
        ({"$id": "http://x/y", "$ref": "http://z/q"}, "refers to 'http://z/q'"),
        ({"$defs": {"a": {"$id": "b"}}}, "at the top of a JSON schema"),
        ({"type": "objekt"}, "The JSON schema is invalid at type: 'objekt' is not valid"),
        ({"$ref": "https://example.org/x.json"}, "refers to 'https://example.org/x.json', which it does not contain"),
        ({"items": {"$ref": "#/$defs/none"}}, "refers to '#/\\$defs/none'"),
    ],
)
def test_wrong_json_schemas_are_clear_errors(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        JsonSchema(json.dumps(schema))


def test_the_length_reward_falls_on_both_sides_of_the_target() -> None:
    score = LengthTarget(4, words)
    assert score(batch("", "a b", "a b c d", "a b c d e f", "a " * 20)) == [0, 0.5, 1, 0.5, 0]


def test_all_wrong_rewards_are_reported_at_once() -> None:
    params = GrpoParams(regex_weight=1, regex_pattern="(", python_weight=1, reward_file="/nowhere/score.py")
    with pytest.raises(SpecError) as caught:
        make_rewards(params, len)
    assert [f.code for f in caught.value.findings] == ["regex-invalid", "reward-file-missing"]


# -- Python functions


def write(folder: Path, code: str) -> str:
    path = folder / "score.py"
    path.write_text(code, encoding="utf-8")
    return str(path)


def test_a_python_function_gets_prompts_completions_answers_and_columns(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("BONUS = 1", encoding="utf-8")
    code = """
from beside import BONUS
def reward(prompts, completions, **columns):
    assert prompts[1][-1]["content"] == "question 1"
    return [None if a is None else len(c) + w + BONUS
            for c, a, w in zip(completions, columns["answer"], columns["points"])]
"""
    score = load_function(write(tmp_path, code), {})
    assert score(batch("ab", "c", answers=["x", None], points=[0.5, 1])) == [3.5, None]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1 +", r"score.py cannot be imported: SyntaxError.*\(line 1\)"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module' \\(line 1\\)"),
        ("def score(): pass", "has no function 'reward'"),
    ],
)
def test_wrong_python_files_are_clear_errors(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        load_function(write(tmp_path, code), {})
    assert caught.value.where == "params.reward_file"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 / 0", r"failed: ZeroDivisionError: division by zero \(line 2\)"),
        ("return [1]", "returned 1 rewards for 2 completions"),
        ("return 1", "returned int for 2 completions"),
        ("return [1, float('nan')]", "returned nan for a completion"),
        ("return [1, 'x']", "returned 'x' for a completion"),
    ],
)
def test_failing_python_functions_are_clear_errors(tmp_path: Path, line: str, message: str) -> None:
    score = load_function(write(tmp_path, f"def reward(prompts, completions, **columns):\n    {line}"), {})
    with pytest.raises(UserError, match=message):
        score(batch("a", "b"))


def test_a_worker_of_a_shared_page_runs_no_python_file(tmp_path: Path) -> None:
    path = write(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(Forbidden, match="shared page"):
        load_function(path, {"AUTOTRAIN_GRADIO_SHARED": "1"})
    assert not (tmp_path / "ran").exists()


# -- reward models


def tiny_classifier(folder: Path, outputs: int, template: str | None = None) -> str:
    from transformers import ModernBertForSequenceClassification

    tokenizer: PreTrainedTokenizerFast = tiny_tokenizer(["question answer good bad"], vocabulary=300, lowercase=True)
    tokenizer.chat_template = template
    config = tiny_config(len(tokenizer), num_labels=outputs)
    ModernBertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("template", [None, "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"])
def test_a_reward_model_scores_each_completion_alone(tmp_path: Path, template: str | None) -> None:
    name = tiny_classifier(tmp_path / "judge", 1, template)
    assert model_findings(name) == []
    model = RewardModel(name)
    texts = ["good", "bad answer " * 30, "answer"]
    together = model(batch(*texts))
    alone = [model(batch(text))[0] for text in texts[:1]]
    assert together[0] == pytest.approx(alone[0], abs=1e-4) and len(set(together)) == 3


def test_a_classifier_of_classes_is_no_reward_model(tmp_path: Path) -> None:
    name = tiny_classifier(tmp_path / "classes", 3)
    with pytest.raises(SpecError, match="has 3 classes"):
        RewardModel(name)
    assert [f.where for f in model_findings(name)] == ["params.reward_model"]
    assert model_findings(str(tmp_path / "missing"))[0].message.startswith("Reward model: ")


def test_a_model_without_a_trained_head_is_no_reward_model(tmp_path: Path) -> None:
    folder = language_models.tiny_model(tmp_path / "generator", texts=["question answer"])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "reward"}}))
    with pytest.raises(SpecError, match=r"not trained as a reward model: its file has no values of score\.weight"):
        RewardModel(str(folder))


def test_an_infinite_number_is_not_json_and_ends_no_run() -> None:
    score = JsonSchema('{"$id": "http://x/y", "type": "number", "multipleOf": 0.01}')
    assert score(batch("1e999", "0.05", "1e-3")) == [0.0, 1.0, 0.5]
