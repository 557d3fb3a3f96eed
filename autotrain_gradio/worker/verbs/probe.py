"""The verb `probe`: inspect the spec's model without loading its weights."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from autotrain_gradio.tasks.verb_call import VerbCall


def load(call: VerbCall) -> ModuleType:
    """Import the task."""
    return call.import_module(call.task.module)


def run(call: VerbCall) -> dict[str, Any]:
    """Return the facts of the model, and findings."""
    found: dict[str, Any] = load(call).probe(call.spec, call.params, call.context)
    return found
