"""Tasks with preferences report what the chat template leaves out, in the preview and in the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from autotrain_gradio.training import language_models
from tests.preferences import judged, pairs, preference_trial
from tests.unit.training.test_chat_template_support import PLAIN

__all__ = ["preference_trial"]

TOOL = [{"type": "function", "function": {"name": "f", "description": "F.", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(("task", "rows_of"), [("llm-dpo", pairs), ("llm-kto", judged), ("llm-reward", pairs)])
def test_parts_that_the_template_leaves_out_are_counted(
    preference_trial: Callable[..., Any], tmp_path: Path, task: str, rows_of: Callable[..., list[dict[str, Any]]]
) -> None:
    rows = rows_of(20)
    folder = language_models.tiny_model(tmp_path / "model", texts=[str(v) for row in rows for v in row.values()])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = "{{ bos_token }}{{ bos_token }}" + PLAIN
    tokenizer.bos_token = "<|im_start|>"
    tokenizer.save_pretrained(folder)
    rows = [{**row, "tools": json.dumps(TOOL) if number < 2 else "[]"} for number, row in enumerate(rows)]
    made = preference_trial(task, rows, model=str(folder), max_steps=1, data={"valid_fraction": 0})
    module = import_module(f"autotrain_gradio.tasks.{task.replace('-', '_')}.train")
    panels = module.preview(made.directory, made.resolved.spec, made.resolved.params, {})
    assert "The chat template leaves out tool definitions of 2 rows." in panels[0]["note"]
    module.train(made.reporter())
    notes = [e["message"] for e in made.events("note")]
    assert "The chat template leaves out tool definitions of 2 training rows." in notes
    assert any("begin with two BOS tokens" in note for note in notes)
