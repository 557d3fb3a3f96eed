"""`python -m autotrain_gradio.worker DIR VERB`: the only process that loads heavy libraries.

`train` writes the run's events and outlives its caller. Every other verb is a call: context as a
JSON line on stdin, the answer on stdout in lines tagged `@autotrain ` (docs/architecture.md).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs import wire, worker_lock, worker_process
from autotrain_gradio.runs.failure import findings_of, is_full
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import Resolved, resolve
from autotrain_gradio.worker.ranks import Ranks, is_connection_error

Progress = Callable[[str, float], None]
VERBS = ("check", "browse", "preview", "probe", "train", "predict", "verify", "publish", "serve")
ERRORS_TOLD = 20
LOADING = "Loading the libraries"
PREVIEWING = "Preparing your own data as the training will see it"
BROWSE_GRACE_SECONDS = 8.0
"""Time that a source has to leave a server as it was, when the app is gone."""


class Stopped(BaseException):
    """The user asked to stop while the data was prepared. Not an Exception: nobody on the way may take it."""


def run(
    directory: Path,
    verb: str,
    context: dict[str, Any],
    progress: Progress,
    warm: Warm | None = None,
    found: Callable[[Any], None] | None = None,
) -> Any:
    """Do what a verb says, in this process.

    Verbs: `check`, `browse`, `preview`, `probe`, `predict`, `verify`, `publish`, and `train` (`attempt` and `resume`
    in the context; returns whether it completed). `context` holds `spec` where the run has no `spec.json`, `inputs` for
    `predict`, `question` and `secrets` for `browse`, and what a task's preview wants. `warm` keeps a loaded model
    between calls; `found` is given what is known of a result before the verb is done. Returns JSON-ready data.

    Raises:
        UserError: with findings, for all that the user can mend; `train` records its errors instead.
    """
    if verb not in VERBS:
        raise ValueError(f"unknown verb {verb!r}")
    if verb == "train":
        return train(directory, int(context.get("attempt", 1)), bool(context.get("resume", False)))
    resolved = resolve(_spec(directory, context))
    if verb == "check":
        from autotrain_gradio import data

        return dict(data.check(directory, data.Request.of(resolved), progress, found))
    if verb == "browse":
        from autotrain_gradio import data

        request = data.Request.of(resolved)
        source = request.source(directory).load()
        return dict(source.browse(context["question"], request, directory, context.get("secrets") or {}, progress))
    if verb == "publish":
        from autotrain_gradio.runs.publishing import publish

        return {"address": publish(directory / "model", resolved.spec)}
    module = _loaded(resolved, progress, verb)
    if verb == "preview":
        progress(PREVIEWING, 0.0)
        return module.preview(directory, resolved.spec, resolved.params, context)
    if verb == "probe":
        return module.probe(resolved.spec, resolved.params, context)
    if verb == "predict":
        return (warm or Warm()).predictor(module, directory)(context["inputs"])
    module.load(directory)
    return {"loads": True}


def _loaded(resolved: Resolved, progress: Progress, verb: str) -> ModuleType:
    """Import the heavy half of a task, or what its preview needs; the first time it takes seconds, and that is said."""
    name = (resolved.task.preview_module if verb == "preview" else "") or resolved.task.module
    if name not in sys.modules:
        progress(LOADING, 0.0)
    return importlib.import_module(name)


def _spec(directory: Path, context: dict[str, Any]) -> dict[str, Any]:
    found = context.get("spec") or read_object(directory / "spec.json")
    if found is None:
        raise UserError("The run has no settings: spec.json is missing.", where=directory.name, code="damaged-record")
    return {k: v for k, v in found.items() if k in RunSpec.model_fields}


# -- the training


def train(directory: Path, attempt: int, resume: bool) -> bool:
    """Train the run, writing its record; return whether it completed.

    Whatever happens, the record says how it ended; a deleted run is left without a word.
    """
    ranks = Ranks.from_environment(directory, attempt)
    if ranks.rank == 0 and not worker_lock.hold(directory):
        _log(f"Another process is training {directory.name}: this one ends.")
        return False
    ranks.begin()
    _log(f"--- attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')} ---")
    # The record is opened before the settings are understood: it must say if they are not.
    reporter = Reporter(directory, RunSpec(task="unknown"), None, attempt=attempt, resume=resume, rank=ranks.rank)
    # Another rank than 0 is stopped by rank 0, or with it by the launcher.
    signalled = threading.Event() if ranks.rank else _stop_on_signals(reporter)
    try:
        reporter.state("preparing", "Reading the settings")
        resolved = resolve(_spec(directory, {}))
        reporter.spec, reporter.params = resolved.spec, resolved.params
        reporter.set_time_limit(resolved.spec.resources.timeout_seconds)
        with contextlib.suppress(Stopped):
            _train(reporter, resolved, ranks)
        if ranks.several and signalled.is_set() and not reporter.asked_to_stop():
            # The launcher ends all ranks because another one has failed.
            return _fail_for_others(reporter, ranks)
        if reporter.stopping:
            reporter.state("cancelled", reporter.stop_reason)
        else:
            reporter.state("completed")
        return not reporter.stopping or reporter.stopped_together
    except Exception as error:  # the boundary: whatever it is, the run must say why it ended
        if _is_deleted(directory):
            _log(f"The run {directory.name} was deleted during the training.")
            return False
        if not isinstance(error, UserError):
            _log(traceback.format_exc())
        if ranks.rank:
            ranks.hand_over(error, findings_of(error, directory))
            return False
        if ranks.several and (signalled.is_set() or is_connection_error(error)) and not reporter.asked_to_stop():
            return _fail_for_others(reporter, ranks)
        if is_full(error):
            reporter.release_reserve()
        with _last_words():
            if signalled.is_set():
                # Processes that the worker had started were signalled too, and it may have failed for that.
                reporter.note(f"The training was cut off: {error}", level="warning")
                reporter.state("cancelled")
            else:
                _fail(reporter, findings_of(error, directory))
    finally:
        with _last_words():
            reporter.close()
    return False


def _fail_for_others(reporter: Reporter, ranks: Ranks) -> bool:
    """Record why another rank has failed; where that is not known, record nothing: the launcher's output has it."""
    findings = ranks.failures()
    if findings:
        with _last_words():
            _fail(reporter, findings)
    else:
        _log("Another training process is gone: this one exits.")
    return False


