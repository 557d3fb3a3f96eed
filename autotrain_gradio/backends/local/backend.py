"""The local backend: subprocesses for trainings, which outlive the app, and for calls, which do not."""

from __future__ import annotations

import contextlib
import os
import platform
import signal as signals
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.backends import calls, devices, hub_login, process
from autotrain_gradio.backends.base import NO_OPTIONS, Allocation, Attempt, CallOptions
from autotrain_gradio.backends.local import launcher, worker_record
from autotrain_gradio.backends.local.prestart import Prestarted
from autotrain_gradio.backends.local.worker_record import WorkerRecord
from autotrain_gradio.backends.price import Flavor, Quote
from autotrain_gradio.backends.warm import WarmWorkers
from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs import memory_limit, worker_lock
from autotrain_gradio.runs.bounded_calls import BoundedCalls
from autotrain_gradio.runs.files import read_text_from
from autotrain_gradio.runs.record import Run

START_SECONDS = 30.0
"""Time for which an attempt without a recorded process counts as alive, because it is being started."""
EXIT_SECONDS = 5.0
"""Time to wait for the exit status of a process that is a zombie already."""
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
"""Let a training reuse the memory that it frees at every step (in bytes, see mallopt(3) of glibc); otherwise much of
the time of a step on a CPU is spent in the kernel, clearing pages."""
_children: dict[int, subprocess.Popen[bytes]] = {}
"""Training workers that this process has started, by process id, for their exit status."""


