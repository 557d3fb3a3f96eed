"""The verb `check`: parse, validate and split the data of a draft, and prepare it for training."""

from __future__ import annotations

from typing import Any

from autotrain_gradio import data
from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, Any]:
    """Return the content of `check.json`."""
    return dict(data.check(call.directory, data.Request.of(call.resolved), call.progress, call.found))
