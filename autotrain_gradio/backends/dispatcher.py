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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from autotrain_gradio.backends import DEFAULT, Backends
from autotrain_gradio.backends.base import Attempt, Backend
from autotrain_gradio.core.errors import DataError, NotFound, SpecError, UserError
from autotrain_gradio.core.owners import is_visitor
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import TINY, ResourceSpec, Secrets, findings_of
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.record import Record, Run, State, StateReader
from autotrain_gradio.runs.run_index import WAIT_SECONDS, RunIndex
from autotrain_gradio.runs.states import ACTIVE, ENDED
from autotrain_gradio.runs.store import Store
from autotrain_gradio.tasks.registry import registry

POLL_SECONDS = 0.5
KILL_AFTER_SECONDS = 10.0
"""Time between SIGTERM and SIGKILL for a worker that did not stop."""
RELEASE_SECONDS = 2.0
RELEASE_INTERVAL_SECONDS = 5.0
POSITION_CACHE_SECONDS = 0.3
"""How long the order of the queue is cached for positions."""
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Pending:
    """A run that is queued or active, as it was read.

    lacks_token: it is queued, and needs a token that this process does not hold. problem: why its spec cannot be used.
    """

    run: Run
    state: State
    backend: str = DEFAULT
    owner: str = ""
    lacks_token: bool = False
    problem: UserError | OSError | None = None


