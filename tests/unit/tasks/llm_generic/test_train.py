"""Language models on plain texts, trained for a few steps with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.core.errors import SpecError, UserError
from autotrain_gradio.core.panels import find_panel, render_text
from autotrain_gradio.tasks.llm_generic import train as task
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.spec_yaml import from_yaml
from autotrain_gradio.training.language_probe import probe
from tests.contract.headlines.perplexity import measure_model
from tests.trials import Trial

SENTENCES = [f"The {colour} door leads to the {room}." for colour in ("red", "blue") for room in ("hall", "yard")]
YAML = """
task: {task}
base_model: HuggingFaceTB/SmolLM2-135M
project_name: autotrain-llm
data: {{path: texts/, train_split: train, column_mapping: {{text_column: body}}}}
params: {{block_size: 1024, model_max_length: 2048, epochs: 3, batch_size: 2, lr: 3e-5, peft: false, padding: right}}
"""


@pytest.fixture
def text_trial(tmp_path: Path) -> Callable[..., Trial]:
    """Return a function that prepares a run on texts: file → content."""

    def make(files: dict[str, str], run: str = "run", **params: Any) -> Trial:
        folder = tmp_path / "texts"
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content, encoding="utf-8")
        spec = {
            "task": "llm-generic",
            "model": "tiny",
            "project_name": "doors",
            "data": {"source": "path", "path": str(folder), **params.pop("data", {})},
            "params": {"epochs": 2, "batch_size": 4, "generation_rows": 2, "max_new_tokens": 12, **params},
        }
        return Trial(tmp_path / run, spec)

    return make


def table(count: int) -> dict[str, str]:
    rows = [json.dumps({"text": SENTENCES[i % len(SENTENCES)]}) + "\n" for i in range(count)]
    return {"train.jsonl": "".join(rows[4:]), "validation.jsonl": "".join(rows[:4])}


@pytest.mark.parametrize("name", ["llm", "llm:default", "llm:generic", "llm-generic", "llm-default"])
def test_yaml_of_autotrain(name: str) -> None:
    found = resolve(from_yaml(YAML.format(task=name))[0])
    params: Any = found.params
    assert found.task.name == "llm-generic" and found.spec.data.columns == {"text": "body"}
    assert (params.block_size, params.lr, params.padding) == (1024, 3e-5, "right")


@pytest.mark.parametrize(("value", "codes"), [("null", set()), ("none", {"setting-without-effect"})])
def test_a_chat_template_has_no_effect(value: str, codes: set[str], tmp_path: Path) -> None:
    text = YAML.format(task="llm:generic").replace("train_split: train", f"train_split: train, chat_template: {value}")
    found = resolve(from_yaml(text)[0])
    for model in ("tiny", str(task.tiny_model(tmp_path, texts=["The red door leads to the hall."]))):
        facts = probe(found.spec.model_copy(update={"model": model}), found.params, {})
        assert {f["code"] for f in facts["findings"]} - {"memory-estimate"} == codes


def test_a_chat_template_of_plain_texts_is_refused() -> None:
    text = YAML.format(task="llm").replace("train_split: train", "train_split: train, chat_template: tokenizer")
    with pytest.raises(SpecError, match="Plain texts have no chat template") as raised:
        resolve(from_yaml(text)[0])
    assert raised.value.findings[0].where == "params.chat_template"


def test_it_memorises_texts_and_continues_them(text_trial: Callable[..., Trial]) -> None:
    made = text_trial(table(24), epochs=25, lr=4e-3)
    run = made.reporter()
    task.train(run)
    values = made.events("result")[-1]["values"]
    assert values["eval_token_accuracy"] > 0.8, values
    assert values["eval_perplexity"] == pytest.approx(measure_model(data.load(made.directory), run.model), rel=1e-3)
    found = task.load(made.directory)([{"text": "The red door leads"}])[0]
    assert found["text"] in {"to the hall.", "to the yard."}, found
    assert "to the" in render_text(found["panels"][0])
    with pytest.raises(UserError, match="text is empty"):
        task.load(made.directory)([{"text": " "}])


def test_long_documents_are_split_and_nothing_is_lost(text_trial: Callable[..., Trial]) -> None:
    files = {f"{n}.md": "\n\n".join(SENTENCES * (20 if n == 0 else 2)) for n in range(12)}
    made = text_trial(files, block_size=64, data={"valid_fraction": 0})
    task.train(made.reporter())
    notes = [e for e in made.events("note") if "split into chunks" in e["message"]]
    assert len(notes) == 1 and "lost" not in notes[0]["message"] and notes[0]["level"] == "info"


def test_the_preview_counts_long_texts(text_trial: Callable[..., Trial]) -> None:
    made = text_trial(table(24), block_size=8)
    found = task.preview(made.directory, made.resolved.spec, made.resolved.params, {"texts": 2})
    shown = find_panel(found, "rendered-rows")
    assert shown is not None and len(shown["items"]) == 2 and all(shown["items"][0]["marked"])
    assert "longer than 8 tokens" in found[0]["note"] and "split into chunks" in found[0]["note"]
