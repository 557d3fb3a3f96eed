"""`RemoteBackend`: trains on rented machines; checks, previews and predictions run in the default backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.backends import hub_login
from autotrain_gradio.backends.base import Allocation, Attempt
from autotrain_gradio.backends.price import Flavor, Quote
from autotrain_gradio.backends.remote import cost, record
from autotrain_gradio.backends.remote.engine import EngineError, EngineType
from autotrain_gradio.backends.remote.merge import STAGING
from autotrain_gradio.backends.remote.monitor import Monitor, Pace
from autotrain_gradio.backends.remote.record import RemoteRecord
from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets
from autotrain_gradio.runs.files import read_text_from
from autotrain_gradio.runs.record import Run

MAX_ACTIVE = 10
"""Number of trainings of one installation at the same time."""
START_SECONDS = 30.0
"""Time for which an attempt without a record counts as alive, because it is being submitted."""
RESTART_SECONDS = 5.0
"""Time after which a monitor that has ended is started again, as when another process monitored the run."""


class RemoteBackend:
    """Trains on the machines of an engine."""

    def __init__(self, settings: Settings, engine: EngineType, pace: Pace | None = None) -> None:
        self._settings, self._engine = settings, engine
        self._pace = pace or Pace()
        self._monitors: dict[Path, tuple[Monitor, float]] = {}
        self._lock = threading.Lock()

    def check_resources(self, resources: ResourceSpec) -> Iterable[Finding]:
        """Check flavor and limits against the flavors and prices of the service."""
        try:
            return [*cost.findings(resources, self._engine.flavors()), *self._engine.check(resources)]
        except EngineError as error:
            return [Finding("error", "no-prices", error.message, error.hint, "backend")]

    def quote(self, resources: ResourceSpec) -> Quote | None:
        """Return price and limits of an attempt; None if the resources are not valid."""
        try:
            return cost.quote(resources, self._engine.flavors())
        except EngineError:
            return None  # reported by `check_resources`

    def flavors(self) -> Sequence[Flavor]:
        """Return the flavors of the service."""
        try:
            return self._engine.flavors()
        except EngineError as error:
            raise UserError(error.message, error.hint, "resources.flavor", "no-prices") from error

    def accelerated(self) -> bool:
        """Whether a training without explicit resources uses a GPU: its flavor decides."""
        return True

    def has_login(self) -> bool:
        """Whether this machine's user is signed in."""
        return bool(hub_login.saved_token())

    def environment(self, secrets: Secrets, *, visitor: bool) -> dict[str, str]:
        """Return the variables of a worker: the token. For a visitor never that of this server."""
        token = secrets.token or ("" if visitor else hub_login.saved_token())
        return {"HF_TOKEN": token} if token else {}

    def allocate(self, resources: ResourceSpec, active: Sequence[Path]) -> Allocation | None:
        """Return an allocation, unless too many trainings are active."""
        return Allocation() if len(active) < MAX_ACTIVE else None

    def submit(self, attempt: Attempt) -> None:
        """Record the attempt, and start its monitor, which uploads the run and starts the job."""
        found = self.quote(attempt.resources)
        if found is None:
            raise UserError.from_findings(list(self.check_resources(attempt.resources)))
        directory = attempt.directory
        log = directory / "log.txt"
        new = RemoteRecord(
            self._engine.name,
            attempt.number,
            attempt.resume,
            flavor=found.flavor,
            price=found.price,
            limit=found.seconds,
            folder=str(directory),
            prefix=f"{directory.name}/attempt-{attempt.number}",
            submitted=time.time(),
            log_bytes=log.stat().st_size if log.exists() else 0,
        )
        (directory / STAGING / "digests.json").unlink(missing_ok=True)  # of an earlier attempt
        new.write(directory)
        env = dict(attempt.env)
        self.attach(directory, attempt.number, lambda: env)

    def attach(self, directory: Path, attempt: int, environment: Callable[[], Mapping[str, str]]) -> None:
        """Start the monitor of an attempt unless it is running, here or in another process."""

        def token() -> str:
            return str(environment().get("HF_TOKEN") or "")

        with self._lock:
            monitor, started = self._monitors.get(directory, (None, 0.0))
            if monitor is not None and monitor.is_alive():
                monitor.token = token
                return
            if time.monotonic() - started < RESTART_SECONDS and monitor is not None:
                return
            found = record.read(directory)
            if found is None or found.attempt != attempt or found.stage == "ended" or found.is_copied(directory):
                return
            monitor = Monitor(directory, found, self._engine.title, self._engine.open, token, self._pace)
            self._monitors[directory] = (monitor, time.monotonic())
            monitor.start()

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        """Return `{"alive", "reason", "hint", "detail"}` from the record; no request is sent."""
        found = record.read(directory)
        if found is None or found.attempt < attempt:
            reason = "The training was never submitted."
            return _status(time.time() - started < START_SECONDS, reason, "Resume it.")
        if found.is_copied(directory):
            reason = f"This folder was copied from a run that was live: its job belongs to '{found.folder}'."
            hint = "Resume this copy to continue from its last checkpoint; the original is not affected."
            return _status(False, reason, hint)
        if found.stage == "ended":
            return _status(False, found.reason, found.hint)
        return _status(True, detail=found.detail)

    def log(self, directory: Path, offset: int, limit: int) -> dict[str, Any]:
        """Return whole lines of `log.txt`."""
        return read_text_from(directory / "log.txt", offset, limit)

    def signal(self, directory: Path, *, hard: bool) -> None:
        """Cancel the job when `hard`; the request to stop has been forwarded by the monitor already."""
        with self._lock:
            monitor = self._monitors.get(directory)
        if hard and monitor is not None and Run(directory).state().name == "stopping":
            monitor[0].kill()

    def prestart(self, attempt: Attempt, module: str) -> None:
        """Do nothing: a machine costs money from its start."""

    def release(self, directory: Path, *, prestarted: bool = True) -> None:
        """Do nothing: there are no warm workers."""

    def close(self) -> None:
        """End the monitors of this process; the jobs continue."""
        with self._lock:
            monitors = [monitor for monitor, _ in self._monitors.values()]
        for monitor in monitors:
            monitor.close()
        for monitor in monitors:
            monitor.join(timeout=10)


def _status(alive: bool, reason: str = "", hint: str = "", detail: str = "") -> dict[str, Any]:
    reasons = {"reason": "", "hint": ""} if alive else {"reason": reason, "hint": hint}
    return {"alive": alive, **reasons, "detail": detail}