class Dispatcher:
    """Dispatches the queue of one home directory while this process holds its lock."""

    def __init__(self, settings: Settings, store: Store, backends: Backends, index: RunIndex) -> None:
        self._settings, self._store, self._backends, self._index = settings, store, backends, index
        self._secrets: dict[str, Secrets] = {}
        self._secrets_locks: dict[str, threading.Lock] = {}
        """Of each run, because its owner waits for its files while holding it."""
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._readers: dict[str, StateReader] = {}
        self._known: dict[str, _Pending] = {}
        """Queued and active runs as they were read last."""
        self._lock = threading.Lock()
        self._order: tuple[float, list[str]] = (0.0, [])
        self._logged: dict[str, str] = {}
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
        with self._secrets_lock(run):
            if secrets.token or run.id not in self._secrets:
                self._secrets[run.id] = secrets
            # Record whether there was a token, so that the run is not started without it after a restart.
            run.enqueue(resume=resume, token=bool(secrets.token))
        self._changed()

    def forget(self, run: Run) -> None:
        """Drop the secrets of a run."""
        self._secrets.pop(run.id, None)

    def request_stop(self, run: Run, by: str) -> None:
        """Write the stop request; a worker that ignores it is killed after the grace time."""
        run.request_stop(by)
        self._changed()

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
            waiting = [pending.run.id for pending in self._waiting(self._pending())]
            self._order = (now + POSITION_CACHE_SECONDS, waiting)
        return waiting.index(run.id) + 1 if run.id in waiting else None

    def lacks_token(self, run: Run) -> bool:
        """Whether the run needs a token that this process does not hold.

        A run needs one if it will be published, or if it was queued with a token and uses data or a model of the Hub,
        which may be gated.

        Raises:
            UserError: the run cannot be read, or its files do not respond.
        """
        return self._bounded(run, lambda: self._lacks_token(run.id, run.spec(), run.controls()))

    def _lacks_token(self, run: str, spec: Record, controls: Sequence[Record]) -> bool:
        held = self._secrets.get(run)
        if held and held.token:
            return False
        publishes = bool((spec.get("hub") or {}).get("push_to_hub"))
        queued = [c for c in controls if c["kind"] == "queued"]
        if queued and queued[-1].get("token"):
            # The user gave a token: the account that is logged in here may be a different one.
            return publishes or _uses_hub(spec)
        return publishes and (is_visitor(spec["owner"]) or not self._backends.of(spec).has_login())

    def _secrets_lock(self, run: Run) -> threading.Lock:
        return self._secrets_locks.setdefault(run.id, threading.Lock())

    def _changed(self) -> None:
        self._order = (0.0, [])
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
                self._log_once("", f"the queue of {self._settings.home} cannot be dispatched: {error}")
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
        found = self._pending()
        active: dict[str, list[Path]] = defaultdict(list)
        running: Counter[str] = Counter()

        def count(pending: _Pending) -> None:
            active[pending.backend].append(pending.run.directory)
            running[pending.owner] += 1

        for pending in found:
            run, state = pending.run, pending.state
            try:
                if state.name in ACTIVE and self._bounded(run, partial(self._watch, run, state)):
                    count(pending)
            except Exception as error:  # of this run only
                self._log_once(run.id, _text(error))
                if self._may_be_training(run):  # another training must not start beside it
                    count(pending)
        self._forget_ended()
        full: set[str] = set()
        for pending in self._waiting(found):
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
                    self._log_once(run.id, _text(error))
                    self._known[run.id] = replace(pending, state=replace(pending.state, name="preparing"))
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
            reason = f"The training could not be started: {_text(error)}"
            self._bounded(run, lambda: run.close_attempt(state.attempt, "failed", reason))
        except (UserError, OSError) as unwritten:
            self._log_once(run.id, _text(unwritten))

    def _forget_ended(self) -> None:
        """Drop the secrets of runs that have ended or were deleted."""
        for name in list(self._secrets):
            run = self._store.run(name)
            if name in self._index and self._index.state(name) not in ENDED:
                continue
            lock = self._secrets_lock(run)
            if not lock.acquire(blocking=False):
                continue  # it is being queued
            try:
                if self._bounded(run, partial(_has_ended, run)):  # not resumed since the index was refreshed
                    self._secrets.pop(name, None)
            except (UserError, OSError) as error:  # its secrets are kept until it can be read
                self._log_once(name, _text(error))
            finally:
                lock.release()

    def _has_enough(self, owner: str, running: Mapping[str, int]) -> bool:
        """Whether a visitor has as many running trainings as each may have; those of others may overtake."""
        limit = self._settings.visitors.running
        return limit is not None and is_visitor(owner) and running[owner] >= limit

    def _has_slot(self, run: Run, active: Sequence[Path]) -> bool:
        """Whether its backend has a free slot for a run."""
        try:
            return self._bounded(run, lambda: self._backend(run).allocate(_resources(run), active)) is not None
        except UserError as error:
            self._log_once(run.id, str(error))
            return False

    def _backend(self, run: Run) -> Backend:
        return self._backends.of(run.spec())

    def _pending(self) -> list[_Pending]:
        """Return the runs that are queued or active; the index finds them.

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
                    self._log_once(name, f"its record cannot be read: {_text(pending)}")
                    known = self._known.get(name)
                    if known is not None and known.state.name in ACTIVE:
                        found.append(known)
                else:
                    self._known[name] = pending
                    found.append(pending)
        return found

    def _read(self, name: str) -> _Pending:
        """Read what the queue needs of a run."""
        run, reader = self._store.run(name), self._readers[name]
        state = reader.read()
        try:
            spec = run.spec()
            lacks_token = state.name == "queued" and self._lacks_token(name, spec, reader.controls)
        except (UserError, OSError) as error:
            return _Pending(run, state, problem=error)
        return _Pending(run, state, str(spec.get("backend") or DEFAULT), str(spec["owner"]), lacks_token)

    def _waiting(self, found: Iterable[_Pending]) -> list[_Pending]:
        """Return the queued runs that this process can start, in their order."""
        queued = [p for p in found if p.state.name == "queued" and not p.lacks_token]
        return sorted(queued, key=lambda p: (self._requested_at(p.run, p.state.attempt, "queued"), p.run.id))

    def _watch(self, run: Run, state: State) -> bool:
        """Return whether the run still has a worker; escalate a stop whose grace time is over."""
        backend = self._backend(run)
        status = backend.status(run.directory, state.attempt, self._requested_at(run, state.attempt, "started"))
        if not status["alive"]:
            if run.record_interruption(state.attempt, status["reason"], status["hint"]):
                backend.signal(run.directory, hard=True)  # subprocesses that the worker left running
            return False
        if state.name == "stopping":
            now, grace = time.time(), self._settings.limits.stop_grace_seconds
            killed = self._requested_at(run, state.attempt, "kill")
            if killed and now - killed > KILL_AFTER_SECONDS:
                backend.signal(run.directory, hard=True)
            elif not killed and now - self._requested_at(run, state.attempt, "stop") > grace:
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
        env = backend.environment(self._secrets.get(run.id, Secrets()), visitor=is_visitor(run.owner()))
        resume = bool(queued.get("resume"))
        backend.submit(Attempt(run.directory, state.attempt, env, resume, resources, allocation))
        self._changed()
        return True

    def _requested_at(self, run: Run, attempt: int, kind: str) -> float:
        reader = self._readers.get(run.id)
        line = reader.first_control(attempt, kind) if reader is not None else None
        return float(line["time"]) if line is not None else 0.0

    def _log_once(self, run: str, text: str) -> None:
        """Log a problem once, not at every poll."""
        if self._logged.get(run) != text:
            self._logged[run] = text
            log.warning("run %s: %s", run or "-", text)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, (UserError, OSError)) else f"{type(error).__name__}: {error}"


def _uses_hub(spec: Record) -> bool:
    """Whether the model or the data of a run may come from the Hub."""
    data, model = spec.get("data") or {}, str(spec.get("model") or "")
    try:
        task = registry().get(str(spec.get("task")))
    except NotFound:  # of a package that is not installed any more: starting the run fails with the reason
        task = None
    local_model = not model or model == TINY or Path(model).is_dir() or (task is not None and task.listed)
    sources = task.sources if task else ()
    return not local_model or any(s.name == data.get("source") and s.uses_hub for s in sources)


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
