"""`backend.json` of the local backend: which process trains a run, and whether that process belongs to this folder.

A process id alone identifies nothing: a copied folder contains the id of the original's worker, and ids are reused. A
worker is identified by the lock that it holds in the run's folder, and by the folder in its environment.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.backends import process
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.files import read_object, write_json
from autotrain_gradio.runs.record_lines import is_number

NAME = "backend.json"


@dataclass(frozen=True)
class WorkerRecord:
    """The worker of one attempt.

    created: start time of the process, in seconds since the epoch. devices: its GPUs; None: all visible ones.
    log_offset: size of the log when it was started, in bytes.
    folder, inode, machine: of the run when the worker was started; empty in records of earlier versions.
    """

    attempt: int
    pid: int
    created: float | None
    devices: list[str] | None = None
    processes: int = 1
    log_offset: int = 0
    folder: str = ""
    inode: int = 0
    machine: str = ""
    backend: str = "local"

    @classmethod
    def of_new_worker(cls, directory: Path, pid: int, **more: Any) -> WorkerRecord:
        """Return the record of a worker that was just started."""
        return cls(
            pid=pid,
            created=process.start_time(pid),
            folder=str(directory),
            inode=os.stat(directory).st_ino,
            machine=platform.node(),
            **more,
        )

    def write(self, directory: Path) -> None:
        """Write the record into the run's folder."""
        write_json(directory / NAME, asdict(self))

    def is_of(self, directory: Path) -> bool:
        """Whether the worker was started for this very folder on this machine, not for one that it was copied from."""
        if not self.folder:  # an earlier version's: its environment decides
            return True
        return self.machine == platform.node() and self.inode == os.stat(directory).st_ino

    def is_running(self, directory: Path) -> bool:
        """Whether its process runs, and trains the run of this folder."""
        if self.pid <= 1 or not self.is_of(directory) or not process.is_alive(self.pid, self.created):
            return False
        if self.folder:  # its environment is not asked: that of a process that has just been started is empty
            return True
        with contextlib.suppress(psutil.Error):  # it has exited, or belongs to another user
            return psutil.Process(self.pid).environ().get(process.RUN_VARIABLE) == str(directory)
        return False


def read(directory: Path) -> WorkerRecord | None:
    """Return the record of a run's worker; None if there is none, or if it is damaged."""
    try:
        found = read_object(directory / NAME)
    except DataError:
        return None
    return _parse(found) if found is not None else None


def _parse(found: Mapping[str, Any]) -> WorkerRecord | None:
    devices = found.get("devices")
    if devices is None and found.get("device") is not None:
        devices = [found["device"]]  # earlier versions used one GPU
    created = found.get("created")
    numbers = {name: found.get(name, other) for name, other in _NUMBERS.items()}
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in numbers.values()):
        return None
    if numbers["pid"] < 0 or not (created is None or is_number(created)):
        return None
    return WorkerRecord(
        **numbers,
        created=created,
        devices=[str(name) for name in devices] if isinstance(devices, list) else None,
        folder=str(found.get("folder") or ""),
        machine=str(found.get("machine") or ""),
    )


_NUMBERS = {"attempt": 0, "pid": 0, "processes": 1, "log_offset": 0, "inode": 0}


def is_training(directory: Path, record: WorkerRecord | None) -> bool:
    """Whether a worker trains the run of this folder: it holds its lock, or has just been started."""
    return worker_lock.is_held(directory) or (record is not None and record.is_running(directory))


def process_groups(directory: Path, record: WorkerRecord | None) -> set[int]:
    """Return the process groups of the run's worker, to be signalled; never that of this process."""
    found = set()
    if record is not None and record.is_running(directory):
        found.add(record.pid)  # a worker has a session of its own
    holder = worker_lock.holder(directory)
    if holder is not None:
        with contextlib.suppress(ProcessLookupError):  # it has just exited
            found.add(os.getpgid(holder))
    return found - {os.getpgid(0)}
