"""The verb `predict`: apply the run's model."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from autotrain_gradio.tasks.verb_call import VerbCall
from autotrain_gradio.worker import input_rows


def load(call: VerbCall) -> ModuleType:
    """Import the task."""
    return call.import_module(call.task.module)


def run(call: VerbCall) -> list[dict[str, Any]]:
    """Return a prediction with panels for each of `context["inputs"]`, and for each row of those that are files."""
    return input_rows.predict(call.predictor(), call.context["inputs"], call.directory, call.resolved)
