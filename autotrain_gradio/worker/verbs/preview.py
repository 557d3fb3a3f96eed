"""The verb `preview`: show the training inputs of a few rows."""

from __future__ import annotations

from types import ModuleType

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.record import EXAMPLES, write_json
from autotrain_gradio.tasks.verb_call import VerbCall

PREVIEWING = "Preparing the training inputs of your data"


def load(call: VerbCall) -> ModuleType:
    """Import the task's preview, which may import fewer libraries than its training."""
    return call.import_module(call.task.preview_module or call.task.module)


def run(call: VerbCall) -> list[Panel]:
    """Return the panels of the preview."""
    module = load(call)
    call.progress(PREVIEWING, 0.0)
    found: list[Panel] = module.preview(call.directory, call.spec, call.params, call.context)
    counted = next((panel for panel in found if "examples_per_row" in panel), None)
    if counted is not None:
        shown = call.task.previewed_params()
        params = {name: value for name, value in call.params.model_dump(mode="json").items() if name in shown}
        facts = {name: counted[name] for name in ("examples_per_row", "longest_example")}
        write_json(call.directory / EXAMPLES, {**facts, "model": call.spec.model, "params": params})
    return found
