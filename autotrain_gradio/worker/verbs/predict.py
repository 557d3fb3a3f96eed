"""The verb `predict`: apply the run's model."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from autotrain_gradio.tasks.verb_call import VerbCall


def load(call: VerbCall) -> ModuleType:
    """Import the task."""
    return call.import_module(call.task.module)


def run(call: VerbCall) -> list[dict[str, Any]]:
    """Return a prediction for each of `context["inputs"]`."""
    found: list[dict[str, Any]] = call.predictor()(call.context["inputs"])
    return found
