"""The queue: starts queued runs, detects workers that have exited, kills workers that do not stop.

The process that holds `$HOME/queue.lock` dispatches. The operating system releases the lock when its
holder exits: of several apps with one home directory one dispatches, and another takes over. When all
queued runs need a token that another process holds, the lock is released for a moment.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from autotrain_gradio.backends import DEFAULT, Backends, backend_type
from autotrain_gradio.backends.base import Attempt, TrainingBackend
from autotrain_gradio.backends.pending_runs import Pending, PendingRuns, ProblemLog, error_text
from autotrain_gradio.backends.run_secrets import RunSecrets
from autotrain_gradio.core.errors import DataError, SpecError, UserError
from autotrain_gradio.core.owners import is_visitor
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets, findings_of
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.record import Run, State
from autotrain_gradio.runs.run_index import RunIndex
from autotrain_gradio.runs.states import ACTIVE, ENDED
from autotrain_gradio.runs.store import Store

POLL_SECONDS = 0.5
KILL_AFTER_SECONDS = 10.0
"""Time between SIGTERM and SIGKILL for a worker that did not stop."""
RELEASE_SECONDS = 2.0
RELEASE_INTERVAL_SECONDS = 5.0
T = TypeVar("T")
log = logging.getLogger(__name__)


class Dispatcher:
    """Dispatches the queue of one home directory while this process holds its lock."""

    def __init__(self, settings: Settings, store: Store, backends: Backends, index: RunIndex) -> None:
        self._settings, self._store, self._backends, self._index = settings, store, backends, index
        self._secrets, self._problems = RunSecrets(backends), ProblemLog()
        self._pending = PendingRuns(store, index, self._secrets, self._problems)
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._next_release = 0.0

    def start(self) -> None:
        """Start the dispatcher thread, which also removes old drafts."""
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the dispatcher thread; trainings continue."""
        self._end.set()
        self._index.cancel()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def enqueue(self, run: Run, secrets: Secrets, *, resume: bool = False) -> None:
        """Queue an attempt and keep its secrets in memory; if one is queued already, replace its secrets."""
        self._secrets.enqueue(run, secrets, resume=resume)
        self._changed()

    def forget(self, run: Run) -> None:
        """Drop the secrets of a run."""
        self._secrets.drop(run.id)

    def request_stop(self, run: Run, by: str) -> None:
        """Write the stop request; a worker that ignores it is killed after the grace time."""
        run.request_stop(by)
        self._changed()

    def position(self, run: Run) -> int | None:
        """Return the run's position in the queue, from 1; None when it is not queued, waits for a token, or is unknown.

        It is unknown until all runs have been read.
        """
        return self._pending.position(run)

    def lacks_token(self, run: Run) -> bool:
        """Whether the run needs a token that this process does not hold.

        Raises:
            UserError: the run cannot be read, or its files do not respond.
        """
        return self._bounded(run, lambda: self._secrets.lacks_token(run.id, run.spec(), run.controls()))

    def _changed(self) -> None:
        self._pending.changed()
        self._wake.set()

    # -- dispatcher thread

    def _loop(self) -> None:
        try:
            self._index.refresh()
            self._store.sweep(self._settings.limits.draft_days, self._index.drafts())
        except Exception:  # old drafts must not prevent trainings
            log.exception("old drafts could not be removed")
        lock = FileLock(self._settings.home / "queue.lock", thread_local=False)
        while not self._end.is_set():
            try:
                self._settings.home.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=0)
            except Timeout:
                self._end.wait(POLL_SECONDS)
                continue
            except OSError as error:
                self._problems.warn("", f"the queue of {self._settings.home} cannot be dispatched: {error}")
                self._end.wait(10 * POLL_SECONDS)
                continue
            try:
                self._dispatch_until_release()
            finally:
                lock.release()
            self._end.wait(RELEASE_SECONDS)

    def _dispatch_until_release(self) -> None:
        """Dispatch until `stop` is called, or until another process should get the lock."""
        while not self._end.is_set():
            blocked = False
            try:
                blocked = self.dispatch()
            except Exception:  # one error must not end the dispatcher thread
                log.exception("dispatching the queue failed once")
            if blocked and time.monotonic() > self._next_release:
                self._next_release = time.monotonic() + RELEASE_INTERVAL_SECONDS
                return
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()

    def dispatch(self) -> bool:
        """Go through all runs once: watch the active ones, start queued ones while their backend has free slots.

        Returns whether there is a free slot for a run whose token only another process may hold.
        """
        found = self._pending.read()
        active: dict[str, list[Path]] = defaultdict(list)
        running: Counter[str] = Counter()

        def count(pending: Pending) -> None:
            active[pending.backend].append(pending.run.directory)
            running[pending.owner] += 1

        for pending in found:
            run, state = pending.run, pending.state
            try:
                if state.name in ACTIVE and self._bounded(run, partial(self._watch, run, state)):
                    count(pending)
            except Exception as error:  # of this run only
                self._problems.warn(run.id, error)
                if self._may_be_training(run):  # another training must not start beside it
                    count(pending)
        self._forget_ended()
        full: set[str] = set()
        for pending in self._pending.waiting(found):
            run = pending.run
            try:
                if pending.problem is not None:
                    raise pending.problem
                if pending.backend in full or self._has_enough(pending.owner, running):
                    continue
                started = self._bounded(run, partial(self._start, run, pending.state, active[pending.backend]))
                if started is None:
                    full.add(pending.backend)  # later runs of this backend must not overtake it
                elif started:
                    count(pending)
            except Exception as error:  # of this run only
                if run.id in self._store.calls.stalled():  # it may start later, and then needs its slot
                    self._problems.warn(run.id, error)
                    self._pending.mark_starting(pending)
                    count(pending)
                else:
                    self._fail(run, pending.state, error)
        return any(self._has_slot(p.run, active[p.backend]) for p in found if p.lacks_token)

    def _bounded(self, run: Run, work: Callable[[], T]) -> T:
        """Return `work()`, or raise its error; a run whose files do not respond does not hold up the others."""
        return self._store.calls.call(run.id, work)

    def _may_be_training(self, run: Run) -> bool:
        """Whether a worker holds the lock of a run that cannot be watched, or may hold it."""
        try:
            return self._bounded(run, lambda: worker_lock.is_held(run.directory))
        except DataError:
            return True

    def _fail(self, run: Run, state: State, error: Exception) -> None:
        """Record that a queued run could not be started."""
        if not isinstance(error, (UserError, OSError)):
            log.error("run %s could not be started", run.id, exc_info=error)
        try:
            reason = f"The training could not be started: {error_text(error)}"
            self._bounded(run, lambda: run.close_attempt(state.attempt, "failed", reason))
        except (UserError, OSError) as unwritten:
            self._problems.warn(run.id, unwritten)

    def _forget_ended(self) -> None:
        """Drop the secrets of runs that have ended or were deleted."""
        for name in self._secrets.held():
            if name in self._index and self._index.state(name) not in ENDED:
                continue
            run = self._store.run(name)
            try:  # the index may be older than a request to resume
                self._secrets.drop_ended(name, partial(self._bounded, run, partial(_has_ended, run)))
            except (UserError, OSError) as error:  # its secrets are kept until it can be read
                self._problems.warn(name, error)

    def _has_enough(self, owner: str, running: Mapping[str, int]) -> bool:
        """Whether a visitor has as many running trainings as each may have; those of others may overtake."""
        limit = self._settings.visitors.running
        return limit is not None and is_visitor(owner) and running[owner] >= limit

    def _has_slot(self, run: Run, active: Sequence[Path]) -> bool:
        """Whether its backend has a free slot for a run."""
        try:
            return self._bounded(run, lambda: self._backend(run).allocate(_resources(run), active)) is not None
        except UserError as error:
            self._problems.warn(run.id, error)
            return False

    def _backend(self, run: Run) -> TrainingBackend:
        return self._backends.of(run.spec())

    def _watch(self, run: Run, state: State) -> bool:
        """Return whether the run still has a worker; escalate a stop whose grace time is over."""
        backend = self._backend(run)
        backend.attach(run.directory, state.attempt, partial(self._worker_environment, run, backend))
        status = backend.status(run.directory, state.attempt, self._pending.requested_at(run, state.attempt, "started"))
        if not status["alive"]:
            if run.record_interruption(state.attempt, status["reason"], status["hint"]):
                backend.signal(run.directory, hard=True)  # subprocesses that the worker left running
            return False
        if state.name == "stopping":
            now, delay = time.time(), backend_type(str(run.spec().get("backend") or DEFAULT)).capabilities.stop_delay
            grace = self._settings.limits.stop_grace_seconds + delay
            killed = self._pending.requested_at(run, state.attempt, "kill")
            if killed and now - killed > KILL_AFTER_SECONDS:
                backend.signal(run.directory, hard=True)
            elif not killed and now - self._pending.requested_at(run, state.attempt, "stop") > grace:
                run.control("kill", state.attempt, reason=f"it did not stop within {grace:.0f} s")
                backend.signal(run.directory, hard=False)
        return True

    def _start(self, run: Run, state: State, active: list[Path]) -> bool | None:
        """Submit an attempt to its backend; return whether it was still queued, None if no slot is free."""
        backend, resources = self._backend(run), _resources(run)
        errors = [f for f in backend.check_resources(resources) if f.level == "error"]
        if errors:
            raise UserError.from_findings(errors)
        allocation = backend.allocate(resources, active)
        if allocation is None:
            return None
        queued = run.begin(state.attempt)
        if queued is None:
            return False
        env = self._worker_environment(run, backend)
        resume = bool(queued.get("resume"))
        backend.submit(Attempt(run.directory, state.attempt, env, resume, resources, allocation))
        self._changed()
        return True

    def _worker_environment(self, run: Run, backend: TrainingBackend) -> dict[str, str]:
        return backend.environment(self._secrets.get(run.id), visitor=is_visitor(run.owner()))


def _has_ended(run: Run) -> bool:
    """Whether a run has ended or was deleted."""
    return not run.directory.exists() or run.state().name in ENDED


def _resources(run: Run) -> ResourceSpec:
    """Return the resources of a stored run; runs of earlier versions have none.

    Raises:
        SpecError: they are invalid.
    """
    try:
        return ResourceSpec.model_validate(run.spec().get("resources") or {})
    except ValidationError as error:
        raise SpecError.from_findings(findings_of(error, ResourceSpec, "resources")) from None
