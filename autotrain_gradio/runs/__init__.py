"""Runs: one directory each, written by the app and its worker; any process can read it.

Called as a function, `autotrain_gradio.runs()`, the package lists them: see `api.runs.list_runs`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


class _Runs(ModuleType):
    """This package, which has the name of a function of the Python API."""

    def __call__(self) -> list[Any]:
        found: list[Any] = importlib.import_module("autotrain_gradio.api.runs").list_runs()
        return found


sys.modules[__name__].__class__ = _Runs
