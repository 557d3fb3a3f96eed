"""Workers on this machine: trainings that outlive the app, and calls that do not."""

from __future__ import annotations

import contextlib
import json
import os
import signal as signals
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.backends.base import Capabilities
from autotrain_gradio.errors import Finding, UserError, WorkerError
from autotrain_gradio.runs.record import read_json, write_json
from autotrain_gradio.settings import Limits

TAG = "@autotrain "
SECRET_NAMES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "WANDB_API_KEY")
MIB = 1024 * 1024
START_SECONDS = 30.0
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
MEMORY_HINT = "Most likely the machine's memory ran out. Choose a smaller batch size or model, then resume."

PACKAGES = str(Path(__file__).resolve().parents[2])
"""Where this package lies: a Space runs it from its folder, without installing it."""

capabilities = Capabilities(outlives_app=True, needs_visitor=False, stoppable=True, price_known=True)
_children: dict[int, subprocess.Popen[bytes]] = {}


def environment(secrets: Mapping[str, str], *, visitor: bool = False) -> dict[str, str]:
    """Return a worker's environment.

    OpenMP's threads sleep instead of spinning: on a small machine, where the page is always the
    other process, spinning threads starve each other (torch's documentation on CPU threading).
    visitor: whoever asks is a stranger, who must not act with the tokens of this server.
    """
    env = dict(os.environ)
    if visitor:
        for name in SECRET_NAMES:
            env.pop(name, None)
        env["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    defaults = {
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "0",
        "KMP_BLOCKTIME": "0",
        "TOKENIZERS_PARALLELISM": "false",
        "NO_ALBUMENTATIONS_UPDATE": "1",
    }
    fixed = {
        "PYTHONPATH": os.pathsep.join(filter(None, [PACKAGES, env.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    }
    # `python app.py` works without an installed package; the worker's working directory is the run.
    path = os.pathsep.join([*filter(None, [env.get("PYTHONPATH")]), str(PACKAGE_ROOT)])
    return {**defaults, **env, **fixed, "PYTHONPATH": path, **secrets}


def _command(directory: Path, verb: str, *more: str) -> list[str]:
    # -P: a file in the run's folder, the working directory, must not be imported.
    return [sys.executable, "-P", "-m", "autotrain_gradio.worker", str(directory), verb, *more]


# -- trainings


def submit(directory: Path, attempt: int, env: Mapping[str, str], *, resume: bool) -> None:
    """Start a training worker in a session of its own; its output goes to `log.txt`."""
    more = ["--attempt", str(attempt), *(["--resume"] if resume else [])]
    with (directory / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            _command(directory, "train", *more),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=directory,
            start_new_session=True,
        )
    _children[process.pid] = process
    created = _created(process.pid)
    write_json(
        directory / "backend.json", {"backend": "local", "attempt": attempt, "pid": process.pid, "created": created}
    )


def status(directory: Path, attempt: int, started: float) -> dict[str, Any]:
    """Say whether the worker of an attempt lives; if not, why as far as it is known.

    started: when the attempt was handed to `submit` (seconds since the epoch). Until the worker is
    on record, it counts as alive for `START_SECONDS`.
    """
    worker = read_json(directory / "backend.json")
    if worker is None or worker["attempt"] < attempt:
        starting = time.time() - started < START_SECONDS
        return {"alive": starting, "reason": "The training process was never started.", "hint": "Resume it."}
    pid = int(worker["pid"])
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        return {"alive": False, **_ending(child.returncode)}
    if _alive(pid, worker["created"]):
        return {"alive": True, "reason": "", "hint": ""}
    return {"alive": False, "reason": "", "hint": ""}


def signal(directory: Path, *, hard: bool) -> None:
    """Signal the worker's process group: SIGTERM, or SIGKILL when `hard`."""
    worker = read_json(directory / "backend.json")
    if worker is None:
        return
    pid = int(worker["pid"])
    # The worker leads its session and group: while a member of it lives the number is not given anew.
    if _alive(pid, worker["created"]) or _group_alive(pid):
        try:
            os.killpg(pid, signals.SIGKILL if hard else signals.SIGTERM)
        except ProcessLookupError:
            return


def _created(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def _alive(pid: int, created: float | None) -> bool:
    try:
        process = psutil.Process(pid)
        same = created is not None and abs(process.create_time() - created) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _group_alive(group: int) -> bool:
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == group:
                return True
        except ProcessLookupError:
            continue
    return False


def _ending(code: int) -> dict[str, str]:
    if code >= 0:
        return {"reason": f"The training process ended with status {code} before it was done.", "hint": "See the log."}
    name = signals.Signals(-code).name
    hint = MEMORY_HINT if -code == signals.SIGKILL else "Resume it: it continues from its last checkpoint."
    return {"reason": f"The training process was killed ({name}).", "hint": hint}


# -- calls


def call(
    directory: Path,
    verb: str,
    context: Mapping[str, Any],
    *,
    limits: Limits,
    progress: Callable[[str, float], None] | None = None,
    env: Mapping[str, str] | None = None,
    cancel: threading.Event | None = None,
) -> Any:
    """Run a verb in a worker process and return its result.

    Raises:
        UserError: what the verb raised.
        WorkerError: it was cancelled, died, or needed more time or memory than `limits` allow.
    """
    process = _spawn(directory, verb, env)
    assert process.stdin and process.stdout
    watch = _Watch(process, limits.call_seconds, limits.call_mebibytes, cancel)
    watch.start()
    found: dict[str, Any] | None = None
    noise: list[str] = []
    try:
        with process.stdin as stdin:
            stdin.write(json.dumps(dict(context)).encode() + b"\n")
        for line in process.stdout:
            message = parse(line)
            if message is None:
                noise = [*noise[-40:], line.decode("utf-8", "replace").rstrip()]
            elif message["kind"] == "progress":
                if progress is not None:
                    progress(message["message"], message["fraction"])
            else:
                found = message
    except BrokenPipeError:
        noise.append("the worker did not take its orders")
    finally:
        watch.done.set()
        _kill_group(process)
        process.stdout.close()
        code = process.wait()
    if watch.ended_for:
        raise WorkerError(*watch.ended_for, code="worker-ended")
    if found is None:
        raise WorkerError(
            f"The {verb} ended without an answer ({_ending(code)['reason'].rstrip('.')}).",
            noise[-1][:300] if noise else "",
            code="worker-died",
        )
    if found["kind"] == "error":
        raise UserError.from_findings([Finding.from_dict(f) for f in found["findings"]])
    return found["value"]


def parse(line: bytes) -> dict[str, Any] | None:
    """Return the message of a worker's line; None for other output. The tag may stand anywhere in the line."""
    place = line.find(TAG.encode())
    if place < 0:
        return None
    try:
        message = json.loads(line[place + len(TAG) :])
    except ValueError:
        return None
    return message if isinstance(message, dict) and "kind" in message else None


def _spawn(directory: Path, verb: str, env: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(directory, verb),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else environment({}),
        cwd=directory,
        start_new_session=True,
    )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signals.SIGKILL)
    except ProcessLookupError:
        return


class _Watch(threading.Thread):
    """Ends a call that is cancelled, or takes too much time or memory."""

    def __init__(
        self, process: subprocess.Popen[bytes], seconds: float, mebibytes: int, cancel: threading.Event | None
    ) -> None:
        super().__init__(daemon=True)
        self.done = threading.Event()
        self.ended_for: tuple[str, str] | None = None
        self._process, self._mebibytes, self._cancel = process, mebibytes, cancel
        self._seconds, self._deadline = seconds, time.monotonic() + seconds

    def run(self) -> None:
        while not self.done.wait(0.2):
            if self._cancel is not None and self._cancel.is_set():
                self.ended_for = ("It was cancelled.", "")
            elif time.monotonic() > self._deadline:
                self.ended_for = (f"It took longer than {self._seconds:.0f} seconds and was ended.", "Use less data.")
            elif self._memory() > self._mebibytes:
                self.ended_for = (
                    f"It needed more than {self._mebibytes} MiB of memory and was ended.",
                    "Use less data.",
                )
            if self.ended_for:
                _kill_group(self._process)
                return

    def _memory(self) -> float:
        total = 0
        try:
            process = psutil.Process(self._process.pid)
            for one in [process, *process.children(recursive=True)]:
                total += one.memory_info().rss
        except psutil.NoSuchProcess:
            return 0.0
        return total / MIB


# -- warm workers


class WarmWorkers:
    """Workers that stay up between calls, one for each run that is worked on; the least used ones end.

    For what people wait for: a prediction, a preview that follows the switches of a form.
    """

    def __init__(self, limits: Limits, keep: int = 2) -> None:
        self._limits, self._keep = limits, keep
        self._lock = threading.Lock()
        self._warm: dict[Path, _WarmWorker] = {}

    def call(self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Any:
        """Run a verb as `call` does, in the run's warm worker; the first call starts it.

        Raises:
            UserError: what the verb raised.
            WorkerError: the worker died, or needed longer than `limits.predict_seconds`.
        """
        return self._worker(directory, env).ask(verb, context)

    def warm(
        self, directory: Path, verb: str, context: Mapping[str, Any], env: Mapping[str, str] | None = None
    ) -> None:
        """Start the run's worker, and let it load what the verb needs, without waiting for it."""
        self._worker(directory, env).post({"verb": verb, "context": dict(context), "load_only": True})

    def drop(self, directory: Path) -> None:
        """End the worker of a run, if there is one."""
        with self._lock:
            worker = self._warm.pop(directory, None)
        if worker is not None:
            worker.close()

    def close(self) -> None:
        """End all."""
        for directory in list(self._warm):
            self.drop(directory)

    def _worker(self, directory: Path, env: Mapping[str, str] | None) -> _WarmWorker:
        with self._lock:
            worker = self._warm.pop(directory, None)
            if worker is None or not worker.alive():
                worker = _WarmWorker(directory, env, self._limits)
            self._warm[directory] = worker
            while len(self._warm) > self._keep:
                self._warm.pop(next(iter(self._warm))).close()
        return worker


class _WarmWorker:
    def __init__(self, directory: Path, env: Mapping[str, str] | None, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._process = _spawn(directory, "serve", env)
        self.post({"idle_seconds": limits.predictor_idle_seconds})

    def alive(self) -> bool:
        return self._process.poll() is None

    def post(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, verb: str, context: Mapping[str, Any]) -> Any:
        assert self._process.stdout
        with self._lock:
            timer = threading.Timer(self._limits.predict_seconds, _kill_group, [self._process])
            timer.start()
            noise = ""
            try:
                self.post({"verb": verb, "context": dict(context)})
                for line in self._process.stdout:
                    message = parse(line)
                    if message is None:
                        noise = line.decode("utf-8", "replace").strip() or noise
                    elif message["kind"] == "error":
                        raise UserError.from_findings([Finding.from_dict(f) for f in message["findings"]])
                    elif message["kind"] == "result":
                        return message["value"]
            except BrokenPipeError:
                noise = noise or "it had ended"
            finally:
                timer.cancel()
            self.close()
            raise WorkerError(f"The {verb} ended without an answer.", noise[:300], code="worker-died")

    def close(self) -> None:
        _kill_group(self._process)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
