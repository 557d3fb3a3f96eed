"""Cache of the models that a warm worker has loaded; invalidated when the run's model changes on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from autotrain_gradio.core.errors import UserError

T = TypeVar("T")


class ModelCache:
    """Objects loaded from a run's `model/`, by the function that loads them."""

    def __init__(self) -> None:
        self._version: tuple[Path, int] | None = None
        self._loaded: dict[Callable[[Path], Any], Any] = {}

    def get(self, directory: Path, load: Callable[[Path], T]) -> T:
        """Return `load(directory)`, cached while the files of the model are the same.

        Raises:
            UserError: the run has no model yet (`no-model`).
        """
        modified = [f.stat().st_mtime_ns for f in (directory / "model").rglob("*") if f.is_file()]
        if not modified:
            raise UserError("The run has no model yet.", "Wait until it is completed, or stop it.", code="no-model")
        version = (directory, max(modified))
        if version != self._version:
            self._loaded.clear()  # before the new model is loaded: both may not fit into memory
            self._version = version
        if load not in self._loaded:
            self._loaded[load] = load(directory)
        found: T = self._loaded[load]
        return found
