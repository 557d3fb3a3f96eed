"""The queued and active runs of a home directory, as the dispatcher reads them, and the order of the queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from autotrain_gradio.backends import DEFAULT
from autotrain_gradio.backends.run_secrets import RunSecrets
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.record import Run, State, StateReader
from autotrain_gradio.runs.run_index import WAIT_SECONDS, RunIndex
from autotrain_gradio.runs.states import ACTIVE
from autotrain_gradio.runs.store import Store

POSITION_CACHE_SECONDS = 0.3
"""How long the order of the queue is cached for positions."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pending:
    """A run that is queued or active, as it was read.

    lacks_token: it is queued, and needs a token that this process does not hold. problem: why its spec cannot be used.
    """

    run: Run
    state: State
    backend: str = DEFAULT
    owner: str = ""
    lacks_token: bool = False
    problem: UserError | OSError | None = None


class ProblemLog:
    """Logs each problem of a run once, not at every poll."""

    def __init__(self) -> None:
        self._logged: dict[str, str] = {}

    def warn(self, run: str, problem: Exception | str) -> None:
        """Log the latest problem of a run, unless it was logged already. run: its id; empty for none."""
        text = error_text(problem) if isinstance(problem, Exception) else problem
        if self._logged.get(run) != text:
            self._logged[run] = text
            log.warning("run %s: %s", run or "-", text)


class PendingRuns:
    """Reads the queued and active runs that the index finds; thread-safe."""

    def __init__(self, store: Store, index: RunIndex, secrets: RunSecrets, problems: ProblemLog) -> None:
        self._store, self._index, self._secrets, self._problems = store, index, secrets, problems
        self._readers: dict[str, StateReader] = {}
        self._known: dict[str, Pending] = {}
        """As they were read last."""
        self._lock = threading.Lock()
        self._order: tuple[float, list[str]] = (0.0, [])

    def read(self) -> list[Pending]:
        """Return the runs that are queued or active.

        Those whose record cannot be read are logged once, and skipped unless they were active when they were read last:
        another training must not start beside them.
        """
        found = []
        with self._lock:
            self._index.refresh()
            if self._index.unread:  # it was cancelled: a run that is unknown may be active
                return []
            names = self._index.pending()
            for ended in self._readers.keys() - set(names):
                del self._readers[ended]
                self._known.pop(ended, None)
            for name in names:
                if name not in self._readers:
                    self._readers[name] = StateReader(self._store.run(name))
            for name, pending in self._store.calls.map(names, self._read).items():
                if isinstance(pending, Exception):  # of this run only
                    self._problems.warn(name, f"its record cannot be read: {error_text(pending)}")
                    known = self._known.get(name)
                    if known is not None and known.state.name in ACTIVE:
                        found.append(known)
                else:
                    self._known[name] = pending
                    found.append(pending)
        return found

    def _read(self, name: str) -> Pending:
        """Read what the queue needs of a run."""
        run, reader = self._store.run(name), self._readers[name]
        state = reader.read()
        try:
            spec = run.spec()
            lacks_token = state.name == "queued" and self._secrets.lacks_token(name, spec, reader.controls)
        except (UserError, OSError) as error:
            return Pending(run, state, problem=error)
        return Pending(run, state, str(spec.get("backend") or DEFAULT), str(spec["owner"]), lacks_token)

    def waiting(self, found: Iterable[Pending]) -> list[Pending]:
        """Return the queued runs that this process can start, in their order."""
        queued = [p for p in found if p.state.name == "queued" and not p.lacks_token]
        return sorted(queued, key=lambda p: (self.requested_at(p.run, p.state.attempt, "queued"), p.run.id))

    def position(self, run: Run) -> int | None:
        """Return the run's position in the queue, from 1; None when it is not queued, waits for a token, or is unknown.

        It is unknown until all runs have been read.
        """
        now = time.monotonic()
        until, waiting = self._order
        if now >= until:
            self._index.refresh(wait=WAIT_SECONDS)
            if self._index.unread:
                return None
            waiting = [pending.run.id for pending in self.waiting(self.read())]
            self._order = (now + POSITION_CACHE_SECONDS, waiting)
        return waiting.index(run.id) + 1 if run.id in waiting else None

    def changed(self) -> None:
        """Read the order of the queue again when a position is asked for next."""
        self._order = (0.0, [])

    def mark_starting(self, pending: Pending) -> None:
        """Count a run as active although its record still says queued: its start has not returned."""
        self._known[pending.run.id] = replace(pending, state=replace(pending.state, name="preparing"))

    def requested_at(self, run: Run, attempt: int, kind: str) -> float:
        """Return the time of the first request of a kind in an attempt; 0 if there is none."""
        reader = self._readers.get(run.id)
        line = reader.first_control(attempt, kind) if reader is not None else None
        return float(line["time"]) if line is not None else 0.0


def error_text(error: Exception) -> str:
    """Return the message of an error, for the log and the reason of a failed run."""
    return str(error) if isinstance(error, (UserError, OSError)) else f"{type(error).__name__}: {error}"
