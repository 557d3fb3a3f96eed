"""Segments: what happened on the machine, in immutable files that are written once and never changed.

The storage of a service is neither a file system with locks nor immediately consistent (a bucket that is mounted is
uploaded file by file, when a file is closed): so nothing is appended to, and a file is complete or absent. Segment n is
written after all files that it refers to. Segments are numbered from 1 without gaps, also when another machine
continues an attempt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from autotrain_gradio.runs.files import Record

VERSION = 1
MOUNT = "/autotrain"
"""Where the machine has the folder of the attempt."""
FOLDER = "out/segments"
FILES = "out/files"
"""Folder with the files of the run, as the machine has them."""
CONTROL = "in/control.jsonl"
"""Control requests of the app, for the agent."""
RUN = "run"
"""Folder with the run's directory as it was packed."""
PER_FOLDER = 500
"""Number of segments of a folder, so that a listing of the latest ones is short."""


@dataclass
class Segment:
    """A part of an attempt's record.

    number: from 1. machine: identifies the machine. began, sent: when the agent started and when the segment was
    written, by the clock of the machine, in seconds since the epoch.
    events: lines of `events.jsonl`. log: text of `log.txt`.
    files: relative path → size of all files in `FILES`; None: unchanged.
    ended: `{"reason", "hint"}` once the worker is gone.
    """

    number: int
    machine: str
    began: float
    sent: float
    events: Sequence[Record] = field(default_factory=list)
    log: str = ""
    files: dict[str, int] | None = None
    ended: dict[str, str] | None = None

    def to_bytes(self) -> bytes:
        """Return the content of the segment's file."""
        return json.dumps({"v": VERSION, **asdict(self)}, ensure_ascii=False).encode()


def path_of(number: int) -> str:
    """Return the path of a segment below the folder of its attempt."""
    return f"{folder_of(number)}/{number:08d}.json"


def folder_of(number: int) -> str:
    """Return the folder of a segment."""
    return f"{FOLDER}/{(number - 1) // PER_FOLDER:06d}"


def parse(data: bytes) -> Segment:
    """Parse a segment.

    Raises:
        ValueError: it is damaged, or of a later version.
    """
    found: Any = json.loads(data)
    if not isinstance(found, dict) or found.pop("v", None) != VERSION:
        raise ValueError("the segment is of an unknown version")
    try:
        return Segment(**found)
    except TypeError as error:
        raise ValueError(f"the segment is damaged: {error}") from None