def _train(reporter: Reporter, resolved: Resolved, ranks: Ranks) -> None:
    if ranks.rank:
        ranks.wait_for_data()
        importlib.import_module(resolved.task.module).train(reporter)
        return
    from autotrain_gradio import data

    next_word = 0.0

    def progress(message: str, fraction: float) -> None:
        nonlocal next_word
        if time.monotonic() >= next_word:
            next_word = time.monotonic() + 1.0
            reporter.state("preparing", f"{message} ({fraction:.0%})")
        if reporter.stop_requested():
            raise Stopped

    if resolved.spec.hub.push_to_hub:
        from autotrain_gradio.runs import publishing

        reporter.state("preparing", "Asking the Hub whether the model may be uploaded")
        publishing.repository(resolved.spec)
    progress("Preparing the data", 0.0)
    data.ensure(reporter.directory, resolved, progress=progress)
    ranks.announce_data()
    reporter.state("preparing", "Loading the libraries")
    module = importlib.import_module(resolved.task.module)
    if not reporter.stop_requested():
        reporter.state("preparing", "Preparing the training")
        module.train(reporter)
    if resolved.spec.hub.push_to_hub and not reporter.stopping:
        _publish(reporter, resolved.spec)


def _publish(reporter: Reporter, spec: RunSpec) -> None:
    """Upload the model; the run is completed also when that fails."""
    from autotrain_gradio.runs import publishing

    reporter.state("running", "Uploading the model")
    try:
        address = publishing.publish(reporter.model, spec)
    except publishing.PublishError as error:
        reporter.note(error.message, level="warning", hint=error.hint)
    else:
        reporter.note(f"The model is at {address}")


def _stop_on_signals(reporter: Reporter) -> threading.Event:
    """Take the first SIGTERM or SIGINT for a request to stop; return an event that is set by it."""
    signalled = threading.Event()

    def handle(number: int, frame: Any) -> None:
        signalled.set()
        reporter.request_stop()
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)
    return signalled


def _fail(reporter: Reporter, findings: list[Finding]) -> None:
    errors = [f for f in findings if f.level == "error"] or findings
    for finding in errors:
        _log(f"error: {finding}")
    # The last one is the run's reason: that is the first of them.
    for finding in reversed(errors[:ERRORS_TOLD]):
        reporter.error(finding)
    reporter.state("failed")


