"""The protocol of a backend, which runs trainings and short calls.

A backend is found by name (`autotrain_gradio.backends.registry`). To add one, declare a `BackendType`
as `BACKEND` in a folder of `autotrain_gradio/backends/`, or in an installed package with an entry
point in the group `autotrain_gradio.backends`. No other code refers to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autotrain_gradio.backends.price import Flavor, Quote
from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets

Progress = Callable[[str, float], None]
"""Progress callback: description of the current work, and the fraction that is done."""


@dataclass(frozen=True)
class Capabilities:
    """Declared capabilities of a backend."""

    outlives_app: bool
    """A training continues when the app exits."""
    needs_login: bool
    """A training uses the quota of a user who is signed in."""
    stoppable: bool
    price_known: bool
    own_environment: bool = False
    """Workers have their own Python environment: packages missing here may be installed there."""
    max_nodes: int | None = 1
    """Maximum number of machines of one training; None: no limit."""
    flavors: tuple[str, ...] | None = ()
    """Names of the hardware flavors that a run can request; empty: none; None: the backend checks them itself."""
    calls: bool = True
    """It is a `Backend`, which runs verbs too; otherwise the default backend runs the verbs of its runs."""
    stop_delay: float = 0.0
    """Seconds that a stop may take in addition to the grace time, because requests and results travel."""


@dataclass(frozen=True)
class Allocation:
    """Resources that the backend assigns to one attempt.

    devices: names of GPUs, as in `CUDA_VISIBLE_DEVICES`; None: all visible ones.
    """

    devices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt at a training, as submitted to a backend.

    directory: of the run. number: attempt number, from 1. resume: continue from the latest checkpoint.
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
    """Options of a call.

    env: complete environment of the worker; None: the backend's own.
    progress, found: callbacks, for progress and for partial results.
    cancel: event that the caller sets to cancel. grace: seconds between SIGTERM and SIGKILL, where the worker has to be
        killed.
    seconds: time limit of the call, in a warm worker of each item that it streams; None: `limits.call_seconds`, in a
        warm worker `limits.predict_seconds`.
    warm: use the warm worker of this directory, which is reused between calls (predictions, previews); such calls
        are not cancelled.
    """

    env: Mapping[str, str] | None = None
    progress: Progress | None = None
    found: Callable[[Any], None] | None = None
    cancel: threading.Event | None = None
    grace: float = 0.0
    seconds: float | None = None
    warm: bool = False


NO_OPTIONS = CallOptions()


class TrainingBackend(Protocol):
    """Submits, monitors and signals training workers. A run is identified by its directory."""

    def check_resources(self, resources: ResourceSpec) -> Iterable[Finding]:
        """Return a finding for each requested resource that is not available."""

    def quote(self, resources: ResourceSpec) -> Quote | None:
        """Return price and limits of an attempt with valid resources; None if it has no price."""

    def flavors(self) -> Sequence[Flavor]:
        """Return the hardware flavors with prices, cheapest first; empty if it has none.

        Raises:
            UserError: they cannot be fetched.
        """

    def accelerated(self) -> bool:
        """Whether a training without explicit resources uses a GPU."""

    def has_login(self) -> bool:
        """Whether workers have a Hub token besides the secrets of a run."""

    def environment(self, secrets: Secrets, *, visitor: bool) -> dict[str, str]:
        """Return the complete environment of a worker.

        visitor: for a visitor, the environment has no token or key of this server, and separate caches.
        """

    def allocate(self, resources: ResourceSpec, active: Sequence[Path]) -> Allocation | None:
        """Return the resources of another attempt next to the active runs; None: no slot is free.

        active: directories of the runs of this backend that have a worker.
        """

    def submit(self, attempt: Attempt) -> None:
        """Start the worker of an attempt and return at once.

        Raises:
            OSError: it cannot be started.
        """

    def attach(self, directory: Path, attempt: int, environment: Callable[[], Mapping[str, str]]) -> None:
        """Take care of an active attempt, which perhaps another process has submitted; returns at once.

        The process that dispatches the queue calls it repeatedly. A backend whose workers report to the run's directory
        by themselves has nothing to do.

        environment: returns the complete environment of the worker.
        """

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        """Return `{"alive": bool, "reason": str, "hint": str}` of an attempt's worker, and perhaps `detail`.

        detail: the current activity, where the worker itself cannot report it.
        started: when the attempt was about to be submitted (seconds since the epoch). `status` may be
        called before `submit`: until then the attempt counts as alive.
        """

    def log(self, directory: Path, offset: int, limit: int) -> dict[str, Any]:
        """Return `{"text", "offset", "size"}`: at most `limit` bytes of the log from a byte offset, whole lines.

        offset: counted from the end if negative. The returned offset is that of the next call.
        """

    def signal(self, directory: Path, *, hard: bool) -> None:
        """Ask the worker and its subprocesses to exit (SIGTERM), or, when `hard`, kill them."""

    def prestart(self, attempt: Attempt, module: str) -> None:
        """Start the worker of an attempt that will probably be submitted soon, to import its libraries ahead.

        It opens nothing of the run before. A backend that starts no worker ahead does nothing. module: of the task's
        training.
        """

    def release(self, directory: Path, *, prestarted: bool = True) -> None:
        """End the warm worker of a directory, if there is one. prestarted: also one that waits for `submit`."""

    def close(self) -> None:
        """End all warm workers of this process, and those that wait for `submit`; trainings continue."""


class Backend(TrainingBackend, Protocol):
    """A backend that runs verbs, too."""

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS) -> Any:
        """Run a verb in a worker and return its result, as JSON data.

        Raises:
            UserError: raised by the verb.
            WorkerError: the worker was cancelled, timed out, ran out of memory, or was killed.
        """

    def stream(
        self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS
    ) -> Generator[Any, None, Any]:
        """Run a streaming verb in a worker: yield its items as they arrive. Closing the generator cancels the verb.

        Raises:
            UserError, WorkerError: as `call`, when the generator is advanced.
        """

    def prefetch(self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """Start the warm worker of a directory and let it import the libraries of the verb, without waiting for it."""


@dataclass(frozen=True)
class BackendType:
    """Declaration of a backend: metadata and factory.

    open: factory of the backend for an installation; called once per process and installation, on first use.
    """

    name: str
    title: str
    capabilities: Capabilities
    open: Callable[[Settings], TrainingBackend]