class LocalBackend:
    """Runs workers as subprocesses of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._warm = WarmWorkers(settings.limits)
        self._prestarted = Prestarted(settings.limits.predictor_idle_seconds)
        self._reads = BoundedCalls(0.25)  # within the time limit of the run that gets a slot

    # -- hardware

    def check_resources(self, resources: ResourceSpec) -> Iterator[Finding]:
        """Check the requested resources against the GPUs of this machine."""
        available, gpus, processes = len(devices.devices()), resources.gpus, resources.processes
        needed = gpus if gpus is not None else processes if processes and processes > 1 and available else 0
        if needed > available:
            message = f"The run needs {pluralize(needed, 'GPU')}; this machine has {available or 'none'}."
            hint = "Lower the number, or set gpus to 0 to train on the CPU."
            yield Finding("error", "too-many-gpus", message, hint, f"resources.{'gpus' if gpus else 'processes'}")
        if gpus and processes and gpus != processes:
            message = f"{pluralize(processes, 'process', 'processes')} for {pluralize(gpus, 'GPU')}: each uses one GPU."
            hint = "Leave processes empty, or give both the same number."
            yield Finding("error", "processes-not-gpus", message, hint, "resources.processes")

    def quote(self, resources: ResourceSpec) -> Quote | None:
        """Return None: a training on this machine has no price."""
        return None

    def flavors(self) -> Sequence[Flavor]:
        """Return nothing: this machine has the hardware that it has."""
        return ()

    def accelerated(self) -> bool:
        """Whether a training uses a GPU: NVIDIA's, or that of an Apple computer."""
        return devices.accelerated()

    def has_login(self) -> bool:
        """Whether this process, and so a worker, has a Hub token: `HF_TOKEN` or `hf auth login`."""
        return bool(hub_login.saved_token())

    def environment(self, secrets: Secrets, *, visitor: bool) -> dict[str, str]:
        """Return a worker's environment: that of this process, without its secrets for a visitor."""
        caches = process.visitor_caches(self._settings.home, secrets) if visitor else {}
        return process.environment({**secrets.environment(), **caches}, visitor=visitor)

    def allocate(self, resources: ResourceSpec, active: Sequence[Path]) -> Allocation | None:
        """Assign the least used GPUs, if a slot is free: there are `settings.slots`, or else one for each GPU."""
        names, slots = devices.devices(), self._settings.slots
        records = self._reads.map(map(str, active), lambda directory: worker_record.read(Path(directory)))
        # A run whose files do not respond takes a slot; its GPUs are unknown.
        used = [[] if isinstance(record, Exception) else _devices_of(record) for record in records.values()]
        count = resources.gpus
        if count is None and names and resources.process_count > 1:
            count = resources.process_count
        if slots is None:  # a run with several GPUs takes as many slots
            slots_left = max(1, len(names)) - sum(max(1, len(taken)) for taken in used)
            needed = min(max(1, count or 1), max(1, len(names)))
        else:
            slots_left, needed = slots - len(active), 1
        if slots_left < needed:
            return None
        if count is None and (len(names) < 2 or slots == 1):
            return Allocation()
        return Allocation(tuple(devices.least_used(names, chain.from_iterable(used), 1 if count is None else count)))

    def _share(self, assigned: Sequence[str] | None) -> float:
        """Return the share of the slots that a training with these GPUs takes, and so of the memory."""
        if self._settings.slots is not None:
            return 1 / self._settings.slots
        slots = max(1, len(devices.devices()))
        return min(1.0, max(1, len(assigned or ())) / slots)

    # -- trainings

    def submit(self, attempt: Attempt) -> None:
        """Start a training worker in a new session; its output goes to `log.txt`."""
        directory, assigned, count = attempt.directory, attempt.allocation.devices, attempt.resources.process_count
        more, env = self._worker(attempt)
        with (directory / "log.txt").open("ab") as log:
            log_offset = log.tell()
            child = self._prestarted.take(directory, more, env) if count == 1 else None
            if child is None:
                child = process.spawn(
                    directory,
                    "train",
                    *more,
                    env=env,
                    launcher=launcher.launch_arguments(count, launcher.threads_per_process(env, count))
                    if count > 1
                    else (),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
        _children[child.pid] = child
        threading.Thread(target=child.wait, name=f"reap {child.pid}", daemon=True).start()
        record = WorkerRecord.of_new_worker(
            directory,
            child.pid,
            attempt=attempt.number,
            devices=None if assigned is None else list(assigned),
            processes=count,
            log_offset=log_offset,
        )
        try:
            record.write(directory)
        except OSError:
            process.kill_group(child)  # a worker without a record could not be stopped
            raise

    def prestart(self, attempt: Attempt, module: str) -> None:
        """Start the worker ahead, for a training of one process; not while this process trains another run."""
        if attempt.resources.process_count > 1 or any(child.poll() is None for child in list(_children.values())):
            return
        self._prestarted.start(attempt.directory, *self._worker(attempt), module)

    def _worker(self, attempt: Attempt) -> tuple[list[str], dict[str, str]]:
        """Return the arguments of an attempt's worker, and its environment."""
        assigned, count = attempt.allocation.devices, attempt.resources.process_count
        env = {**KEEP_MEMORY, **attempt.env}
        if assigned is not None:
            env["CUDA_VISIBLE_DEVICES"] = ",".join(assigned)
        cpu = not (devices.devices() if assigned is None else assigned)
        memory = memory_limit.limit_of(self._settings.limits.training_memory, count, self._share(assigned))
        more = ["--attempt", str(attempt.number), *(["--resume"] if attempt.resume else [])]
        more += ["--memory", str(memory), *(["--memory-in-kernel"] if cpu else [])]
        return more, launcher.launch_environment(env, cpu=cpu) if count > 1 else env

    def attach(self, directory: Path, attempt: int, environment: Callable[[], Mapping[str, str]]) -> None:
        """Do nothing: workers of this machine report to the run's directory by themselves."""

    def status(self, directory: Path, attempt: int, started: float) -> dict[str, Any]:
        """Return `{"alive", "reason", "hint"}` of an attempt's worker, with the reason of its exit if known.

        Until the process is recorded, an attempt counts as alive for `START_SECONDS`.
        """
        record = worker_record.read(directory)
        if record is None or record.attempt < attempt:
            starting = time.time() - started < START_SECONDS or worker_lock.is_held(directory)
            return _status(starting, *_reason_without_record(directory))
        child = _children.get(record.pid) if record.is_of(directory) else None
        if child is None and worker_record.is_training(directory, record):
            return _status(True)
        if not record.is_of(directory):
            return _status(False, *_reason_of_copy(directory, record))
        if (child is None or child.returncode is not None) and (over := memory_limit.exceeded(directory, attempt)):
            return _status(False, **over)
        several = record.processes > 1 and (child is None or child.returncode is not None)
        failed = launcher.explain_failure(directory / "log.txt", record.log_offset) if several else None
        if failed is not None:
            return _status(False, **failed)
        if child is not None and child.returncode is not None:
            return _status(False, **_explain_exit(directory, child.returncode))
        if worker_record.is_training(directory, record):
            return _status(True)
        if child is not None and child.returncode is None:  # it has exited just now: its status says why
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(EXIT_SECONDS)
                return self.status(directory, attempt, started)
        if record.created is not None and psutil.boot_time() > record.created + 2.0:
            return _status(False, "The machine was restarted while the training ran.", Run(directory).resume_hint())
        return _status(False)

    def log(self, directory: Path, offset: int, limit: int) -> dict[str, Any]:
        """Return whole lines of `log.txt`."""
        return read_text_from(directory / "log.txt", offset, limit)

    def signal(self, directory: Path, *, hard: bool) -> None:
        """Signal the worker's process group: SIGTERM, or, when `hard`, SIGKILL to it and to all its subprocesses."""
        record = worker_record.read(directory)
        for group in worker_record.process_groups(directory, record):
            with contextlib.suppress(ProcessLookupError):  # it exited just now; its subprocesses may not have
                os.killpg(group, signals.SIGKILL if hard else signals.SIGTERM)
        if hard and (record is None or record.is_of(directory)):  # a copy has no processes
            for folder in {directory, Path(record.folder) if record is not None and record.folder else directory}:
                for one in process.processes_of_run(folder):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()

    # -- calls

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS) -> Any:
        """Run a verb in a subprocess that exits with the call, or in the warm worker of the directory."""
        return calls.collect(self.stream(directory, verb, context, options))

    def stream(
        self, directory: Path, verb: str, context: Mapping[str, Any], options: CallOptions = NO_OPTIONS
    ) -> Generator[Any, None, Any]:
        """Run a streaming verb as `call` does, and yield its items as they arrive."""
        env = options.env if options.env is not None else process.environment({})
        if options.warm:
            return self._warm.stream(
                directory, verb, context, env, options.progress, options.found, options.grace, options.seconds
            )
        limits = self._settings.limits
        if options.seconds is not None:
            limits = replace(limits, call_seconds=options.seconds)
        return calls.stream(
            directory,
            verb,
            context,
            limits=limits,
            progress=options.progress,
            env=env,
            cancel=options.cancel,
            grace=options.grace,
            found=options.found,
        )

    def prefetch(self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str]) -> None:
        """Start the warm worker of a directory and let it import the libraries of the verb."""
        self._warm.prefetch(directory, verb, context, env)

    def release(self, directory: Path, *, prestarted: bool = True) -> None:
        """End the warm worker of a directory, if there is one. prestarted: also one that waits for `submit`."""
        self._warm.release(directory)
        if prestarted:
            self._prestarted.release(directory)

    def close(self) -> None:
        """End the warm workers of this process, and one that waits for `submit`."""
        self._warm.close()
        self._prestarted.close()


