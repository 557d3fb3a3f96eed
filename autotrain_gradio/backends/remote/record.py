"""`backend.json` of a remote backend: which job trains an attempt, and how far its results have been merged."""

from __future__ import annotations

import dataclasses
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.runs.files import read_object, write_json

NAME = "backend.json"


@dataclass
class RemoteRecord:
    """The job of one attempt.

    stage: `packing submitting scheduling running saving ended`. detail: the current activity, for the page.
    reason, hint: why the attempt ended without an end state of its worker.
    job: id; empty until it was started. account: who pays, as the engine names it.
    prefix: folder of the attempt in the engine's storage; empty once it was deleted.
    price: USD per hour. limit: hard limit of the duration in seconds.
    folder, machine: of the run when it was submitted.
    submitted, started: times by the clock of this machine: when the job was requested and when its machine started.
    skew: seconds to add to the times of the machine's clock.
    segments: number of merged segments. log_bytes: size of the log after the last one.
    output_lines: number of lines of the job's own output in the log.
    stop_sent: the request to stop was forwarded. cancelled: the job was cancelled by this app.
    """

    backend: str
    attempt: int
    resume: bool = False
    flavor: str = ""
    price: float = 0.0
    limit: float = 0.0
    folder: str = ""
    machine: str = field(default_factory=platform.node)
    stage: str = "packing"
    detail: str = ""
    reason: str = ""
    hint: str = ""
    job: str = ""
    url: str = ""
    prefix: str = ""
    submitted: float = 0.0
    started: float = 0.0
    seconds: float = 0.0
    skew: float | None = None
    segments: int = 0
    log_bytes: int = 0
    output_lines: int = 0
    stop_sent: bool = False
    cancelled: bool = False

    def write(self, directory: Path) -> None:
        """Write the record into the run's folder."""
        write_json(directory / NAME, dataclasses.asdict(self))

    def is_copied(self, directory: Path) -> bool:
        """Whether the folder is a copy of the one that was submitted, which still exists on this machine."""
        origin = Path(self.folder)
        return self.machine == platform.node() and origin != directory and (origin / NAME).exists()

    @property
    def cost(self) -> float:
        """Cost so far in USD."""
        return self.seconds / 3600 * self.price


def read(directory: Path) -> RemoteRecord | None:
    """Return the record of a run's job; None if there is none, or if it is damaged."""
    try:
        found = read_object(directory / NAME)
    except DataError:
        return None
    if found is None:
        return None
    values: dict[str, Any] = {}
    for one in dataclasses.fields(RemoteRecord):
        if one.name in found:
            values[one.name] = found[one.name]
    if not isinstance(values.get("backend"), str) or not isinstance(values.get("attempt"), int):
        return None
    for one in dataclasses.fields(RemoteRecord):
        value, kinds = values.get(one.name), _KINDS[str(one.type)]
        if one.name in values and not isinstance(value, kinds):
            return None
    return RemoteRecord(**values)


_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "float | None": (int, float, type(None)),
}
