"""Several training processes on this machine: the command of `accelerate launch`, and the failures in its output.

`accelerate launch --cpu` starts several processes only through MPI; with `--multi_gpu` it starts them through torchrun,
on CPUs too when `ACCELERATE_USE_CPU` is set (accelerate 1.15: `launch_command` in `accelerate/commands/launch.py`).
torchrun ends all processes when one fails, and prints which one, with its exit status.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from autotrain_gradio.backends.process import explain_exit
from autotrain_gradio.runs.record import Run

TAIL_BYTES = 65536
ROOT_CAUSE = re.compile(r"Root Cause.*?rank\s*:\s*(\d+).*?exitcode\s*:\s*(-?\d+)", re.DOTALL)


def launch_arguments(processes: int, threads: int) -> list[str]:
    """Return the arguments between `python` and `-m autotrain_gradio.worker`.

    All settings are explicit, so that the user's configuration (`accelerate config`) has no effect.

    threads: OpenMP threads of each process.
    """
    return [
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        f"--num_processes={processes}",
        "--num_machines=1",
        "--machine_rank=0",
        "--main_process_port=0",  # a free one
        "--gpu_ids=all",
        "--mixed_precision=no",  # the training's own setting decides
        "--dynamo_backend=no",
        f"--num_cpu_threads_per_process={threads}",
        "--max_restarts=0",
    ]


def launch_environment(env: Mapping[str, str], *, cpu: bool) -> dict[str, str]:
    """Return the environment of the launcher and its processes. cpu: they train on the CPU."""
    # Like -P for a single process: a file in the run's folder, the working directory, must not be imported.
    return {**env, "PYTHONSAFEPATH": "1", "ACCELERATE_USE_CPU": "true" if cpu else "false"}


def threads_per_process(env: Mapping[str, str], processes: int) -> int:
    """Return the OpenMP threads of each process: the user's `OMP_NUM_THREADS`, else an equal share of the cores."""
    given = env.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return int(given) if given.isdigit() and int(given) > 0 else max(1, cores // processes)


def explain_failure(log: Path, begin: int = 0) -> dict[str, str] | None:
    """Return `{"reason", "hint"}` of the process that failed first, from torchrun's output; None if it has none.

    log: in the run's folder. begin: byte offset where the attempt begins in the log.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(begin, size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    found = ROOT_CAUSE.search(text)
    if found is None:
        return None
    exited = explain_exit(int(found[2]), resume_hint=Run(log.parent).resume_hint())
    return {**exited, "reason": exited["reason"].replace("The process", f"Training process {found[1]}", 1)}
