"""Warm workers: subprocesses that are reused between calls with a low latency (predictions, previews)."""

from __future__ import annotations

import contextlib
import math
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.backends.calls import (
    Watchdog,
    collect,
    end_worker,
    exit_error,
    messages,
    result_of,
    send,
    start,
    terminate,
)
from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.tasks.registry import registry

LOADING_SECONDS = 60.0
"""Time for which a prefetching worker counts as busy: it imports libraries with a low priority."""
CANCEL_SECONDS = 10.0
"""Time for which a warm worker may respond after a cancel, before it is killed."""


class WarmWorkers:
    """A cache of warm workers, one for each run; the least recently used ones are ended.

    A worker exits after `limits.predictor_idle_seconds` without a call, and with this process.

    keep: size of the cache; busy workers are not evicted.
    """

    def __init__(self, limits: Limits, keep: int = 2) -> None:
        self._limits, self._keep = limits, keep
        self._lock = threading.Lock()
        self._warm: dict[Path, _WarmWorker] = {}

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], **options: Any) -> Any:
        """Run a verb and return its result, or the list of its items; options, errors: see `stream`."""
        return collect(self.stream(directory, verb, context, **options))

    def stream(
        self,
        directory: Path,
        verb: str,
        context: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        progress: Callable[[str, float], None] | None = None,
        found: Callable[[Any], None] | None = None,
        grace: float = 0.0,
        seconds: float | None = None,
    ) -> Generator[Any, None, Any]:
        """Run a verb in the run's warm worker: yield the items of a streaming verb as they arrive; return its result.

        The first call starts the worker. Closing the generator cancels the verb; the worker keeps running with its
        loaded model.

        progress: callback, called for instance while libraries are imported. found: callback for partial results.
        grace: seconds between SIGTERM and SIGKILL, where the worker has to be killed during the call.
        seconds: time limit, of a streaming verb for each item; None: `limits.predict_seconds`.

        Raises:
            UserError: raised by the verb.
            WorkerError: the worker was killed, or exceeded the limit of time or memory.
        """
        seconds = self._limits.predict_seconds if seconds is None else seconds
        worker = self._worker(directory, env)
        try:
            return (yield from worker.stream(verb, context, progress or _ignore, found or _ignore, grace, seconds))
        finally:
            self._leave(directory, worker)

    def prefetch(
        self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> None:
        """Start the run's worker, and let it import the libraries of the verb, without waiting for it."""
        worker = self._worker(directory, env)
        try:
            with contextlib.suppress(BrokenPipeError):  # it has just exited: the next call starts another
                worker.post({"verb": verb, "context": dict(context), "load_only": True})
            worker.loads_until = time.monotonic() + LOADING_SECONDS
        finally:
            self._leave(directory, worker)

    def release(self, directory: Path) -> None:
        """End the worker of a run, if there is one."""
        with self._lock:
            worker = self._warm.pop(directory, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all workers."""
        for directory in list(self._warm):
            self.release(directory)

    def _worker(self, directory: Path, env: Mapping[str, str] | None) -> _WarmWorker:
        ended = []
        with self._lock:
            worker = self._warm.pop(directory, None)
            if worker is None or not worker.alive():
                if worker is not None:
                    ended.append(worker)
                worker = _WarmWorker(directory, env, self._limits)
            worker.enter()
            self._warm[directory] = worker  # moved to the end: ordered by last use
            idle = [d for d, w in self._warm.items() if not w.busy()]
            for one in idle[: max(0, len(self._warm) - self._keep)]:
                ended.append(self._warm.pop(one))
        for other in ended:
            other.close()
        return worker

    def _leave(self, directory: Path, worker: _WarmWorker) -> None:
        with self._lock:
            worker.leave()
            if self._warm.get(directory) is worker:
                self._warm[directory] = self._warm.pop(directory)


class _WarmWorker:
    def __init__(self, directory: Path, env: Mapping[str, str] | None, limits: Limits) -> None:
        self._limits = limits
        self.loads_until = 0.0
        self._calls, self._count_lock = 0, threading.Lock()
        self._call_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._closed = False
        self._grace = 0.0
        """Time to clean up of the current call."""
        self._number = 0
        self._process: subprocess.Popen[bytes] = start(directory, "serve", env, _longest_grace())
        # Without this thread, a worker that exits by itself would remain a zombie.
        threading.Thread(target=self._process.wait, name=f"reap {self._process.pid}", daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it could not start: the first call raises the reason
            self.post({"idle_seconds": limits.predictor_idle_seconds})

    def alive(self) -> bool:
        return self._process.poll() is None

    def enter(self) -> None:
        with self._count_lock:
            self._calls += 1

    def leave(self) -> None:
        with self._count_lock:
            self._calls -= 1

    def busy(self) -> bool:
        return self._calls > 0 or time.monotonic() < self.loads_until

    def post(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        with self._write_lock:
            send(self._process.stdin, message)

    def stream(
        self,
        verb: str,
        context: Mapping[str, Any],
        progress: Callable[[str, float], None],
        found: Callable[[Any], None],
        grace: float,
        seconds: float,
    ) -> Generator[Any, None, Any]:
        assert self._process.stdout
        output, code, finished = "", 0, False
        answer: dict[str, Any] | None = None
        with (
            self._call_lock,
            Watchdog(self._process, seconds, self._limits.call_mebibytes, grace=grace) as watch,
        ):
            self._number += 1
            self._grace = grace
            lines = messages(self._process.stdout)
            try:
                self.post({"verb": verb, "context": dict(context), "id": self._number})
                self.loads_until = 0.0
                for message, text in lines:
                    output = text or output
                    if message is None:
                        continue
                    match message["kind"]:
                        case "progress":
                            progress(message["message"], message["fraction"])
                        case "found":
                            found(message["value"])
                        case "item":
                            watch.extend(math.inf)  # the caller may take its time
                            yield message["value"]
                            watch.extend(seconds)
                        case "result" | "error":
                            answer = message
                            break
                finished = True
            except GeneratorExit:
                # The worker responds after a cancel too; it is killed if it does not respond in time.
                watch.extend(CANCEL_SECONDS)
                with contextlib.suppress(BrokenPipeError):
                    self.post({"cancel": self._number})
                answer = next((m for m, _ in lines if m is not None and m["kind"] in {"result", "error"}), None)
                raise
            except BrokenPipeError:
                finished, output = True, output or "it did not read its input"
            except ValueError:
                if not self._closed:  # a closed pipe
                    raise
            finally:
                self._grace = 0.0
                # A response that was not read to its end would be mistaken for that of the next call.
                if answer is None:
                    code = end_worker(self._process, at_once=self._closed or not finished)
        if answer is not None:
            return result_of(answer)
        if self._closed:
            raise WorkerError(f"The {verb} was cancelled: its run was started, deleted or closed.", code="cancelled")
        raise watch.error(verb) or exit_error(verb, code, output)

    def close(self) -> None:
        self._closed = True
        terminate(self._process, self._grace)
        end_worker(self._process, at_once=True)


def _longest_grace() -> float:
    """Return the longest time that a verb of any task has to clean up: a warm worker may run each of them."""
    return max((verb.grace_seconds for task in registry() for verb in task.public_verbs()), default=0.0)


def _ignore(*values: Any) -> None:
    """Default callback."""
