"""The verb `browse`: list the content of a source with a picker."""

from __future__ import annotations

from typing import Any

from autotrain_gradio import data
from autotrain_gradio.tasks.verb_call import VerbCall


def run(call: VerbCall) -> dict[str, Any]:
    """Return the source's answer to `context["question"]`."""
    request = data.Request.of(call.resolved)
    source = request.source(call.directory).load()
    return dict(source.browse(call.context["question"], request, call.directory, call.secrets, call.progress))
