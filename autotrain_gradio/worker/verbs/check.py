"""The verb `check`: parse the data of a draft, find what is wrong with it, split it and prepare it for the training."""

from __future__ import annotations

from typing import Any

from autotrain_gradio import data
from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, Any]:
    """Return what `check.json` holds."""
    return dict(data.check(call.directory, data.Request.of(call.resolved), call.progress, call.found))
