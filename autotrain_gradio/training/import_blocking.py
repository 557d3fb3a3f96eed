"""Importing a library without another one that it can do without."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def absent(name: str) -> Iterator[None]:
    """Let imports of a module fail meanwhile, unless it is loaded already: who can do without it then does.

    `None` in `sys.modules` is Python's word for a module that cannot be imported (docs.python.org, "The module cache").
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
