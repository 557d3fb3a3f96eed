"""Workers that stay up between calls, for what people wait for: a prediction, a preview."""

from __future__ import annotations

import contextlib
import math
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.backends.calls import PIPES, Watch, collect, died, end, messages, send, value_of
from autotrain_gradio.backends.process import kill_group, spawn
from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.core.settings import Limits

LOADING_SECONDS = 60.0
"""How long a prefetching worker counts as busy: it imports libraries with a low priority."""
CANCEL_SECONDS = 10.0
"""How long a warm worker may take to answer after its call was cancelled, before it is killed."""


class WarmWorkers:
    """Workers that stay up between calls, one for each run that is worked on; those longest unused end.

    A worker ends by itself after `limits.predictor_idle_seconds` without a call, and with this process.

    keep: how many stay up; ones that answer or load are not ended for others.
    """

    def __init__(self, limits: Limits, keep: int = 2) -> None:
        self._limits, self._keep = limits, keep
        self._lock = threading.Lock()
        self._warm: dict[Path, _WarmWorker] = {}

    def call(
        self,
        directory: Path,
        verb: str,
        context: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> Any:
        """Run a verb as `call` does, in the run's warm worker; the first call starts it.

        progress: told what the worker does until it answers, such as loading its libraries.

        Raises:
            UserError: what the verb raised.
            WorkerError: the worker died, or needed longer than `limits.predict_seconds` or too much memory.
        """
        return collect(self.stream(directory, verb, context, env, progress))

    def stream(
        self,
        directory: Path,
        verb: str,
        context: Mapping[str, Any],
        env: Mapping[str, str] | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> Generator[Any, None, Any]:
        """Run a verb as `call` does: yield the items of a streaming verb as they come; return its result.

        Closing the generator cancels the verb; the worker and its loaded model stay. `limits.predict_seconds` is the
        longest time to the next item.
        """
        worker = self._worker(directory, env)
        try:
            return (yield from worker.stream(verb, context, progress or _ignore))
        finally:
            self._left(directory, worker)

    def warm(
        self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> None:
        """Start the run's worker, and let it load what the verb needs, without waiting for it."""
        worker = self._worker(directory, env)
        try:
            with contextlib.suppress(BrokenPipeError):  # it has just ended: the call that follows starts another
                worker.post({"verb": verb, "context": dict(context), "load_only": True})
            worker.loads_until = time.monotonic() + LOADING_SECONDS
        finally:
            self._left(directory, worker)

    def drop(self, directory: Path) -> None:
        """End the worker of a run, if there is one."""
        with self._lock:
            worker = self._warm.pop(directory, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all."""
        for directory in list(self._warm):
            self.drop(directory)

    def _worker(self, directory: Path, env: Mapping[str, str] | None) -> _WarmWorker:
        ended = []
        with self._lock:
            worker = self._warm.pop(directory, None)
            if worker is None or not worker.alive():
                if worker is not None:
                    ended.append(worker)
                worker = _WarmWorker(directory, env, self._limits)
            worker.enter()
            self._warm[directory] = worker  # the last place: in the order of their last use
            idle = [d for d, w in self._warm.items() if not w.busy()]
            for one in idle[: max(0, len(self._warm) - self._keep)]:
                ended.append(self._warm.pop(one))
        for other in ended:
            other.close()
        return worker

    def _left(self, directory: Path, worker: _WarmWorker) -> None:
        with self._lock:
            worker.leave()
            if self._warm.get(directory) is worker:
                self._warm[directory] = self._warm.pop(directory)


class _WarmWorker:
    def __init__(self, directory: Path, env: Mapping[str, str] | None, limits: Limits) -> None:
        self._limits = limits
        self.loads_until = 0.0
        self._calls, self._count = 0, threading.Lock()
        self._turn = threading.Lock()
        self._pipe = threading.Lock()
        self._closed = False
        self._number = 0
        self._process: subprocess.Popen[bytes] = spawn(directory, "serve", env=env, **PIPES)
        # One that ends by itself must not stay as a zombie.
        threading.Thread(target=self._process.wait, name=f"reap {self._process.pid}", daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it could not start: the first call says why
            self.post({"idle_seconds": limits.predictor_idle_seconds})

    def alive(self) -> bool:
        return self._process.poll() is None

    def enter(self) -> None:
        with self._count:
            self._calls += 1

    def leave(self) -> None:
        with self._count:
            self._calls -= 1

    def busy(self) -> bool:
        return self._calls > 0 or time.monotonic() < self.loads_until

    def post(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        with self._pipe:
            send(self._process.stdin, message)

    def stream(
        self, verb: str, context: Mapping[str, Any], progress: Callable[[str, float], None]
    ) -> Generator[Any, None, Any]:
        assert self._process.stdout
        limits, noise, code, finished = self._limits, "", 0, False
        answer: dict[str, Any] | None = None
        with self._turn, Watch(self._process, limits.predict_seconds, limits.call_mebibytes) as watch:
            self._number += 1
            lines = messages(self._process.stdout)
            try:
                self.post({"verb": verb, "context": dict(context), "id": self._number})
                self.loads_until = 0.0
                for message, text in lines:
                    noise = text or noise
                    if message is None:
                        continue
                    match message["kind"]:
                        case "progress":
                            progress(message["message"], message["fraction"])
                        case "item":
                            watch.extend(math.inf)  # the caller may take its time
                            yield message["value"]
                            watch.extend(limits.predict_seconds)
                        case "result" | "error":
                            answer = message
                            break
                finished = True
            except GeneratorExit:
                # The worker sends its answer after a cancel, too; one that does not in time is killed.
                watch.extend(CANCEL_SECONDS)
                with contextlib.suppress(BrokenPipeError):
                    self.post({"cancel": self._number})
                answer = next((m for m, _ in lines if m is not None and m["kind"] in {"result", "error"}), None)
                raise
            except BrokenPipeError:
                finished, noise = True, noise or "it did not read its input"
            except ValueError:
                if not self._closed:  # a closed pipe
                    raise
            finally:
                # An answer that was not read to its end would be taken for that of the next call.
                if answer is None:
                    code = end(self._process, at_once=self._closed or not finished)
        if answer is not None:
            return value_of(answer)
        if self._closed:
            raise WorkerError(f"The {verb} was ended: its run was started, deleted or closed.", code="cancelled")
        raise watch.error(verb) or died(verb, code, noise)

    def close(self) -> None:
        self._closed = True
        kill_group(self._process)
        end(self._process, at_once=True)


def _ignore(message: str, fraction: float) -> None:
    """Progress that nobody asked for."""
