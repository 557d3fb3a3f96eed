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
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import ValidationError

from autotrain_gradio.backends import DEFAULT, Backends
from autotrain_gradio.backends.base import Attempt, Backend
from autotrain_gradio.core.errors import DataError, NotFound, SpecError, UserError
from autotrain_gradio.core.owners import is_visitor
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import TINY, ResourceSpec, Secrets, findings_of
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.bounded_calls import BoundedCalls
from autotrain_gradio.runs.record import Run, State, StateReader
from autotrain_gradio.runs.run_index import RunIndex
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


class Dispatcher:
    """Dispatches the queue of one home directory while this process holds its lock."""

    def __init__(
        self, settings: Settings, store: Store, backends: Backends | None = None, index: RunIndex | None = None
    ) -> None:
        self._settings = settings
        self._store = store
        self._backends = backends or Backends(settings)
        self._index = index or RunIndex(store, _read_state, BoundedCalls())
        self._reads = self._index.calls  # shared: a run that stalls is waited for once
        self._secrets: dict[str, Secrets] = {}
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._readers: dict[str, StateReader] = {}
        self._lock, self._secrets_lock = threading.Lock(), threading.Lock()
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
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def enqueue(self, run: Run, secrets: Secrets, *, resume: bool = False) -> None:
        """Queue an attempt and keep its secrets in memory; if one is queued already, replace its secrets."""
        with self._secrets_lock:
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
        """Return the run's position in the queue, from 1; None when it is not queued or waits for a token."""
        now = time.monotonic()
        until, waiting = self._order
        if now >= until:
            waiting = [r.id for r, _ in self._waiting(self._states())]
            self._order = (now + POSITION_CACHE_SECONDS, waiting)
        return waiting.index(run.id) + 1 if run.id in waiting else None

    def lacks_token(self, run: Run) -> bool:
        """Whether the run needs a token that this process does not hold.

        A run needs one if it will be published, or if it was queued with a token and uses data or a model of the Hub,
        which may be gated.
        """
        held = self._secrets.get(run.id)
        if held and held.token:
            return False
        queued = [c for c in run.controls() if c["kind"] == "queued"]
        if queued and queued[-1].get("token"):
            # The user gave a token: the account that is logged in here may be a different one.
            return self._publishes(run) or _uses_hub(run.spec())
        return self._publishes(run) and (is_visitor(run.owner()) or not self._backend(run).has_login())

    def _publishes(self, run: Run) -> bool:
        return bool((run.spec().get("hub") or {}).get("push_to_hub"))

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
        states = self._states()
        active: dict[str, list[Path]] = defaultdict(list)
        running: Counter[str] = Counter()
        for run, state in states:
            try:
                if state.name in ACTIVE and self._bounded(run, partial(self._watch, run, state)):
                    active[_backend_name(run)].append(run.directory)
                    running[run.owner()] += 1
            except Exception as error:  # of this run only
                self._log_once(run.id, _text(error))
                if self._may_be_training(run):  # another training must not start beside it
                    active[DEFAULT].append(run.directory)
        self._forget_ended()
        full: set[str] = set()
        for run, state in self._waiting(states):
            try:
                name = _backend_name(run)
                if name in full or self._has_enough(run, running):
                    continue
                started = self._start(run, state, active[name])
                if started is None:
                    full.add(name)  # later runs of this backend must not overtake it
                elif started:
                    active[name].append(run.directory)
                    running[run.owner()] += 1
            except Exception as error:  # of this run only
                self._fail(run, state, error)
        waiting = [run for run, state in states if state.name == "queued" and self._lacks_token_or_log(run)]
        return any(self._has_slot(run, active) for run in waiting)

    def _bounded(self, run: Run, work: Callable[[], T]) -> T:
        """Return `work()`, or raise its error; a run whose files do not respond does not hold up the others."""
        return self._reads.call(run.id, work)

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
            run.close_attempt(state.attempt, "failed", f"The training could not be started: {_text(error)}")
        except (UserError, OSError) as unwritten:
            self._log_once(run.id, _text(unwritten))

    def _forget_ended(self) -> None:
        """Drop the secrets of runs that have ended or were deleted."""
        for run in list(self._secrets):
            record = self._store.run(run)
            if run not in self._index:  # deleted, or created since the index was refreshed
                if not record.directory.exists():
                    self._secrets.pop(run, None)
            elif self._index.state(run) in ENDED:
                with self._secrets_lock:
                    if record.state().name in ENDED:  # not resumed meanwhile
                        self._secrets.pop(run, None)

    def _has_enough(self, run: Run, running: Mapping[str, int]) -> bool:
        """Whether its visitor has as many running trainings as each may have; those of others may overtake."""
        limit = self._settings.visitors.running
        if limit is None or not running:
            return False
        owner = run.owner()
        return is_visitor(owner) and running[owner] >= limit

    def _has_slot(self, run: Run, active: dict[str, list[Path]]) -> bool:
        try:
            return self._backend(run).allocate(_resources(run), active[_backend_name(run)]) is not None
        except UserError as error:
            self._log_once(run.id, str(error))
            return False

    def _backend(self, run: Run) -> Backend:
        return self._backends.of(run.spec())

    def _states(self) -> list[tuple[Run, State]]:
        """Return the runs that are queued or active, with their states; the index finds them.

        Those whose record cannot be read are skipped, and logged once.
        """
        found = []
        with self._lock:
            self._index.refresh()
            pending = self._index.pending()
            for ended in self._readers.keys() - set(pending):
                del self._readers[ended]
            for name in pending:
                if name not in self._readers:
                    self._readers[name] = StateReader(self._store.run(name))
            for name, state in self._reads.map(pending, lambda name: self._readers[name].read()).items():
                if isinstance(state, Exception):  # of this run only
                    self._log_once(name, f"its record cannot be read: {_text(state)}")
                else:
                    found.append((self._store.run(name), state))
        return found

    def _waiting(self, states: list[tuple[Run, State]]) -> list[tuple[Run, State]]:
        queued = [(r, s) for r, s in states if s.name == "queued" and not self._lacks_token_or_log(r)]
        return sorted(queued, key=lambda p: (self._requested_at(p[0], p[1].attempt, "queued"), p[0].id))

    def _lacks_token_or_log(self, run: Run) -> bool:
        try:
            return self.lacks_token(run)
        except UserError as error:
            self._log_once(run.id, str(error))
            return False  # starting it fails with the reason

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


def _read_state(run: Run) -> dict[str, Any]:
    """Return the entry of the index that the queue needs."""
    return {"state": StateReader(run).read().name if run.is_started() else None}


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, (UserError, OSError)) else f"{type(error).__name__}: {error}"


def _uses_hub(spec: dict[str, Any]) -> bool:
    """Whether the model or the data of a run may come from the Hub."""
    data, model = spec.get("data") or {}, str(spec.get("model") or "")
    try:
        task = registry().get(str(spec.get("task")))
    except NotFound:  # of a package that is not installed any more: starting the run fails with the reason
        task = None
    local_model = not model or model == TINY or Path(model).is_dir() or (task is not None and task.listed)
    sources = task.sources if task else ()
    return not local_model or any(s.name == data.get("source") and s.uses_hub for s in sources)


def _backend_name(run: Run) -> str:
    return str(run.spec().get("backend") or DEFAULT)


def _resources(run: Run) -> ResourceSpec:
    """Return the resources of a stored run; runs of earlier versions have none.

    Raises:
        SpecError: they are invalid.
    """
    try:
        return ResourceSpec.model_validate(run.spec().get("resources") or {})
    except ValidationError as error:
        raise SpecError.from_findings(findings_of(error, ResourceSpec, "resources")) from None
