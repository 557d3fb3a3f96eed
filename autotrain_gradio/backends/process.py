"""Worker processes on this machine: command, environment, liveness, termination.

A worker has its own session. A training worker and its subprocesses have the run's folder in the environment
variable `AUTOTRAIN_GRADIO_RUN`, so that subprocesses that it leaves running can be found and killed.
"""

from __future__ import annotations

import hashlib
import os
import signal as signals
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from autotrain_gradio.core.inherited_environment import inherited
from autotrain_gradio.core.settings import AUTH_VARIABLE, SHARED_VARIABLE
from autotrain_gradio.core.spec import Secrets
from autotrain_gradio.runs.worker_process import CALLER

RUN_VARIABLE = "AUTOTRAIN_GRADIO_RUN"
OF_A_GROUP = frozenset(
    {
        *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT"),
        *("GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_RANK", "ROLE_WORLD_SIZE", "ROLE_NAME"),
    }
)
OF_A_GROUP_PREFIXES = ("TORCHELASTIC_", "PET_", "OMPI_COMM_WORLD_", "PMI_", "MV2_COMM_WORLD_")
"""Variables that torchrun, Kubeflow and MPI set for the processes of a distributed program. If one of them starts the
app, a worker must not take itself for a process of that group; its own launcher sets them anew."""
HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN")
PACKAGES = str(Path(__file__).resolve().parents[2])
"""Folder that contains this package: a Space runs it without installing it."""
MEMORY_HINT = "Most likely the machine's memory ran out. Choose a smaller batch size or model, then resume."
CALL_MEMORY_HINT = "Most likely the machine's memory ran out. Use less data or smaller files, then try again."
CALL_HINT = "Try again. If it happens again, please report it with this message."


def environment(secrets: Mapping[str, str], *, visitor: bool = False) -> dict[str, str]:
    """Return a worker's environment: that of this process, with the variables of a worker and the run's secrets.

    OpenMP threads spin only briefly before they sleep (GOMP_SPINCOUNT in the manual of libgomp): on a small machine,
    which the page shares, long spinning starves other threads, and sleeping at once costs a fifth of the speed. The
    number of threads is set in `training.threads`.

    visitor: for a visitor, who must not use the tokens and keys of this server: only listed variables are inherited.
    """
    env = {name: value for name, value in os.environ.items() if not _is_of_another_process(name)}
    env.pop(AUTH_VARIABLE, None)
    if visitor:
        env = inherited(env)
        env[SHARED_VARIABLE] = "1"  # stricter checks, for instance of addresses
        if not any(name in secrets for name in HUB_TOKENS):
            env["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    elif any(name in secrets for name in HUB_TOKENS):
        for name in HUB_TOKENS:
            env.pop(name, None)
    # The working directory of a worker is the run: relative folders would be resolved against it.
    folders = [os.path.abspath(p) for p in env.get("PYTHONPATH", "").split(os.pathsep) if p]
    if PACKAGES not in folders:
        folders.append(PACKAGES)
    defaults = {
        "GOMP_SPINCOUNT": "20000",
        "KMP_BLOCKTIME": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "NO_ALBUMENTATIONS_UPDATE": "1",
    }
    fixed = {
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    }
    return {**defaults, **env, **fixed, **secrets}


def _is_of_another_process(name: str) -> bool:
    return name in {RUN_VARIABLE, CALLER, *OF_A_GROUP} or name.startswith(OF_A_GROUP_PREFIXES)


def visitor_caches(home: Path, secrets: Secrets) -> dict[str, str]:
    """Return the variables for the caches of visitors, which are separate for each token.

    Downloads with one token must not be readable by others, and the login of this server must not be found.
    """
    owner = hashlib.sha256(secrets.token.encode()).hexdigest()[:16] if secrets.token else "anonymous"
    return {"HF_HOME": str(home / "cache" / "visitors" / owner), "NETRC": os.devnull, "WANDB_MODE": "disabled"}


def spawn(
    directory: Path,
    verb: str,
    *more: str,
    env: Mapping[str, str] | None = None,
    launcher: Sequence[str] = (),
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """Start a worker for a folder, in a new session.

    launcher: arguments of Python for a program that starts the worker's module, perhaps several times.
    streams: `stdin`, `stdout` and `stderr` as `subprocess.Popen` takes them.
    """
    # -P: a file in the run's folder, the working directory, must not be imported.
    command = [sys.executable, "-P", *launcher, "-m", "autotrain_gradio.worker", str(directory), verb, *more]
    env = dict(env if env is not None else environment({}))
    env.update({RUN_VARIABLE: str(directory)} if verb == "train" else {CALLER: str(os.getpid())})
    return subprocess.Popen(command, env=env, cwd=directory, start_new_session=True, **streams)


def start_time(pid: int) -> float | None:
    """Return when a process started, in seconds since the epoch; None if it does not exist."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def is_alive(pid: int, since: float | None) -> bool:
    """Whether a process with this id and start time is alive: not a later process with the same id, not a zombie."""
    try:
        process = psutil.Process(pid)
        same = since is not None and abs(process.create_time() - since) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker and its process group."""
    try:
        os.killpg(process.pid, signals.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it has exited, and its id may have been reused


def processes_of_run(directory: Path) -> Iterator[psutil.Process]:
    """Find the worker of a run and its subprocesses, by their environment."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(RUN_VARIABLE) == str(directory):
                yield process
        except (psutil.Error, OSError):
            continue  # it has exited, or belongs to another user


def explain_exit(code: int, last_line: str = "", *, resume_hint: str | None = None) -> dict[str, str]:
    """Explain an exit status of a worker (negative: a signal) as `{"reason", "hint"}`.

    resume_hint: of a training, which has a log (`Run.resume_hint`); None: a call, such as a check, which can only be
        repeated.
    """
    memory, again = (MEMORY_HINT, resume_hint) if resume_hint is not None else (CALL_MEMORY_HINT, CALL_HINT)
    if code >= 0:
        output = f" Last line of its output: {last_line}" if last_line else ""
        hint = "See the log." if resume_hint is not None else CALL_HINT
        return {"reason": f"The process exited with status {code} before it was done.{output}", "hint": hint}
    try:
        name = signals.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = memory if -code == signals.SIGKILL else again
    return {"reason": f"The process was killed ({name}).", "hint": hint}
