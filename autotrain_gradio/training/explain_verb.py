"""The verb `explain`: which parts of an image a prediction depends on. Workers only.

The predictor of the task has `explain(path)`. `call` is a `tasks.verb_call.VerbCall`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from autotrain_gradio.core.panels import Panel


def load(call: Any) -> ModuleType:
    """Import the module of the task."""
    module: ModuleType = call.import_module(call.task.module)
    return module


def run(call: Any) -> list[Panel]:
    """Return the prediction for an image, and its gradient maps.

    Raises:
        UserError: there is no model yet, or the image is missing or cannot be read.
    """
    path, predictor = str(call.context.get("image") or ""), call.predictor()
    found: list[Panel] = predictor([{"image": path}])[0]["panels"]
    return [*found, predictor.explain(path)]
