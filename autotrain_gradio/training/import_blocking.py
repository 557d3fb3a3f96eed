"""Block the import of an optional dependency of a library."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def blocked_import(name: str) -> Iterator[None]:
    """Make imports of a module fail within the block, unless it is loaded already, so that optional users skip it.

    `None` in `sys.modules` raises ModuleNotFoundError on import (docs.python.org, "The module cache").
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