@contextlib.contextmanager
def _last_words() -> Any:
    """Where nothing can be written any more, leave it: the app finds the run without a last word."""
    try:
        yield
    except OSError as error:
        _log(f"The record could not be written: {error}")


def _is_deleted(directory: Path) -> bool:
    """Whether the run was deleted; then what the training has written since is removed too."""
    if (directory / "spec.json").exists():
        return False
    for _ in range(20):
        if not (directory / "draft.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
            break
        time.sleep(0.1)  # the deletion is under way
    return True


def _log(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk takes no log either
        sys.stderr.write(text.rstrip("\n") + "\n")
        sys.stderr.flush()


# -- calls


class Warm:
    """The model that a warm worker has loaded, until the run has another."""

    def __init__(self) -> None:
        self._stamp = -1
        self._predictor: Any = None

    def predictor(self, module: Any, directory: Path) -> Any:
        """Return the task's predictor of the run's present model.

        Raises:
            UserError: there is none.
        """
        files = [f.stat().st_mtime_ns for f in (directory / "model").rglob("*") if f.is_file()]
        if not files:
            raise UserError("The run has no model yet.", "Wait until it is done, or stop it.", code="no-model")
        stamp = max(files)
        if self._predictor is None or stamp != self._stamp:
            self._predictor = None
            self._predictor = module.load(directory)
            self._stamp = stamp
        return self._predictor


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(wire.line(message))
    sys.stdout.flush()


def _answer(directory: Path, work: Callable[[], Any]) -> bool:
    try:
        message = {"kind": "result", "value": work()}
        text = wire.line(message)
    except Exception as error:  # the boundary: the caller gets findings, the log the traceback
        if not isinstance(error, UserError):
            _log(traceback.format_exc())
        _say({"kind": "error", "findings": [f.to_dict() for f in findings_of(error, directory)]})
        return False
    sys.stdout.write(text)
    sys.stdout.flush()
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
            _load(directory, order["verb"], order["context"])
        else:
            _answer(directory, partial(run, directory, order["verb"], order["context"], _tell, warm))


def _load(directory: Path, verb: str, context: dict[str, Any]) -> None:
    """Load what a verb needs; a call that comes meanwhile waits, and is told for what.

    A thread of its own does it, after all that is more urgent: somebody waits for the check that is read meanwhile.
    What only some calls need is loaded after that, and waited for by those alone.
    """
    loaded = threading.Event()

    def work() -> None:
        worker_process.load_after_others()
        try:
            module = _loaded(resolve(_spec(directory, context)), _tell, verb)
            _tell("Preparing", 1.0)
            loaded.set()
            getattr(module, "load_ahead", lambda: None)()
        except Exception:  # the boundary: the call that follows meets the same error, and answers with it
            _log(traceback.format_exc())
        finally:
            loaded.set()

    threading.Thread(target=work, name="load", daemon=True).start()
    loaded.wait()


def _tell(message: str, fraction: float) -> None:
    _say({"kind": "progress", "message": message, "fraction": fraction})


def _tell_found(value: Any) -> None:
    _say({"kind": "found", "value": value})


# -- the shell


def _cancelled(number: int, frame: Any) -> None:
    """Leave what is being done, by way of everything that sets things in order again; once."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(1)


def main(argv: list[str] | None = None) -> int:
    """Run the worker's shell; the exit status is 0 only when the work is done."""
    parser = argparse.ArgumentParser(prog="autotrain_gradio.worker")
    parser.add_argument("directory", type=Path)
    parser.add_argument("verb", choices=[*VERBS, "serve"])
    parser.add_argument("--attempt", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(argv)
    worker_process.give_way()
    if args.verb == "train":
        done = train(args.directory, args.attempt, args.resume)
        worker_process.end_children()
        return 0 if done else 1
    browsing = args.verb == "browse"
    worker_process.end_with_caller(BROWSE_GRACE_SECONDS if browsing else 0.0)
    if browsing:
        signal.signal(signal.SIGTERM, _cancelled)
    if args.verb == "serve":
        _serve(args.directory)
        return 0
    context = json.loads(sys.stdin.readline() or "{}")
    work = partial(run, args.directory, args.verb, context, _tell, found=_tell_found)
    return 0 if _answer(args.directory, work) else 1
