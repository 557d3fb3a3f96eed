"""The data layer: from a person's files to rows that a training can use. It knows no task.

The declarations (`declarations`, `catalog`) are light. What opens files is loaded when it is first used,
in a worker: `check`, `ensure`, `load` and `Request`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autotrain_gradio.data.pipeline.check import check, ensure
    from autotrain_gradio.data.pipeline.materialize import load
    from autotrain_gradio.data.request import Request

__all__ = ["Request", "check", "ensure", "load"]

_HOMES = {"Request": "request", "check": "pipeline.check", "ensure": "pipeline.check", "load": "pipeline.materialize"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
