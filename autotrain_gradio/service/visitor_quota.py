"""Limits of each visitor in shared mode. They are checked here, so that clicks and API calls count alike."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from autotrain_gradio.core.errors import SpecError, StateError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.core.text_format import format_bytes, format_value, pluralize
from autotrain_gradio.core.visitor_limits import VisitorLimits
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.run_index import RunIndex
from autotrain_gradio.runs.states import ACTIVE
from autotrain_gradio.runs.store import Store

OWN_MACHINE = "or run the app on your own machine"


class VisitorQuota:
    """Checks the limits of an owner; outside shared mode there are none."""

    def __init__(self, settings: Settings, store: Store, index: RunIndex) -> None:
        self._limits = settings.visitors if settings.shared else VisitorLimits.unlimited()
        self._store, self._index = store, index
        self._calls: Counter[str] = Counter()
        self._starting: Counter[str] = Counter()
        self._lock = threading.Lock()

    def require_draft(self, owner: str) -> None:
        """Check the number of drafts and runs before another one is created.

        Raises:
            StateError: the limit is reached.
        """
        limit = self._limits.drafts
        if limit is None:
            return
        count = len(self._runs(owner))
        if count >= limit:
            raise StateError(
                f"You have {pluralize(count, 'draft')} and runs; the limit for each visitor is {format_value(limit)}.",
                f"Delete some of them, {OWN_MACHINE}.",
                code="visitor-drafts",
            )

    def require_disk(self, owner: str, more: int) -> None:
        """Check the disk space of an owner before so many bytes are added.

        Raises:
            StateError: the limit would be exceeded.
        """
        limit = self._limits.disk_bytes
        if limit is None:
            return
        used = sum(_size(run.directory) for run in self._runs(owner))
        if used + more > limit:
            raise StateError(
                f"Your drafts and runs have {format_bytes(used)}, and {format_bytes(more)} more would exceed the limit "
                f"for each visitor of {format_bytes(limit)}.",
                f"Delete runs to free disk space, {OWN_MACHINE}.",
                code="visitor-disk",
            )

    def require_copy(self, owner: str, folder: Path) -> None:
        """Check the disk space before a folder is copied.

        Raises:
            StateError: the limit would be exceeded.
        """
        if self._limits.disk_bytes is not None:
            self.require_disk(owner, _size(folder))

    def require_upload(self, owner: str, size: int) -> None:
        """Check the size of an upload, and the disk space.

        Raises:
            StateError: a limit would be exceeded.
        """
        limit = self._limits.upload_bytes
        if limit is not None and size > limit:
            raise StateError(
                f"The files have {format_bytes(size)}; the limit for each visitor is {format_bytes(limit)}.",
                f"Upload fewer files, {OWN_MACHINE}.",
                code="visitor-upload",
            )
        self.require_disk(owner, size)

    @contextmanager
    def place_in_queue(self, owner: str) -> Iterator[None]:
        """Reserve a place in the queue until the training is queued (a context manager).

        Raises:
            StateError: the limit of the visitor, or that of all visitors, is reached.
        """
        with self._counted(self._starting, owner, lambda: self._require_place(owner)):
            yield

    def _require_place(self, owner: str) -> None:
        if self._limits.queued is None and self._limits.all_queued is None:
            return  # the index need not be read
        self._index.refresh()
        waiting = [e for _, e in self._index.entries() if e["state"] == "queued" or e["state"] in ACTIVE]
        everybody = len(waiting) + self._starting.total()
        mine = sum(entry.get("owner") == owner for entry in waiting) + self._starting[owner]
        if self._limits.queued is not None and mine >= self._limits.queued:
            raise StateError(
                f"{pluralize(mine, 'training')} of yours already run or wait; the limit for each visitor is "
                f"{format_value(self._limits.queued)}.",
                "Stop one of them, or wait until it has ended.",
                code="visitor-queued",
            )
        if self._limits.all_queued is not None and everybody >= self._limits.all_queued:
            raise StateError(
                f"The queue of this page is full: {pluralize(everybody, 'training')} run or wait.",
                f"Try again later, {OWN_MACHINE}.",
                code="visitor-all-queued",
            )

    def limit_training(self, epochs: float | None, resources: ResourceSpec) -> ResourceSpec:
        """Check the length of a training; return its resources, with the time limit of visitors if it has none.

        epochs: None for tasks without epochs.

        Raises:
            SpecError: more epochs or a longer time limit than a visitor has.
        """
        most, hours = self._limits.epochs, self._limits.hours
        if most is not None and epochs is not None and epochs > most:
            raise SpecError(
                f"The training has {format_value(epochs)} epochs; the limit for each visitor is {format_value(most)}.",
                f"Lower the number of epochs, {OWN_MACHINE}.",
                "params.epochs",
                "visitor-epochs",
            )
        if hours is None:
            return resources
        seconds = resources.timeout_seconds
        if seconds is not None and seconds > hours * 3600:
            raise SpecError(
                f"The time limit is {resources.timeout}; the longest for each visitor is {format_value(hours)} h.",
                f"Lower the time limit, {OWN_MACHINE}.",
                "resources.timeout",
                "visitor-hours",
            )
        return resources if seconds is not None else resources.model_copy(update={"timeout": f"{hours:g}h"})

    @contextmanager
    def call(self, owner: str) -> Iterator[None]:
        """Count a call of a worker while it runs (a context manager).

        Raises:
            StateError: the limit of the visitor, or that of all visitors, is reached.
        """
        with self._counted(self._calls, owner, lambda: self._require_call(owner)):
            yield

    def _require_call(self, owner: str) -> None:
        mine, everybody = self._calls[owner], self._calls.total()
        if self._limits.calls is not None and mine >= self._limits.calls:
            raise StateError(
                f"{pluralize(mine, 'preview or prediction', 'previews or predictions')} of yours "
                f"already run; the limit for each visitor is {format_value(self._limits.calls)}.",
                "Wait until one has ended, or cancel it.",
                code="visitor-calls",
            )
        if self._limits.all_calls is not None and everybody >= self._limits.all_calls:
            raise StateError("This page is busy.", "Try again in a minute.", code="visitor-all-calls")

    def _runs(self, owner: str) -> list[Run]:
        """Return the drafts and runs of an owner."""
        self._index.refresh()
        return [self._store.run(name) for name, entry in self._index.entries() if entry.get("owner") == owner]

    @contextmanager
    def _counted(self, counter: Counter[str], owner: str, require: Callable[[], None]) -> Iterator[None]:
        """Count what an owner does while it lasts, if `require` allows it."""
        with self._lock:
            require()
            counter[owner] += 1
        try:
            yield
        finally:
            with self._lock:
                counter[owner] -= 1
                if not counter[owner]:
                    del counter[owner]


def _size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except FileNotFoundError:
                continue  # removed meanwhile
    return total
