"""Turn your own data into a fine-tuned model: a page, a command line and a Python API."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "run", "runs", "train"]

if TYPE_CHECKING:
    from autotrain_gradio.api.runs import Run, run, train


def __getattr__(name: str) -> Any:
    # Workers import this package too, and must not load the service with it.
    if name == "runs":
        return importlib.import_module("autotrain_gradio.runs")
    if name in __all__:
        return getattr(importlib.import_module("autotrain_gradio.api.runs"), name)
    raise AttributeError(f"module 'autotrain_gradio' has no attribute {name!r}")
