"""Processes of this machine: a worker's command and environment, whether it lives, how it is ended.

A worker is in a session of its own. One that trains carries `AUTOTRAIN_GRADIO_RUN`, its run's folder,
in its environment, and so does whatever it starts: what it leaves behind can be found and ended.
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

from autotrain_gradio.core.spec import Secrets
from autotrain_gradio.tasks.registry import registry

MARK = "AUTOTRAIN_GRADIO_RUN"
CALLER = "AUTOTRAIN_GRADIO_CALLER"
HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN")
SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL")
PACKAGES = str(Path(__file__).resolve().parents[2])
"""Where this package lies: a Space runs it from its folder, without installing it."""
MEMORY_HINT = "Most likely the machine's memory ran out. Choose a smaller batch size or model, then resume."
RESUME_HINT = "Resume it: it continues from its last checkpoint."


def environment(secrets: Mapping[str, str], *, visitor: bool = False) -> dict[str, str]:
    """Return a worker's environment: this process's, with what a worker needs, and the run's secrets.

    OpenMP's threads spin for a moment only, and then sleep: on a small machine, where the page is always the other
    process, threads that spin for long starve each other, and threads that sleep at once lose a fifth of their speed
    (GOMP_SPINCOUNT in the manual of libgomp). How many threads there are is `training.threads`' business.

    visitor: whoever asks is a stranger, who must not act with the tokens and keys of this server.
    """
    env = {name: value for name, value in os.environ.items() if name not in {MARK, CALLER}}
    if visitor:
        declared = {name for task in registry() for source in task.sources for name in source.secrets}
        env = {
            name: value
            for name, value in env.items()
            if name not in declared and not any(w in name.upper() for w in SECRET_WORDS)
        }
        env["AUTOTRAIN_GRADIO_SHARED"] = "1"  # what a stranger may name, such as an address, is looked at harder
        if not any(name in secrets for name in HUB_TOKENS):
            env["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    elif any(name in secrets for name in HUB_TOKENS):
        for name in HUB_TOKENS:
            env.pop(name, None)
    # The worker's working directory is the run: a relative folder would be looked for in there.
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


def visitor_caches(home: Path, secrets: Secrets) -> dict[str, str]:
    """Return the variables that give visitors with the same token, or without one, caches of their own.

    What one token may download must not be read from a cache by others, nor the login of this server be found.
    """
    whose = hashlib.sha256(secrets.token.encode()).hexdigest()[:16] if secrets.token else "anonymous"
    return {"HF_HOME": str(home / "cache" / "visitors" / whose), "NETRC": os.devnull, "WANDB_MODE": "disabled"}


def spawn(
    directory: Path,
    verb: str,
    *more: str,
    env: Mapping[str, str] | None = None,
    launcher: Sequence[str] = (),
    **streams: Any,
) -> subprocess.Popen[bytes]:
    """Start a worker for a folder, in a session of its own.

    launcher: arguments of Python for a program that starts the worker's module, perhaps several times.
    streams: `stdin`, `stdout` and `stderr` as `subprocess.Popen` takes them.
    """
    # -P: a file in the run's folder, the working directory, must not be imported.
    command = [sys.executable, "-P", *launcher, "-m", "autotrain_gradio.worker", str(directory), verb, *more]
    env = dict(env if env is not None else environment({}))
    env.update({MARK: str(directory)} if verb == "train" else {CALLER: str(os.getpid())})
    return subprocess.Popen(command, env=env, cwd=directory, start_new_session=True, **streams)


def created(pid: int) -> float | None:
    """Return when a process started, in seconds since the epoch; None when there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return None


def is_alive(pid: int, since: float | None) -> bool:
    """Whether the process that started then lives: not a later one of the same number, not a zombie."""
    try:
        process = psutil.Process(pid)
        same = since is not None and abs(process.create_time() - since) < 2.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a worker of ours and its process group at once."""
    try:
        os.killpg(process.pid, signals.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, and its number may be another's by now


def of_run(directory: Path) -> Iterator[psutil.Process]:
    """Find the processes that carry the mark of a run: its worker and all that it started."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == str(directory):
                yield process
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or somebody else's


def memory(pid: int) -> int:
    """Return the bytes of memory that a process and all below it hold; 0 when it has ended."""
    total = 0
    try:
        process = psutil.Process(pid)
        below = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    for one in [process, *below]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def explain_exit(code: int, last_line: str = "") -> dict[str, str]:
    """Explain an exit status of a worker (negative: a signal) as `{"reason", "hint"}`."""
    if code >= 0:
        output = f" Last line of its output: {last_line}" if last_line else ""
        return {"reason": f"The process exited with status {code} before it was done.{output}", "hint": "See the log."}
    try:
        name = signals.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = MEMORY_HINT if -code == signals.SIGKILL else RESUME_HINT
    return {"reason": f"The process was killed ({name}).", "hint": hint}
