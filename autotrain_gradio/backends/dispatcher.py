"""The queue: starts the runs that wait, notices workers that vanished, ends those that do not stop.

Whoever holds `$HOME/queue.lock` dispatches: the operating system gives the lock free when its
holder dies, so of several apps on one home one works the queue and another takes over.
"""

from __future__ import annotations

import glob
import logging
import os
import threading
import time
from typing import Any

from filelock import FileLock, Timeout

from autotrain_gradio.backends import local
from autotrain_gradio.errors import UserError
from autotrain_gradio.runs.record import GONE, GONE_HINT, Run, State
from autotrain_gradio.runs.store import Store
from autotrain_gradio.settings import Settings
from autotrain_gradio.spec import Secrets

ACTIVE = frozenset({"preparing", "running", "stopping"})
SECONDS = 0.5
HARD_AFTER = 10.0
log = logging.getLogger(__name__)


class Dispatcher:
    """Works the queue of one home, when its turn comes."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._secrets: dict[str, Secrets] = {}
        self._wake, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._queue: list[str] = []

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
        """Put an attempt into the queue and keep its secrets in memory."""
        self._secrets[run.id] = secrets
        run.enqueue(resume=resume)
        self._wake.set()

    def forget(self, run: Run) -> None:
        """Drop the secrets of a run."""
        self._secrets.pop(run.id, None)

    def request_stop(self, run: Run, by: str) -> None:
        """Write the request; the worker follows it, or is ended when the grace time is over."""
        run.control("stop", run.state().attempt, by=by)
        self._wake.set()

    def position(self, run: Run) -> int | None:
        """Return the run's place in the queue, from 1."""
        waiting = [r.id for r, _ in self._waiting()]
        return waiting.index(run.id) + 1 if run.id in waiting else None

    def lacks_token(self, run: Run) -> bool:
        """Whether the run needs a token that this process does not hold."""
        if not run.spec().get("hub", {}).get("push_to_hub"):
            return False
        held = self._secrets.get(run.id)
        shared_token = None if self._settings.shared else os.environ.get("HF_TOKEN")
        return not (held and held.token) and not shared_token

    def _loop(self) -> None:
        self._settings.home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._settings.home / "queue.lock", thread_local=False)
        while not self._end.is_set():
            try:
                lock.acquire(timeout=0)
            except Timeout:
                self._end.wait(SECONDS)
                continue
            try:
                while not self._end.is_set():
                    self._wake.wait(SECONDS)
                    self._wake.clear()
                    self.turn()
            finally:
                lock.release()

    def turn(self) -> None:
        """Look at all runs once."""
        active = 0
        states = self._states()
        for run, state in states:
            if state.name not in ACTIVE:
                continue
            try:
                active += self._watch(run, state)
            except (UserError, OSError) as error:
                log.warning("run %s: %s", run.id, error)
        waiting = self._waiting(states)
        slots = self._settings.slots or max(1, gpu_count())
        for run, state in waiting[: max(0, slots - active)]:
            self._start(run, state)

    def _states(self) -> list[tuple[Run, State]]:
        found = []
        for run in self._store.list():
            try:
                if run.is_started():
                    found.append((run, run.state()))
            except (UserError, OSError) as error:
                log.warning("run %s: %s", run.id, error)
        return found

    def _waiting(self, states: list[tuple[Run, State]] | None = None) -> list[tuple[Run, State]]:
        queued = [(r, s) for r, s in (states if states is not None else self._states()) if s.name == "queued"]
        return sorted(
            (p for p in queued if not self.lacks_token(p[0])), key=lambda p: _asked(p[0], p[1].attempt, "queued")
        )

    def _watch(self, run: Run, state: State) -> bool:
        """Return whether the run still has a worker."""
        seen = local.status(run.directory, state.attempt, _asked(run, state.attempt, "started"))
        if not seen["alive"]:
            run.close_attempt(state.attempt, "interrupted", seen["reason"] or GONE, seen["hint"] or GONE_HINT)
            return False
        if state.name == "stopping":
            now, grace = time.time(), self._settings.limits.stop_grace_seconds
            killed = _asked(run, state.attempt, "kill")
            if killed and now - killed > HARD_AFTER:
                local.signal(run.directory, hard=True)
            elif not killed and now - _asked(run, state.attempt, "stop") > grace:
                run.control("kill", state.attempt, reason=f"it did not stop within {grace:.0f} s")
                local.signal(run.directory, hard=False)
        return True

    def _start(self, run: Run, state: State) -> None:
        asked = next(c for c in run.controls() if c["kind"] == "queued" and c["attempt"] == state.attempt)
        secrets = self._secrets.get(run.id, Secrets())
        env = local.environment(secrets.environment(), visitor=self._settings.shared)
        env.update(self._device())
        try:
            run.control("started", state.attempt)
            local.submit(run.directory, state.attempt, env, resume=bool(asked.get("resume")))
        except OSError as error:
            run.close_attempt(state.attempt, "failed", f"The training process could not be started: {error}.")

    def _device(self) -> dict[str, str]:
        """Give the run a GPU that no other run of this home has, where there are several."""
        count = gpu_count()
        if count < 2 or (self._settings.slots or count) < 2:
            return {}
        taken = set()
        for run, state in self._states():
            worker: Any = local.read_json(run.directory / "backend.json") if state.name in ACTIVE else None
            if worker and worker.get("device") is not None:
                taken.add(worker["device"])
        free = next((i for i in range(count) if i not in taken), 0)
        return {"CUDA_VISIBLE_DEVICES": str(free)}


def _asked(run: Run, attempt: int, kind: str) -> float:
    times = [c["time"] for c in run.controls() if c["attempt"] == attempt and c["kind"] == kind]
    return float(times[0]) if times else 0.0


def gpu_count() -> int:
    """Count NVIDIA GPUs as the driver lists them, without loading a library."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([d for d in visible.split(",") if d.strip() not in {"", "-1"}])
    return len(glob.glob("/proc/driver/nvidia/gpus/*"))
