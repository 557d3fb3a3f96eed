"""`Engine`, the protocol of a service that rents machines and stores files, and its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from autotrain_gradio.backends.price import Flavor
from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.spec import ResourceSpec

Stage = Literal["scheduling", "running", "completed", "error", "cancelled", "deleted"]
"""Stage of a job. Only the first two are active."""
ACTIVE_STAGES = frozenset({"scheduling", "running"})


class EngineError(Exception):
    """A request to an engine failed.

    Attributes:
        message, hint: for the user.
        permanent: a retry with the same settings fails too.
        login: the token was rejected: it is invalid, expired, or lacks a permission.
        missing: the job or the file does not exist.
        wait: seconds to wait before a retry, as the service asks; 0: unknown.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        permanent: bool = False,
        login: bool = False,
        missing: bool = False,
        wait: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint
        self.permanent, self.login, self.missing, self.wait = permanent, login, missing, wait


@dataclass(frozen=True)
class JobRequest:
    """A job to start.

    run, attempt: identify the job; there is never more than one job for both.
    prefix: folder of the attempt in the engine's storage, which the machine has at `segments.MOUNT`.
    requirements: packages to install, as pip takes them.
    arguments: of the agent. limit: seconds after which the service ends the job.
    """

    run: str
    attempt: int
    prefix: str
    flavor: str
    limit: float
    requirements: Sequence[str]
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class JobStatus:
    """The state of a job.

    seconds: time for which the machine has been running, by the clock of the service; 0 before.
    started: when the machine was started, in seconds since the epoch, by the clock of the service; 0 before.
    """

    stage: Stage
    message: str = ""
    seconds: float = 0.0
    started: float = 0.0

    @property
    def is_active(self) -> bool:
        """Whether the job may still run."""
        return self.stage in ACTIVE_STAGES


@dataclass(frozen=True)
class StoredFile:
    """A file in the engine's storage. digest: of its content. reference: the engine's own object, for `download`."""

    size: int
    digest: str
    reference: object = None


class Engine(Protocol):
    """One account at a service: its jobs and its storage. Paths in the storage are relative, with `/`.

    Every method blocks, and raises `EngineError`.
    """

    def find(self, run: str, attempt: int) -> str | None:
        """Return the id of the job of an attempt; None if there is none."""

    def submit(self, job: JobRequest) -> str:
        """Start a job and return its id. After an error it may have been started: see `find`."""

    def inspect(self, job: str) -> JobStatus:
        """Return the state of a job; the stage `deleted` if it is unknown."""

    def cancel(self, job: str) -> None:
        """Cancel a job; no error if it has ended."""

    def output(self, job: str) -> list[str]:
        """Return the lines that the job has printed so far; perhaps only the latest ones."""

    def upload(self, files: Mapping[str, Path | bytes]) -> None:
        """Store files by their path; existing ones are replaced."""

    def list(self, prefix: str) -> dict[str, StoredFile]:
        """Return the files below a folder by their path; empty if it does not exist."""

    def download(self, files: Mapping[str, tuple[StoredFile, Path]]) -> None:
        """Download files by their path."""

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files; no error for those that do not exist."""

    def url(self, job: str) -> str:
        """Return the address of the job's page."""


class EngineType(Protocol):
    """A service: its flavors and prices, and accounts."""

    name: str
    title: str

    def open(self, token: str) -> Engine:
        """Return the account of a token; no request is sent."""

    def flavors(self) -> Sequence[Flavor]:
        """Return the flavors with their prices, perhaps cached.

        Raises:
            EngineError: they cannot be fetched.
        """

    def check(self, resources: ResourceSpec) -> Sequence[Finding]:
        """Return further findings about the requested resources."""
