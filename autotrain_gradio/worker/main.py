"""`python -m autotrain_gradio.worker DIR VERB`: command line of the worker process.

`train` writes the run's events and outlives its caller (`training.py`). Every other verb is a call: its context is a
JSON line on stdin, and its result goes to stdout in lines tagged `@autotrain ` (docs/architecture.md). `serve` runs
several calls in sequence (`serve.py`). `tool` is a call that belongs to no run (`run_tool.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from functools import partial
from pathlib import Path

from autotrain_gradio.core.termination import exit_on_sigterm
from autotrain_gradio.runs import memory_limit, worker_process
from autotrain_gradio.worker import prestart
from autotrain_gradio.worker.messages import respond, send_found, send_progress
from autotrain_gradio.worker.ranks import Ranks
from autotrain_gradio.worker.run_tool import run_tool
from autotrain_gradio.worker.run_verb import run_verb
from autotrain_gradio.worker.serve import serve
from autotrain_gradio.worker.training import train


def main(argv: list[str] | None = None) -> int:
    """Run the verb of the command line; the exit status is 0 only if it succeeded."""
    parser = argparse.ArgumentParser(prog="autotrain_gradio.worker")
    parser.add_argument("directory", type=Path)
    parser.add_argument("verb", help="train, serve, tool, or the name of a verb of the run's task")
    parser.add_argument("--attempt", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--memory", type=int, default=0, help="bytes that the training may use; 0: no limit")
    parser.add_argument("--memory-in-kernel", action="store_true", help="let the kernel refuse allocations beyond it")
    parser.add_argument("--ahead", default="", help="import this module of the task, and wait for a line on stdin")
    parser.add_argument("--ahead-seconds", type=float, default=0.0, help="seconds to wait for it, then exit")
    parser.add_argument("--grace", type=float, default=0.0, help="seconds to clean up when the caller has died")
    args = parser.parse_args(argv)
    args.directory = args.directory.absolute()
    worker_process.enter_empty_directory(args.directory)
    worker_process.raise_oom_score()
    if args.verb == "train":
        if args.memory:
            launched = Ranks.from_environment(args.directory, args.attempt).is_distributed
            in_kernel = args.memory_in_kernel
            memory_limit.enforce(args.directory, args.attempt, args.memory, in_kernel=in_kernel, launched=launched)
        if args.ahead and not prestart.wait_for_start(args.directory, args.ahead, args.ahead_seconds):
            worker_process.kill_children()
            return 0
        done = train(args.directory, args.attempt, args.resume)
        worker_process.kill_children()
        return 0 if done else 1
    worker_process.exit_with_caller(args.grace)
    with exit_on_sigterm() if args.grace else contextlib.nullcontext():
        if args.verb == "serve":
            serve(args.directory)
            return 0
        context = json.loads(sys.stdin.readline() or "{}")
        if args.verb == "tool":
            return 0 if respond(args.directory, partial(run_tool, context, send_progress)) else 1
        work = partial(run_verb, args.directory, args.verb, context, send_progress, found=send_found)
        return 0 if respond(args.directory, work) else 1
