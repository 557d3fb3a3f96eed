"""The library `evaluate`, loaded without torch where nobody has loaded transformers.

It imports the pipelines of transformers, and with them torch, for its evaluators alone, which no metric needs; where
transformers is not installed it does without. So it is told: `None` in `sys.modules` is Python's word for a module that
cannot be imported (docs.python.org, "The module cache"). That saves a table's training seconds and 270 MB.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _absent(name: str) -> Iterator[None]:
    """Let imports of a module that is not loaded fail meanwhile."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


with _absent("transformers"):
    import evaluate

__all__ = ["evaluate"]
