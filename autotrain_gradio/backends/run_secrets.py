"""Secrets of queued and active runs: kept in memory only, until the run has ended; and which runs lack a token."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from autotrain_gradio.backends import DEFAULT, Backends, backend_type
from autotrain_gradio.core.errors import NotFound, SpecError
from autotrain_gradio.core.owners import is_visitor
from autotrain_gradio.core.spec import TINY, Secrets
from autotrain_gradio.runs.record import Record, Run
from autotrain_gradio.tasks.registry import registry


class RunSecrets:
    """The secrets that this process holds, by the id of the run."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends
        self._held: dict[str, Secrets] = {}
        self._locks: dict[str, threading.Lock] = {}
        """Of each run, because its owner waits for its files while holding it."""

    def __contains__(self, run: str) -> bool:
        return run in self._held

    def get(self, run: str) -> Secrets:
        """Return the secrets of a run; empty ones if none are held."""
        return self._held.get(run, Secrets())

    def enqueue(self, run: Run, secrets: Secrets, *, resume: bool) -> None:
        """Queue an attempt and keep its secrets; those that are held already are replaced only by a token."""
        with self._lock(run.id):
            if secrets.token or run.id not in self._held:
                self._held[run.id] = secrets
            # Record whether there was a token, so that the run is not started without it after a restart.
            run.enqueue(resume=resume, token=bool(secrets.token))

    def drop(self, run: str) -> None:
        """Drop the secrets of a run."""
        self._held.pop(run, None)

    def drop_ended(self, run: str, has_ended: Callable[[], bool]) -> None:
        """Drop the secrets of a run if `has_ended()`; not while it is being queued."""
        lock = self._lock(run)
        if not lock.acquire(blocking=False):
            return
        try:
            if has_ended():
                self.drop(run)
        finally:
            lock.release()

    def held(self) -> list[str]:
        """Return the ids of the runs whose secrets are held."""
        return list(self._held)

    def lacks_token(self, run: str, spec: Record, controls: Sequence[Record]) -> bool:
        """Whether a run needs a token that is not held.

        A run needs one if it will be published, if its backend needs a login, or if it was queued with a token and uses
        data or a model of the Hub, which may be gated.
        """
        if self.get(run).token:
            return False
        publishes = bool((spec.get("hub") or {}).get("push_to_hub")) or self._needs_login(spec)
        queued = [c for c in controls if c["kind"] == "queued"]
        if queued and queued[-1].get("token"):
            # The user gave a token: the account that is logged in here may be a different one.
            return publishes or _uses_hub(spec)
        return publishes and (is_visitor(spec["owner"]) or not self._backends.of(spec).has_login())

    def _needs_login(self, spec: Record) -> bool:
        """Whether the backend of a run needs a login; False if it is not installed: starting fails with the reason."""
        try:
            return backend_type(str(spec.get("backend") or DEFAULT)).capabilities.needs_login
        except SpecError:
            return False

    def _lock(self, run: str) -> threading.Lock:
        return self._locks.setdefault(run, threading.Lock())


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
