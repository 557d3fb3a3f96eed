"""The queue: starts the runs that wait, notices workers that vanished, ends those that do not stop.

Whoever holds `$HOME/queue.lock` dispatches: the operating system gives the lock free when its
holder dies, so of several apps on one home one works the queue and another takes over. When only
runs wait whose token another process holds, the lock is lent to the others for a moment.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autotrain_gradio import backends
from autotrain_gradio.backends import local
from autotrain_gradio.backends.devices import devices, least_used
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import TINY, Secrets
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.record import ACTIVE, ENDED, Run, State, StateReader
from autotrain_gradio.runs.store import Store

SECONDS = 0.5
HARD_AFTER = 10.0
LEND_SECONDS = 2.0
LEND_EVERY = 5.0
QUEUE_SECONDS = 0.3
"""How long an answer about places in the queue serves all who ask."""
log = logging.getLogger(__name__)
LOCAL = "local"
"""Owner of the runs of the person at the machine; all others are visitors."""


class Dispatcher:
    """Works the queue of one home, when its turn comes."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._secrets: dict[str, Secrets] = {}
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._readers: dict[str, StateReader] = {}
        self._lock, self._secrets_lock = threading.Lock(), threading.Lock()
        self._order: tuple[float, list[str]] = (0.0, [])
        self._told: dict[str, str] = {}
        self._next_lend = 0.0

    def start(self) -> None:
        """Begin to take part."""
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave the queue to others; trainings go on."""
        self._end.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def enqueue(self, run: Run, secrets: Secrets, *, resume: bool = False) -> None:
        """Put an attempt into the queue and keep its secrets in memory; for one that waits, renew its secrets."""
        with self._secrets_lock:
            if secrets.token or run.id not in self._secrets:
                self._secrets[run.id] = secrets
            # Whether there was a token, so that the run is not started without it after a restart.
            run.enqueue(resume=resume, token=bool(secrets.token))
        self._changed()

    def forget(self, run: Run) -> None:
        """Drop the secrets of a run."""
        self._secrets.pop(run.id, None)

    def request_stop(self, run: Run, by: str) -> None:
        """Write the request; the worker follows it, or is ended when the grace time is over."""
        run.ask_stop(by)
        self._changed()

    def position(self, run: Run) -> int | None:
        """Return the run's place in the queue, from 1; None when it is not in it or waits for a token."""
        now = time.monotonic()
        until, waiting = self._order
        if now >= until:
            waiting = [r.id for r, _ in self._waiting(self._states())]
            self._order = (now + QUEUE_SECONDS, waiting)
        return waiting.index(run.id) + 1 if run.id in waiting else None

    def lacks_token(self, run: Run) -> bool:
        """Whether the run needs a token that this process does not hold.

        It does to be published, and when it was put into the queue with one and uses data or a model of the Hub,
        which may be gated.
        """
        held = self._secrets.get(run.id)
        if held and held.token:
            return False
        queued = [c for c in run.controls() if c["kind"] == "queued"]
        if queued and queued[-1].get("token"):
            # This person's own token was given: another account, though it is signed in here, will not do.
            return self._publishes(run) or _uses_hub(run.spec())
        signed_in = run.owner() == LOCAL and has_login()
        return self._publishes(run) and not signed_in

    def _publishes(self, run: Run) -> bool:
        return bool((run.spec().get("hub") or {}).get("push_to_hub"))

    def _changed(self) -> None:
        self._order = (0.0, [])
        self._wake.set()

    # -- the thread

    def _loop(self) -> None:
        lock = FileLock(self._settings.home / "queue.lock", thread_local=False)
        while not self._end.is_set():
            try:
                self._settings.home.mkdir(parents=True, exist_ok=True)
                lock.acquire(timeout=0)
            except Timeout:
                self._end.wait(SECONDS)
                continue
            except OSError as error:
                self._tell("", f"the queue of {self._settings.home} cannot be worked: {error}")
                self._end.wait(10 * SECONDS)
                continue
            try:
                self._work()
            finally:
                lock.release()
            self._end.wait(LEND_SECONDS)

    def _work(self) -> None:
        """Work the queue until the end, or until another process should have a try."""
        while not self._end.is_set():
            stuck = False
            try:
                stuck = self.turn()
            except Exception:  # the boundary: one bad turn must not end the queue
                log.exception("the queue had to skip a turn")
            if stuck and time.monotonic() > self._next_lend:
                self._next_lend = time.monotonic() + LEND_EVERY
                return
            self._wake.wait(SECONDS)
            self._wake.clear()

    def turn(self) -> bool:
        """Look at all runs once; return whether there is room for a run whose token only another process may hold."""
        states = self._states()
        active: list[Run] = []
        for run, state in states:
            try:
                if state.name in ACTIVE and self._watch(run, state):
                    active.append(run)
                elif state.name in ENDED and run.id in self._secrets:
                    with self._secrets_lock:
                        if run.state().name in ENDED:  # nobody has resumed it meanwhile
                            self.forget(run)
            except (UserError, OSError) as error:
                self._tell(run.id, str(error))
        names = devices()
        room = (self._settings.slots or max(1, len(names))) - len(active)
        for run, state in self._waiting(states)[: max(0, room)]:
            try:
                if self._start(run, state, active, names):
                    active.append(run)
            except (UserError, OSError) as error:
                run.close_attempt(state.attempt, "failed", f"The training could not be started: {error}")
        room = (self._settings.slots or max(1, len(names))) - len(active)
        return room > 0 and any(s.name == "queued" and self._safely_lacks(r) for r, s in states)

    def _states(self) -> list[tuple[Run, State]]:
        """Return all runs with their states; those whose record cannot be read are left out, and told once."""
        found = []
        with self._lock:
            runs = self._store.list()
            for gone in self._readers.keys() - {r.id for r in runs}:
                del self._readers[gone]
                self._secrets.pop(gone, None)
            for run in runs:
                try:
                    reader = self._readers.get(run.id)
                    if reader is None:
                        if not run.is_started():
                            continue
                        reader = self._readers[run.id] = StateReader(run)
                    found.append((run, reader.read()))
                except (UserError, OSError, KeyError, TypeError, ValueError) as error:
                    self._tell(run.id, f"its record cannot be read: {error!r}")
        return found

    def _waiting(self, states: list[tuple[Run, State]]) -> list[tuple[Run, State]]:
        queued = [(r, s) for r, s in states if s.name == "queued" and not self._safely_lacks(r)]
        return sorted(queued, key=lambda p: (self._asked(p[0], p[1].attempt, "queued"), p[0].id))

    def _safely_lacks(self, run: Run) -> bool:
        try:
            return self.lacks_token(run)
        except UserError as error:
            self._tell(run.id, str(error))
            return False  # it will fail at its start, and say why

    def _watch(self, run: Run, state: State) -> bool:
        """Return whether the run still has a worker."""
        place = backends.backend(run.spec().get("backend", "local"))
        seen = place.status(run.directory, state.attempt, self._asked(run, state.attempt, "started"))
        if not seen["alive"]:
            if run.vanished(state.attempt, seen["reason"], seen["hint"]):
                place.signal(run.directory, hard=True)  # what the worker has started and left behind
            return False
        if state.name == "stopping":
            now, grace = time.time(), self._settings.limits.stop_grace_seconds
            killed = self._asked(run, state.attempt, "kill")
            if killed and now - killed > HARD_AFTER:
                place.signal(run.directory, hard=True)
            elif not killed and now - self._asked(run, state.attempt, "stop") > grace:
                run.control("kill", state.attempt, reason=f"it did not stop within {grace:.0f} s")
                place.signal(run.directory, hard=False)
        return True

    def _start(self, run: Run, state: State, active: list[Run], names: list[str]) -> bool:
        """Hand an attempt to its backend; return whether it still waited."""
        place = backends.backend(run.spec().get("backend", "local"))
        queued = run.begin(state.attempt)
        if queued is None:
            return False
        secrets, visitor = self._secrets.get(run.id, Secrets()), run.owner() != LOCAL
        caches = local.visitor_caches(self._settings.home, secrets) if visitor else {}
        env = local.environment({**secrets.environment(), **caches}, visitor=visitor)
        device = None
        if len(names) > 1 and self._settings.slots != 1:
            device = least_used(names, [d for r in active if (d := _device(r.directory)) is not None])
        place.submit(run.directory, state.attempt, env, resume=bool(queued.get("resume")), device=device)
        self._changed()
        return True

    def _asked(self, run: Run, attempt: int, kind: str) -> float:
        reader = self._readers.get(run.id)
        line = reader.asked(attempt, kind) if reader is not None else None
        return float(line["time"]) if line is not None else 0.0

    def _tell(self, run: str, text: str) -> None:
        """Log a problem once, not twice a second."""
        if self._told.get(run) != text:
            self._told[run] = text
            log.warning("run %s: %s", run or "-", text)


def has_login() -> bool:
    """Whether this process, and so a worker, has a token of the Hub by itself: HF_TOKEN or `hf auth login`."""
    if os.environ.get("HF_TOKEN"):
        return True
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(os.environ.get("HF_TOKEN_PATH") or f"{home}/token").expanduser().is_file()


def _uses_hub(spec: dict[str, Any]) -> bool:
    data, model = spec.get("data") or {}, str(spec.get("model") or "")
    local_model = not model or model == TINY or Path(model).is_dir()
    return data.get("source") == "hub" or not local_model


def _device(directory: Path) -> str | None:
    device = (read_object(directory / "backend.json") or {}).get("device")
    return str(device) if device is not None else None
