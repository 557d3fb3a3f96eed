"""Turn your own data into a fine-tuned model: a page, a command line and a Python API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "train"]

if TYPE_CHECKING:
    from autotrain_gradio.api import train


def __getattr__(name: str) -> Any:
    # Workers import this package too, and must not load the service with it.
    if name == "train":
        from autotrain_gradio.api import train

        return train
    raise AttributeError(f"module 'autotrain_gradio' has no attribute {name!r}")
