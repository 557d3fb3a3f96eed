"""The registry of backends, and the open backends of an installation.

Backends are the folders of this package that declare `BACKEND`, and installed packages with an entry
point in the group `autotrain_gradio.backends` whose value is a `BackendType` (see `base.py`).
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from autotrain_gradio.backends.base import Backend, BackendType, TrainingBackend
from autotrain_gradio.core.errors import NotFound, SpecError
from autotrain_gradio.core.registry import NamedRegistry, load_entry_points
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import RunSpec

ENTRY_POINTS = "autotrain_gradio.backends"
DEFAULT: str = RunSpec.model_fields["backend"].default


@lru_cache(maxsize=1)
def registry() -> NamedRegistry[BackendType]:
    """Discover all backends: folders of this package, then entry points."""
    found: NamedRegistry[BackendType] = NamedRegistry("backend")
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg and module.name != "remote":  # what the remote backends share
            found.add(importlib.import_module(f"{__name__}.{module.name}").BACKEND)
    for declared in load_entry_points(ENTRY_POINTS):
        found.add(declared)
    return found


def backend_type(name: str) -> BackendType:
    """Return the declaration of a backend.

    Raises:
        SpecError: the name is unknown; the hint has the closest ones.
    """
    try:
        return registry().get(name)
    except NotFound as error:
        raise SpecError(error.message, error.hint, "backend", "unknown-backend") from None


class Backends:
    """The backends of one installation, opened on first use; thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: dict[str, TrainingBackend] = {}
        self._lock = threading.Lock()

    def get(self, name: str = DEFAULT) -> TrainingBackend:
        """Return the backend of that name.

        Raises:
            SpecError: the name is unknown.
        """
        with self._lock:
            if name not in self._opened:
                self._opened[name] = backend_type(name).open(self._settings)
            return self._opened[name]

    def of(self, spec: Mapping[str, Any]) -> TrainingBackend:
        """Return the backend that a stored spec names, or the default one.

        Raises:
            SpecError: the name is unknown.
        """
        return self.get(spec.get("backend") or DEFAULT)

    def for_calls(self, name: str | None = None) -> Backend:
        """Return the backend that runs the verbs of a run: its own, or the default one if its own only trains.

        Raises:
            SpecError: the name is unknown.
        """
        name = name or DEFAULT
        return cast(Backend, self.get(name if backend_type(name).capabilities.calls else DEFAULT))

    def release(self, directory: Path, *, prestarted: bool = True) -> None:
        """End the warm workers of a run's directory in every open backend; prestarted: see `Backend.release`."""
        for backend in list(self._opened.values()):
            backend.release(directory, prestarted=prestarted)

    def close(self) -> None:
        """End the warm workers of this process; trainings continue."""
        for backend in list(self._opened.values()):
            backend.close()
