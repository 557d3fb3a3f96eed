"""Training workers that are started ahead, so that a training need not wait until its libraries are imported.

Such a worker belongs to one draft, and is spawned as its training would be; see `worker/prestart.py`. It becomes the
worker of the training if that needs the same arguments and the same environment, secrets included. At most one waits.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from autotrain_gradio.backends import process
from autotrain_gradio.core.text_format import GIB

LEAST_MEMORY = 3 * GIB
"""Available memory in bytes below which no worker is started ahead: torch and transformers need half a GiB."""


@dataclass(frozen=True)
class _Waiting:
    directory: Path
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    module: str
    child: subprocess.Popen[bytes]

    def is_for(self, directory: Path, arguments: Sequence[str], env: Mapping[str, str]) -> bool:
        same = (self.directory, self.arguments, self.env) == (directory, tuple(arguments), dict(env))
        return same and self.child.poll() is None

    def end(self) -> None:
        process.kill_group(self.child)
        if self.child.stdin is not None:
            self.child.stdin.close()
        self.child.wait()


class Prestarted:
    """The worker that waits, if there is one. idle_seconds: after which it exits."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle = idle_seconds
        self._lock = threading.Lock()
        self._waiting: _Waiting | None = None

    def start(self, directory: Path, arguments: Sequence[str], env: Mapping[str, str], module: str) -> None:
        """Start the worker of a draft instead of the one that waits, unless there is little memory.

        arguments, env: of the training. module: that it imports.
        """
        with self._lock:
            waiting = self._waiting
            if waiting is not None and waiting.module == module and waiting.is_for(directory, arguments, env):
                return
            self._end()
            if psutil.virtual_memory().available < LEAST_MEMORY:
                return
            ahead = ("--ahead", module, "--ahead-seconds", str(self._idle))
            with tempfile.TemporaryFile() as output:
                child = process.spawn(
                    directory,
                    "train",
                    *arguments,
                    *ahead,
                    env=env,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            self._waiting = _Waiting(directory, tuple(arguments), dict(env), module, child)
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()

    def take(self, directory: Path, arguments: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
        """Let the worker of a directory begin its training, and return it; None: there is none that fits."""
        with self._lock:
            waiting = self._waiting
            if waiting is None or waiting.directory != directory:
                return None
            if waiting.is_for(directory, arguments, env) and waiting.child.stdin is not None:
                with contextlib.suppress(BrokenPipeError):  # it has just exited
                    waiting.child.stdin.write(b"\n")
                    waiting.child.stdin.close()
                    self._waiting = None
                    return waiting.child
            self._end()
            return None

    def release(self, directory: Path) -> None:
        """End the worker of a directory, if it waits."""
        with self._lock:
            if self._waiting is not None and self._waiting.directory == directory:
                self._end()

    def close(self) -> None:
        """End the worker that waits."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.end()
