"""Calls: a verb in a worker process, waited for, limited in time and memory, and cancellable."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from autotrain_gradio.backends.process import explain_exit, kill_group, memory, spawn
from autotrain_gradio.core.errors import Finding, UserError, WorkerError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.runs import wire

LINE_BYTES = 64 * MIB
"""The longest line that is read at once: an answer is shorter, and a worker may print anything."""
TICK_SECONDS = 0.1
MEMORY_SECONDS = 0.5
LINGER_SECONDS = 2.0


def call(directory: Path, verb: str, context: Mapping[str, Any], **options: Any) -> Any:
    """Run a verb in a worker process and return its result; of a streaming verb, the list of its items.

    options, errors: see `stream`.
    """
    return collect(stream(directory, verb, context, **options))


def stream(
    directory: Path,
    verb: str,
    context: Mapping[str, Any],
    *,
    limits: Limits,
    progress: Callable[[str, float], None] | None = None,
    env: Mapping[str, str] | None = None,
    cancel: threading.Event | None = None,
    grace: float = 0.0,
    found: Callable[[Any], None] | None = None,
) -> Generator[Any, None, Any]:
    """Run a verb in a worker process: yield the items of a streaming verb as they come; return its result.

    The worker exits with the call, whatever becomes of it, and with this process. Closing the generator cancels it.

    grace: seconds that a worker has after SIGTERM, to clean up, before it is killed.
    found: is given partial results, before the verb is done.

    Raises:
        UserError: what the verb raised.
        WorkerError: it was cancelled (code `cancelled`), needed more time (`out-of-time`) or memory
            (`out-of-memory`) than `limits` allow, or died (`worker-died`).
    """
    process = spawn(directory, verb, env=env, **PIPES)
    assert process.stdin and process.stdout
    with Watch(process, limits.call_seconds, limits.call_mebibytes, cancel, grace) as watch:
        answer: dict[str, Any] | None = None
        noise, finished = "", False
        try:
            send(process.stdin, context)
            for message, text in messages(process.stdout):
                noise = text or noise
                if message is None:
                    continue
                match message["kind"]:
                    case "progress" if progress is not None:
                        progress(message["message"], message["fraction"])
                    case "found" if found is not None:
                        found(message["value"])
                    case "item":
                        yield message["value"]
                    case "result" | "error":
                        answer = message
                        break
            finished = True
        except BrokenPipeError:
            finished = True  # it died before it read its context
        except GeneratorExit:
            watch.terminate()
            raise
        finally:
            code = end(process, at_once=not finished)
    if answer is None:
        raise watch.error(verb) or died(verb, code, noise)
    return value_of(answer)


def collect(items: Generator[Any, None, Any]) -> Any:
    """Run a call to its end; return its result, or the list of its items if it has streamed some."""
    streamed = []
    while True:
        try:
            streamed.append(next(items))
        except StopIteration as end_of_call:
            return streamed or end_of_call.value


PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def send(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write one line of JSON.

    Raises:
        BrokenPipeError: the worker has ended.
    """
    stream.write(json.dumps(dict(message)).encode() + b"\n")
    stream.flush()


def messages(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """Yield each line of a worker: its message and "", or None and what was printed."""
    while line := stream.readline(LINE_BYTES):
        message = wire.parse(line)
        yield message, "" if message is not None else line[:1000].decode("utf-8", "replace").strip()


def value_of(answer: Mapping[str, Any]) -> Any:
    """Return the result of a worker's answer.

    Raises:
        UserError: it is an error.
    """
    if answer["kind"] == "error":
        raise UserError.from_findings([Finding.from_dict(f) for f in answer["findings"]])
    return answer["value"]


def end(process: subprocess.Popen[bytes], *, at_once: bool) -> int:
    """End a worker with its group and return its exit status; unless at once, it may end by itself first."""
    if not at_once:
        with contextlib.suppress(subprocess.TimeoutExpired):  # one that hangs is killed with the rest
            process.wait(timeout=LINGER_SECONDS)
    kill_group(process)
    code = process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):  # what was not sent is not wanted any more
                stream.close()
    return code


def died(verb: str, code: int, noise: str) -> WorkerError:
    """Return the error of a worker that ended without an answer."""
    said = explain_exit(code, noise[:300])
    return WorkerError(f"The {verb} ended without an answer. {said['reason']}", said["hint"], code="worker-died")


class Watch(threading.Thread):
    """Ends a worker that is cancelled, or takes too much time or memory; used as a context."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        seconds: float,
        mebibytes: int,
        cancel: threading.Event | None = None,
        grace: float = 0.0,
    ) -> None:
        super().__init__(name=f"watch {process.pid}", daemon=True)
        self._grace = grace
        self._process, self._seconds, self._mebibytes, self._cancel = process, seconds, mebibytes, cancel
        self._done = threading.Event()
        self._ended_for = ""
        self._deadline = time.monotonic() + seconds

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self.join()

    def error(self, verb: str) -> WorkerError | None:
        """Return why the worker was ended; None when it was not."""
        match self._ended_for:
            case "cancelled":
                return WorkerError(f"The {verb} was cancelled.", code="cancelled")
            case "out-of-time":
                text = f"The {verb} took longer than {self._seconds:.0f} seconds and was ended."
                return WorkerError(text, "Use less data, or a faster machine.", code="out-of-time")
            case "out-of-memory":
                text = f"The {verb} needed more than {self._mebibytes} MiB of memory and was ended."
                return WorkerError(text, "Use less data, or smaller files.", code="out-of-memory")
        return None

    def run(self) -> None:
        """Look ten times a second, until the context is left."""
        gone, next_memory = 0.0, 0.0
        while not self._done.wait(TICK_SECONDS):
            now = time.monotonic()
            if self._process.poll() is not None:
                # What it started may hold its output open, and the reader would wait for that.
                gone = gone or now
                if now - gone > LINGER_SECONDS:
                    kill_group(self._process)
                    return
                continue
            if self._cancel is not None and self._cancel.is_set():
                self._ended_for = "cancelled"
            elif now > self._deadline:
                self._ended_for = "out-of-time"
            elif now >= next_memory:
                next_memory = now + MEMORY_SECONDS
                if memory(self._process.pid) > self._mebibytes * MIB:
                    self._ended_for = "out-of-memory"
            if self._ended_for:
                self.terminate()
                return

    def terminate(self) -> None:
        """Ask the worker to exit, where it has time for that, then kill its process group."""
        if self._grace:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):  # it had its time
                self._process.wait(timeout=self._grace)
        kill_group(self._process)

    def extend(self, seconds: float) -> None:
        """Give the worker that many seconds from now."""
        self._deadline = time.monotonic() + seconds