def _devices_of(record: WorkerRecord | None) -> list[str]:
    """Return the GPUs that a worker uses."""
    return (record.devices or []) if record is not None else []


def _reason_without_record(directory: Path) -> tuple[str, str]:
    """Return the reason and the hint for an attempt of which no worker is recorded."""
    if (directory / worker_record.NAME).exists():
        message = (
            "The worker of the training is gone, and its record (backend.json) is damaged or of an earlier attempt."
        )
        return message, Run(directory).resume_hint()
    return "The training process was never started.", "Resume it."


def _reason_of_copy(directory: Path, record: WorkerRecord) -> tuple[str, str]:
    """Return the reason and the hint for a folder that has the record of another folder's worker."""
    origin = f"'{record.folder}'" if record.machine == platform.node() else f"'{record.folder}' on '{record.machine}'"
    return (
        f"This folder was copied from a run that was live: its worker belongs to {origin}.",
        "Resume this copy to continue from its last checkpoint; the original is not affected.",
    )


def _status(alive: bool, reason: str = "", hint: str = "") -> dict[str, Any]:
    return {"alive": alive, "reason": "" if alive else reason, "hint": "" if alive else hint}


def _explain_exit(directory: Path, code: int) -> dict[str, str]:
    return process.explain_exit(code, _last_log_line(directory), resume_hint=Run(directory).resume_hint())


def _last_log_line(directory: Path) -> str:
    """Return the last line of the log: the reason why a worker failed to start is there."""
    try:
        with (directory / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
