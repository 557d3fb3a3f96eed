"""`python -m autotrain_gradio.worker DIR VERB`: the only process that loads heavy libraries.

`train` writes the run's events and outlives its caller. Every other verb is a call: context as a
JSON line on stdin, the answer on stdout in lines tagged `@autotrain ` (docs/architecture.md).
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from autotrain_gradio.backends.local import TAG
from autotrain_gradio.errors import Finding, UserError
from autotrain_gradio.registry import Resolved, resolve
from autotrain_gradio.runs.record import read_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.spec import RunSpec

Progress = Callable[[str, float], None]


def run(directory: Path, verb: str, context: dict[str, Any], progress: Progress, warm: Warm | None = None) -> Any:
    """Do what a verb says, in this process.

    Verbs: `check`, `preview`, `probe`, `predict`, `verify`; `context` holds `spec` where the run has no
    `spec.json`, `inputs` for `predict`, and what a task's preview wants. `warm` keeps a loaded model
    between calls. Returns JSON-ready data.

    Raises:
        UserError: with findings, for all that the user can mend.
    """
    resolved = resolve(_spec(directory, context))
    if verb == "check":
        from autotrain_gradio import data

        result = data.check(directory, data.Request.of(resolved), progress)
        return result if isinstance(result, dict) else result.to_dict()
    module = importlib.import_module(resolved.task.module)
    if verb == "preview":
        return module.preview(directory, resolved.spec, resolved.params, context)
    if verb == "probe":
        return module.probe(resolved.spec, resolved.params, context)
    if verb == "predict":
        return (warm or Warm()).predictor(module, directory)(context["inputs"])
    if verb == "verify":
        module.load(directory)
        return {"loads": True}
    raise ValueError(f"unknown verb {verb!r}")


def train(directory: Path, attempt: int, resume: bool) -> bool:
    """Train the run, writing its record; return whether it completed."""
    resolved = resolve(_spec(directory, {}))
    rank = int(os.environ.get("RANK", "0"))
    reporter = Reporter(directory, resolved.spec, resolved.params, attempt=attempt, resume=resume, rank=rank)
    _stop_on_signals(reporter)
    try:
        reporter.state("preparing", "Reading the data")
        _train(reporter, resolved)
        stopped = reporter.stop_requested()
        reporter.state("cancelled" if stopped else "completed")
        return not stopped
    except UserError as error:
        _fail(reporter, list(error.findings))
    except MemoryError:
        traceback.print_exc()
        _fail(
            reporter,
            [
                Finding(
                    "error",
                    "out-of-memory",
                    "The machine's memory ran out.",
                    "Choose a smaller batch size or model, then resume.",
                )
            ],
        )
    except OSError as error:
        traceback.print_exc()
        if not (directory / "spec.json").exists():
            sys.stderr.write("The run was deleted during the training.\n")
            shutil.rmtree(directory, ignore_errors=True)  # what the training has written since
            return False
        _fail(reporter, [_os_finding(error, directory)])
    except Exception as error:  # the boundary: whatever it is, the run must say why it ended
        traceback.print_exc()
        _fail(reporter, [_bug(error)])
    finally:
        reporter.close()
    return False


def _train(reporter: Reporter, resolved: Resolved) -> None:
    from autotrain_gradio import data

    module = importlib.import_module(resolved.task.module)
    data.ensure(reporter.directory, resolved)
    if not reporter.stop_requested():
        module.train(reporter)


def _spec(directory: Path, context: dict[str, Any]) -> dict[str, Any]:
    found = context.get("spec") or read_json(directory / "spec.json")
    if found is None:
        raise UserError("The run has no settings: spec.json is missing.", where=directory.name, code="damaged-record")
    return {k: v for k, v in found.items() if k in RunSpec.model_fields}


def _stop_on_signals(reporter: Reporter) -> None:
    def handle(number: int, frame: Any) -> None:
        reporter.request_stop()
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def _fail(reporter: Reporter, findings: list[Finding]) -> None:
    for finding in findings:
        sys.stderr.write(f"{finding.level}: {finding}\n")
    first = next((f for f in findings if f.level == "error"), findings[0])
    try:
        reporter.error(first)
        reporter.state("failed")
    except OSError:
        # Nothing can be written any more: the app finds the run without a last word, and the log says why.
        traceback.print_exc()


def _out_of_memory() -> Finding:
    hint = "Choose a smaller batch size or model, then resume."
    return Finding("error", "out-of-memory", "The machine's memory ran out.", hint)


def _os_finding(error: OSError, directory: Path) -> Finding:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        free = shutil.disk_usage(directory).free / 2**20
        return Finding(
            "error",
            "disk-full",
            f"The disk is full: {free:.0f} MiB are free.",
            "Delete runs that are no longer needed, then resume this one.",
            str(error.filename or ""),
        )
    return _bug(error)


def _bug(error: Exception) -> Finding:
    package = Path(__file__).parent
    frames = traceback.extract_tb(error.__traceback__)
    own = next((f for f in reversed(frames) if Path(f.filename).is_relative_to(package)), None)
    where = f"{Path(own.filename).relative_to(package)}:{own.lineno}" if own else ""
    text = str(error).strip().splitlines()
    message = f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
    return Finding("error", "bug", message, "This looks like a mistake of ours: the log has the details.", where)


# -- the shell


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(f"\n{TAG}{json.dumps(message, ensure_ascii=False)}\n")
    sys.stdout.flush()


def _answer(directory: Path, work: Callable[[], Any]) -> bool:
    try:
        value = work()
    except UserError as error:
        _say({"kind": "error", "findings": [f.to_dict() for f in error.findings]})
        return False
    except MemoryError:
        _say(
            {
                "kind": "error",
                "findings": [Finding("error", "out-of-memory", "The machine's memory ran out.").to_dict()],
            }
        )
        return False
    except Exception as error:  # the boundary: the caller gets a finding, the log the traceback
        traceback.print_exc()
        found = _os_finding(error, directory) if isinstance(error, OSError) else _bug(error)
        _say({"kind": "error", "findings": [found.to_dict()]})
        return False
    _say({"kind": "result", "value": value})
    return True


def _serve(directory: Path) -> None:
    """Answer each line of stdin, `{"verb", "context"}`; the first says after how many idle seconds to end.

    What a line with `load_only` says is loaded, and not answered.
    """
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        lines.put("")  # the caller has gone

    threading.Thread(target=listen, daemon=True).start()
    idle = float(json.loads(lines.get())["idle_seconds"])
    warm = Warm()
    while True:
        try:
            line = lines.get(timeout=idle)
        except queue.Empty:
            return
        if not line:
            return
        order = json.loads(line)
        if order.get("load_only"):
            importlib.import_module(resolve(_spec(directory, order["context"])).task.module)
            continue
        _answer(directory, partial(run, directory, order["verb"], order["context"], _quiet, warm))


def _quiet(message: str, fraction: float) -> None:
    """Progress of a call that is too short to show any."""


class Warm:
    """The model that a warm worker has loaded, until the run has another."""

    def __init__(self) -> None:
        self._stamp = 0
        self._predictor: Any = None

    def predictor(self, module: Any, directory: Path) -> Any:
        """Return the task's predictor of the run's present model."""
        stamp = (directory / "model").stat().st_mtime_ns
        if self._predictor is None or stamp != self._stamp:
            self._stamp, self._predictor = stamp, module.load(directory)
        return self._predictor


def main(argv: list[str] | None = None) -> int:
    """Run the worker's shell; the exit status is 0 only when the work is done."""
    parser = argparse.ArgumentParser(prog="autotrain_gradio.worker")
    parser.add_argument("directory", type=Path)
    parser.add_argument("verb", choices=["check", "preview", "probe", "train", "predict", "verify", "serve"])
    parser.add_argument("--attempt", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(argv)
    if args.verb == "train":
        return 0 if train(args.directory, args.attempt, args.resume) else 1
    if args.verb == "serve":
        _serve(args.directory)
        return 0
    context = json.loads(sys.stdin.readline() or "{}")

    def progress(message: str, fraction: float) -> None:
        _say({"kind": "progress", "message": message, "fraction": fraction})

    return 0 if _answer(args.directory, lambda: run(args.directory, args.verb, context, progress)) else 1


if __name__ == "__main__":
    # Torch and its kin take long to tear down, and some of their threads do not end: leave at once.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
