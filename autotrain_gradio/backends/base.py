"""The protocol of a backend: where trainings run, and short calls are answered.

A backend is found by name (`autotrain_gradio.backends.registry`). To add one, declare a `BackendType`
as `BACKEND` in a folder of `autotrain_gradio/backends/`, or in an installed package with an entry
point in the group `autotrain_gradio.backends`. Nothing else names it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets

Progress = Callable[[str, float], None]
"""Called with what is being done, and the fraction of it that is done."""


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do, as its declaration says."""

    outlives_app: bool
    """A training continues when the app exits."""
    needs_login: bool
    """A training uses the quota of a user who is signed in."""
    stoppable: bool
    price_known: bool
    own_environment: bool = False
    """Workers have a Python installation of their own: the packages of this one say nothing about it."""
    max_nodes: int | None = 1
    """Most machines of one training; None: no limit."""
    flavors: tuple[str, ...] = ()
    """Names of hardware flavors that a run can ask for; empty: it has none."""


@dataclass(frozen=True)
class Allocation:
    """What the backend assigns to one attempt.

    devices: names of GPUs, as `CUDA_VISIBLE_DEVICES` has them; None: all that are visible.
    """

    devices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt at a training, as it is handed to a backend.

    directory: the run. number: of the attempt, from 1. resume: continue from the latest checkpoint.
    env: complete environment of the worker.
    """

    directory: Path
    number: int
    env: Mapping[str, str]
    resume: bool = False
    resources: ResourceSpec = field(default_factory=ResourceSpec)
    allocation: Allocation = Allocation()


@dataclass(frozen=True)
class CallOptions:
    """How a verb is called.

    env: complete environment of the worker; None: the backend's own.
    progress, found: callbacks, for progress and for partial results.
    cancel: set by the caller to cancel. grace: seconds between SIGTERM and SIGKILL after a cancel.
    warm: use a worker of this directory that stays up between calls (predictions, previews); such calls are not
        cancelled.
    """

    env: Mapping[str, str] | None = None
    progress: Progress | None = None
    found: Callable[[Any], None] | None = None
    cancel: threading.Event | None = None
    grace: float = 0.0
    warm: bool = False


NO_OPTIONS = CallOptions()


class Backend(Protocol):
    """Starts, watches and signals training workers, and runs verbs. A run is named by its directory."""

    def check_resources(self, resources: ResourceSpec) -> Iterable[Finding]:
        """Return a finding for each resource that this backend does not have."""

    def accelerated(self) -> bool:
        """Whether a training without explicit resources uses a GPU."""

    def has_login(self) -> bool:
        """Whether workers have a Hub token of their own, beside the secrets of a run."""

    def environment(self, secrets: Secrets, *, visitor: bool) -> dict[str, str]:
        """Return the complete environment of a worker.

        visitor: the asker is a visitor: the environment has no token or key of this server, and caches of its own.
        """

    def allocate(self, resources: ResourceSpec, active: Sequence[Path]) -> Allocation | None:
        """Return what a further attempt would get beside the active runs; None: there is no free slot.

        active: directories of the runs of this backend that have a worker.
        """

    def submit(self, attempt: Attempt) -> None:
        """Start the worker of an attempt and return at once.

        Raises:
            OSError: it cannot be started.
        """

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        """Return `{"alive": bool, "reason": str, "hint": str}` of an attempt's worker.

        started: when the attempt was about to be submitted (seconds since the epoch). It may be asked about before
        `submit` is called: until then it counts as alive.
        """

    def log(self, directory: Path, offset: int, limit: int) -> dict[str, Any]:
        """Return `{"text", "offset", "size"}`: at most `limit` bytes of the log from a byte offset, whole lines.

        offset: negative: counted from the end. The returned one is where the next call continues.
        """

    def signal(self, directory: Path, *, hard: bool) -> None:
        """Ask the worker and its subprocesses to exit (SIGTERM), or, when `hard`, kill them."""

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS) -> Any:
        """Run a verb in a worker and return its result, as JSON data.

        Raises:
            UserError: raised by the verb.
            WorkerError: it was cancelled, needed too much time or memory, or died.
        """

    def stream(
        self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS
    ) -> Generator[Any, None, Any]:
        """Run a streaming verb in a worker: yield its items as they come. Closing the generator cancels the verb.

        Raises:
            UserError, WorkerError: as `call`, when the generator is advanced.
        """

    def prefetch(self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """Start the warm worker of a directory and let it import what the verb needs, without waiting for it."""

    def release(self, directory: Path) -> None:
        """End the warm worker of a directory, if there is one."""

    def close(self) -> None:
        """End all warm workers of this process; trainings continue."""


@dataclass(frozen=True)
class BackendType:
    """Declaration of a backend: data, and how to open it.

    open: returns the backend for an installation; called once per process and installation, when it is first used.
    """

    name: str
    title: str
    capabilities: Capabilities
    open: Callable[[Settings], Backend]
