"""The argument of a verb's `run`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs.model_cache import ModelCache
from autotrain_gradio.tasks.base import Params, Task
from autotrain_gradio.tasks.registry import Resolved

T = TypeVar("T")
LOADING = "Loading the libraries"


def _ignore(value: Any) -> None:
    """Ignore a partial result."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class VerbCall:
    """One call of a verb, in a worker.

    directory: of the run or draft. context: arguments of the caller, JSON data.
    progress: callback (message, fraction from 0 to 1).
    found: callback for a partial result, before the verb is done.
    secrets: by name; never written to disk. cancelled: whether the caller has cancelled; of a streaming verb, it is
        checked after each item anyway.
    """

    directory: Path
    resolved: Resolved
    context: Mapping[str, Any]
    progress: Callable[[str, float], None]
    found: Callable[[Any], None] = _ignore
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    cancelled: Callable[[], bool] = _never
    cache: ModelCache = field(default_factory=ModelCache, repr=False)

    @property
    def task(self) -> Task:
        """The run's task."""
        return self.resolved.task

    @property
    def spec(self) -> RunSpec:
        """The run's settings."""
        return self.resolved.spec

    @property
    def params(self) -> Params:
        """The task's parameters, complete."""
        return self.resolved.params

    def import_module(self, name: str) -> ModuleType:
        """Import a module, with a progress message where that takes time."""
        if name not in sys.modules:
            self.progress(LOADING, 0.0)
        return importlib.import_module(name)

    def load_model(self, load: Callable[[Path], T]) -> T:
        """Return `load(directory)`; a warm worker loads it once, until the run has another model.

        Raises:
            UserError: the run has no model yet (`no-model`).
        """
        return self.cache.get(self.directory, load)

    def predictor(self) -> Any:
        """Return the task's predictor of the run's model.

        Raises:
            UserError: the run has no model yet (`no-model`).
        """
        return self.load_model(self.import_module(self.task.module).load)
