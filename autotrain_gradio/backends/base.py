"""What a backend can do, and what it declares about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class Capabilities:
    """What the page must know of a place where trainings run."""

    outlives_app: bool
    """A training goes on when the app ends."""
    needs_visitor: bool
    """A training needs the quota of somebody who is signed in."""
    stoppable: bool
    price_known: bool


class Backend(Protocol):
    """Starts, watches and ends training workers. A run is named by its directory. A module can be one."""

    @property
    def capabilities(self) -> Capabilities:
        """What it declares."""

    def submit(
        self, directory: Path, attempt: int, env: Mapping[str, str], *, resume: bool, device: str | None = None
    ) -> None:
        """Start the worker of an attempt and return at once.

        device: the GPU that it may use; None: all.

        Raises:
            OSError: it cannot be started.
        """

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        """Return `{"alive": bool, "reason": str, "hint": str}` of an attempt's worker."""

    def signal(self, directory: Path, *, hard: bool) -> None:
        """End the worker and all that it started; `hard`: without asking."""
