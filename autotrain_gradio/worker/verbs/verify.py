"""The verb `verify`: verify that the run's model can be loaded."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, Any]:
    """Load the model; raises the error if it cannot be loaded."""
    call.import_module(call.task.module).load(call.directory)
    return {"loads": True}
