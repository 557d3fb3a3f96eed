"""Calls: run a verb in a subprocess and wait for its result, with a timeout, a memory limit and cancellation."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from autotrain_gradio.backends.process import explain_exit, kill_group, spawn
from autotrain_gradio.core import memory
from autotrain_gradio.core.errors import Finding, UserError, WorkerError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.runs import wire

LINE_BYTES = 64 * MIB
"""Maximum length of a line of output: results are shorter, but libraries may print anything."""
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
    """Run a verb in a worker process: yield the items of a streaming verb as they arrive; return its result.

    The worker exits when the call ends, also after an error, and with this process. Closing the generator cancels it.

    grace: seconds between SIGTERM and SIGKILL, for clean-up.
    found: callback for partial results.

    Raises:
        UserError: raised by the verb.
        WorkerError: it was cancelled (code `cancelled`), exceeded the limit of time (`out-of-time`) or memory
            (`out-of-memory`), or exited without a result (`worker-died`).
    """
    process = start(directory, verb, env, grace)
    assert process.stdin and process.stdout
    with Watchdog(process, limits.call_seconds, limits.call_mebibytes, cancel, grace) as watch:
        answer: dict[str, Any] | None = None
        output, finished, latest = "", False, ""
        try:
            send(process.stdin, context)
            for message, text in messages(process.stdout):
                output = text or output
                if message is None:
                    continue
                match message["kind"]:
                    case "progress":
                        latest = message["message"]
                        if progress is not None:
                            progress(latest, message["fraction"])
                    case "found" if found is not None:
                        found(message["value"])
                    case "item":
                        yield message["value"]
                    case "result" | "error":
                        answer = message
                        break
            finished = True
        except BrokenPipeError:
            finished = True  # the worker exited before it read its context
        except GeneratorExit:
            watch.terminate()
            raise
        finally:
            code = end_worker(process, at_once=not finished)
    if answer is None:
        raise watch.error(verb, latest) or exit_error(verb, code, output, latest)
    return result_of(answer)


def collect(items: Generator[Any, None, Any]) -> Any:
    """Run a call to its end; return its result, or the list of its items if it has streamed some."""
    streamed = []
    while True:
        try:
            streamed.append(next(items))
        except StopIteration as end_of_call:
            return streamed or end_of_call.value


PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def start(directory: Path, verb: str, env: Mapping[str, str] | None, grace: float = 0.0) -> subprocess.Popen[bytes]:
    """Start the worker of a call. grace: seconds that it has to clean up when this process dies.

    Raises:
        WorkerError: the system has no memory or no process left, or the run's folder is gone (`worker-not-started`).
    """
    try:
        return spawn(directory, verb, f"--grace={grace}", env=env, **PIPES)
    except OSError as error:
        message = f"The worker of '{verb}' could not be started: {error.strerror or error}."
        hint = "Close other programs, or raise the limits of memory and processes of this account, then try again."
        if not directory.is_dir():
            hint = f"The folder '{directory}' does not exist any more: reload the page."
        raise WorkerError(message, hint, code="worker-not-started") from error


def send(stream: IO[bytes], message: Mapping[str, Any]) -> None:
    """Write one line of JSON.

    Raises:
        BrokenPipeError: the worker has ended.
    """
    stream.write(json.dumps(dict(message)).encode() + b"\n")
    stream.flush()


def messages(stream: IO[bytes]) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """Yield (message, "") for each message of a worker, and (None, text) for other output."""
    while line := stream.readline(LINE_BYTES):
        message = wire.parse(line)
        yield message, "" if message is not None else line[:1000].decode("utf-8", "replace").strip()


def result_of(answer: Mapping[str, Any]) -> Any:
    """Return the result of a worker's answer.

    Raises:
        UserError: it is an error.
    """
    if answer["kind"] == "error":
        raise UserError.from_findings([Finding.from_dict(f) for f in answer["findings"]])
    return answer["value"]


def end_worker(process: subprocess.Popen[bytes], *, at_once: bool) -> int:
    """Kill a worker and its process group; return its exit status.

    at_once: do not wait for it to exit by itself first.
    """
    if not at_once:
        with contextlib.suppress(subprocess.TimeoutExpired):  # a worker that hangs is killed below
            process.wait(timeout=LINGER_SECONDS)
    kill_group(process)
    code = process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with contextlib.suppress(BrokenPipeError):  # unsent input is discarded
                stream.close()
    return code


def terminate(process: subprocess.Popen[bytes], grace: float) -> None:
    """Send SIGTERM if there is a grace time, and kill the worker's process group after it."""
    if grace:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):  # killed below
            process.wait(timeout=grace)
    kill_group(process)


def exit_error(verb: str, code: int, output: str, latest: str = "") -> WorkerError:
    """Return the error of a worker that exited without a result. latest: the last progress that it reported."""
    found = explain_exit(code, output[:300])
    message = f"The worker of '{verb}' exited without a result. {found['reason']}{_activity(latest)}"
    return WorkerError(message, found["hint"], code="worker-died")


def _activity(latest: str) -> str:
    return f" Its last activity: {latest}." if latest else ""


class Watchdog(threading.Thread):
    """Kills a worker that is cancelled or exceeds its time or memory limit; used as a context manager."""

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

    def __enter__(self) -> Watchdog:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self.join()

    def error(self, verb: str, latest: str = "") -> WorkerError | None:
        """Return the error for the reason why the worker was killed; None if it was not.

        latest: the last progress that the worker reported, which may name a file.
        """
        last = _activity(latest)
        match self._ended_for:
            case "cancelled":
                return WorkerError(f"The {verb} was cancelled.", code="cancelled")
            case "out-of-time":
                text = f"The {verb} exceeded the time limit of {self._seconds:.0f} seconds and was cancelled.{last}"
                return WorkerError(text, "Use less data, or a faster machine.", code="out-of-time")
            case "out-of-memory":
                text = f"The {verb} needed more than {self._mebibytes} MiB of memory and was cancelled.{last}"
                return WorkerError(text, "Use less data, or smaller files.", code="out-of-memory")
        return None

    def run(self) -> None:
        """Poll until the context is left."""
        exited, next_memory = 0.0, 0.0
        while not self._done.wait(TICK_SECONDS):
            now = time.monotonic()
            if self._process.poll() is not None:
                # Its subprocesses may keep the pipe open, and the reader would wait for them.
                exited = exited or now
                if now - exited > LINGER_SECONDS:
                    kill_group(self._process)
                    return
                continue
            if self._cancel is not None and self._cancel.is_set():
                self._ended_for = "cancelled"
            elif now > self._deadline:
                self._ended_for = "out-of-time"
            elif now >= next_memory:
                next_memory = now + MEMORY_SECONDS
                if memory.excess(self._process.pid, self._mebibytes * MIB) is not None:
                    self._ended_for = "out-of-memory"
            if self._ended_for:
                self.terminate()
                return

    def terminate(self) -> None:
        """Send SIGTERM if there is a grace time, then kill the process group."""
        terminate(self._process, self._grace)

    def extend(self, seconds: float) -> None:
        """Set the time limit to so many seconds from now."""
        self._deadline = time.monotonic() + seconds
