"""The verb `publish`: upload the run's model to the Hub."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.runs.publishing import publish
from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, Any]:
    """Upload the model and return its address."""
    return {"address": publish(call.directory / "model", call.spec)}
