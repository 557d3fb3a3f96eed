"""Parameters of reinforcement learning, its defaults, preview and probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autotrain_gradio.core.errors import Forbidden, SpecError
from autotrain_gradio.core.panels import find_panel, render_html, render_text
from autotrain_gradio.service.access import resolve_and_authorize
from autotrain_gradio.tasks.llm_grpo import reward_model, train
from autotrain_gradio.tasks.llm_grpo.preview import preview
from autotrain_gradio.tasks.llm_grpo.train import probe
from autotrain_gradio.tasks.registry import registry, resolve
from autotrain_gradio.training.language_memory import Workload
from tests.unit.tasks.llm_grpo.conftest import questions

Make = Callable[..., Any]


@pytest.mark.parametrize("name", ["llm-grpo", "llm:grpo", "grpo"])
def test_names_and_defaults(name: str) -> None:
    small: Any = resolve({"task": name, "model": "Qwen/Qwen3-0.6B"}).params
    large: Any = resolve({"task": name, "model": "Qwen/Qwen3-4B"}).params
    assert (small.peft, small.lr, large.peft, large.lr, small.num_generations) == (False, 1e-6, True, 1e-5, 8)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"num_generations": 6}, r"8 × 4 = 32\) is not a multiple of num_generations \(6\).* 6 or 9.* 4 or 8"),
        ({"batch_size": 3, "gradient_accumulation": 1}, r"Set batch_size to 8 or 16, or num_generations to 3"),
        ({"regex_weight": 1}, "Regular expression: it has a weight, but regex_pattern is empty"),
        ({"reward_model_weight": 1}, "reward_model is empty"),
        ({"python_weight": 1}, "reward_file is empty"),
        ({"json_schema_weight": 1, "json_schema": "{"}, "The JSON schema is not JSON"),
        ({"json_schema_weight": 1, "json_schema": "[]"}, "is not a JSON object"),
        ({"exact_answer_weight": 0}, "No reward is used"),
    ],
)
def test_wrong_parameters_are_findings(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        resolve({"task": "llm-grpo", "params": params})
    assert len(caught.value.findings) == 1 and caught.value.where.startswith("params.")


def test_a_json_schema_may_be_a_mapping_of_yaml() -> None:
    params: Any = resolve({"task": "grpo", "params": {"json_schema": {"type": "object"}}}).params
    assert params.json_schema == '{"type": "object"}'


@pytest.mark.parametrize(
    "params",
    [{"python_weight": 1, "reward_file": "score.py"}, {"reward_model_weight": 1, "reward_model": "/srv/judge"}],
)
def test_visitors_cannot_run_files_of_the_server(params: dict[str, Any]) -> None:
    spec = {"task": "llm-grpo", "model": "tiny", "data": {"source": "sample", "path": "odd-or-even"}, "params": params}
    with pytest.raises(Forbidden):
        resolve_and_authorize(spec, registry(), shared=True)


def test_the_preview_shows_rewards_of_the_references_and_drops(prompt_trial: Make) -> None:
    rows = [*questions(14), {"prompt": "long " * 60, "answer": "odd"}, {"prompt": "Why?", "answer": None}]
    made = prompt_trial(rows, regex_pattern="ood|evn", max_prompt_length=40, data={"valid_fraction": 0})
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    assert "1 prompt will be dropped: they are longer than 40 tokens" in found[0]["note"]
    table = find_panel(found, "rewards-of-the-reference-answers")
    assert table is not None
    assert [row[0] for row in table["rows"]] == ["Exact answer", "Regular expression"]
    assert [row[4:] for row in table["rows"]] == [[14, 14], [0, 14]]
    assert "Regular expression: no reference answer gets a reward" in table["note"]
    shown = find_panel(found, "rendered-prompts")
    assert shown is not None and len(shown["items"]) == 2 and shown["items"][0]["read"][-1].strip() != "odd"
    for panel in found:
        assert render_html(panel) and render_text(panel)


def test_the_preview_says_that_answers_are_missing(prompt_trial: Make) -> None:
    made = prompt_trial([{"prompt": q["prompt"]} for q in questions(12)], data={"valid_fraction": 0})
    found = preview(made.directory, made.resolved.spec, made.resolved.params, {})
    assert "No prompt has a reference answer" in render_text(found[1])


def test_the_probe_reports_wrong_rewards_and_the_memory(prompt_trial: Make) -> None:
    made = prompt_trial(regex_pattern="(a|aa)+$", auto_find_batch_size=True)
    codes = [f["code"] for f in probe(made.resolved.spec, made.resolved.params, {})["findings"]]
    assert codes == ["regex-slow", "setting-without-effect", "memory-estimate"]


def test_the_probe_counts_the_base_model_the_reward_model_and_the_completions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[Workload] = []

    def estimate(spec: Any, params: Any, context: Any, *, work: Workload, length: int) -> dict[str, Any]:
        given.append(work)
        return {"findings": []}

    monkeypatch.setattr(train.language_probe, "probe", estimate)
    monkeypatch.setattr(reward_model, "model_findings", lambda name: [])
    monkeypatch.setattr(reward_model, "parameters", lambda name: 70)
    judge = {"reward_model": "some/judge", "reward_model_weight": 1.0}
    for params in ({}, {"beta": 0.04}, {"beta": 0.04, "peft": True}, judge):
        given_params = {"batch_size": 16, "gradient_accumulation": 3, **params}
        made = resolve({"task": "llm-grpo", "model": "tiny", "params": given_params})
        probe(made.spec, made.params, {})
    assert [work.copies for work in given] == [0, 1, 0, 0]
    assert [work.companions for work in given] == [0, 0, 0, 70]
    assert {work.generated for work in given} == {48}
