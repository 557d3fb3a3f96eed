"""Coordination of the training processes (ranks) of a distributed run.

A launcher starts them with `RANK` and `WORLD_SIZE` in their environment (as torchrun does). Only rank 0 writes the
run's events. It prepares the data while the others wait. Other ranks report failures to rank 0 through a file; a rank
that is killed writes none, and then the launcher's output has the reason.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.json_files import write_json

FOLDER = "ranks"
POLL_SECONDS = 0.1
FAILURE_SECONDS = 5.0
"""Time for which rank 0 waits for the failure report of another rank after losing the connection to it."""
CONNECTION = re.compile(
    r"connection (closed|reset|refused)|broken pipe|gloo|nccl|tcpstore|(read|recv|send)\w* (error|failed)",
    re.IGNORECASE,
)
"""Error messages of torch.distributed when another process of the group has exited."""


@dataclass(frozen=True)
class Ranks:
    """The processes of one attempt at a run.

    rank: of this process, from 0. size: number of processes (world size).
    """

    directory: Path
    attempt: int
    rank: int = 0
    size: int = 1

    @classmethod
    def from_environment(cls, directory: Path, attempt: int) -> Ranks:
        """Read `RANK` and `WORLD_SIZE`."""
        return cls(directory, attempt, int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def is_distributed(self) -> bool:
        """Whether there is more than one process."""
        return self.size > 1

    def begin(self) -> None:
        """Prefix the output of ranks other than 0; on rank 0, remove the files of earlier attempts."""
        if self.rank:
            sys.stdout = _PrefixedStream(sys.stdout, f"[rank {self.rank}] ")
            sys.stderr = _PrefixedStream(sys.stderr, f"[rank {self.rank}] ")
        elif self._folder.is_dir():
            for file in self._folder.iterdir():
                if not file.name.startswith(f"{self.attempt}."):
                    file.unlink(missing_ok=True)

    def signal_data_ready(self) -> None:
        """Signal to the other ranks that the data is prepared."""
        if self.is_distributed:
            self._folder.mkdir(exist_ok=True)
            write_json(self._folder / f"{self.attempt}.prepared.json", {"attempt": self.attempt})

    def wait_for_data(self) -> None:
        """Wait until rank 0 has prepared the data; if it exits instead, the launcher kills this process."""
        while not (self._folder / f"{self.attempt}.prepared.json").exists():
            time.sleep(POLL_SECONDS)

    def report_failure(self, error: BaseException, findings: Sequence[Finding]) -> None:
        """Report the findings of this rank's failure to rank 0, unless the cause is the exit of another rank."""
        if is_connection_error(error) or not self.directory.is_dir():
            return
        self._folder.mkdir(exist_ok=True)
        found = [replace(f, where=f.where or f"process {self.rank}").to_dict() for f in findings]
        write_json(self._folder / f"{self.attempt}.failed-{self.rank}.json", found)

    def failures(self, seconds: float = FAILURE_SECONDS) -> list[Finding]:
        """Wait for the failure report of another rank; return the findings of the lowest rank that has one."""
        deadline = time.monotonic() + seconds
        while True:
            for path in sorted(self._folder.glob(f"{self.attempt}.failed-*.json")):
                return [Finding.from_dict(f) for f in json.loads(path.read_text(encoding="utf-8"))]
            if time.monotonic() > deadline:
                return []
            time.sleep(POLL_SECONDS)

    @property
    def _folder(self) -> Path:
        return self.directory / FOLDER


def is_connection_error(error: BaseException) -> bool:
    """Whether an error means that another process of the group cannot be reached."""
    return isinstance(error, RuntimeError | ConnectionError) and CONNECTION.search(str(error)) is not None


class _PrefixedStream:
    """A text stream whose lines begin with a prefix."""

    def __init__(self, stream: TextIO, prefix: str) -> None:
        self._stream, self._prefix, self._at_start = stream, prefix, True

    def write(self, text: str) -> int:
        """Write text; each line that begins in it gets the prefix."""
        if text:
            body = text.replace("\n", f"\n{self._prefix}").removesuffix(self._prefix)
            self._stream.write((self._prefix if self._at_start else "") + body)
            self._at_start = text.endswith("\n")
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)
