"""The verb `train`: a training run, from its settings to the state in which it ended."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import Finding, MissingExtra, UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs import worker_lock
from autotrain_gradio.runs.failure import findings_of, is_full
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import Resolved, resolve
from autotrain_gradio.tasks.verb_call import LOADING
from autotrain_gradio.worker.messages import log
from autotrain_gradio.worker.run_verb import read_spec

MAX_ERRORS = 20
"""Most errors of a failed run that are recorded."""


class StopRequested(BaseException):
    """A stop was requested while the data was prepared. A BaseException: no handler on the way may catch it."""


def train(directory: Path, attempt: int, resume: bool) -> bool:
    """Train the run, writing its record; return whether it completed.

    Whatever happens, the record says how it ended; nothing is written to a deleted run.
    """
    rank = int(os.environ.get("RANK", "0"))
    if rank == 0 and not worker_lock.hold(directory):
        log(f"Another process is training {directory.name}: this one exits.")
        return False
    log(f"--- attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')} ---")
    # The record is opened before the settings are understood: it must say if they are not.
    reporter = Reporter(directory, RunSpec(task="unknown"), None, attempt=attempt, resume=resume, rank=rank)
    signalled = _stop_on_signals(reporter)
    try:
        reporter.state("preparing", "Reading the settings")
        resolved = resolve(read_spec(directory, {}))
        reporter.spec, reporter.params = resolved.spec, resolved.params
        if missing := resolved.task.missing_packages():
            raise MissingExtra.from_findings(missing)
        with contextlib.suppress(StopRequested):
            _train(reporter, resolved)
        reporter.state("cancelled" if reporter.stopping else "completed")
        return not reporter.stopping
    except Exception as error:  # the boundary: whatever it is, the run must say why it ended
        if _is_deleted(directory):
            log(f"The run {directory.name} was deleted during the training.")
            return False
        if not isinstance(error, UserError):
            log(traceback.format_exc())
        if is_full(error):
            reporter.release_reserve()
        with _ignore_full_disk():
            if signalled.is_set():
                # Processes that the worker had started were signalled too, and it may have failed for that.
                reporter.note(f"The training was interrupted: {error}", level="warning")
                reporter.state("cancelled")
            else:
                _fail(reporter, findings_of(error, directory))
    finally:
        with _ignore_full_disk():
            reporter.close()
    return False


def _train(reporter: Reporter, resolved: Resolved) -> None:
    from autotrain_gradio import data

    next_message = 0.0

    def progress(message: str, fraction: float) -> None:
        nonlocal next_message
        if time.monotonic() >= next_message:
            next_message = time.monotonic() + 1.0
            reporter.state("preparing", f"{message} ({fraction:.0%})")
        if reporter.stop_requested():
            raise StopRequested

    if resolved.spec.hub.push_to_hub:
        from autotrain_gradio.runs import publishing

        reporter.state("preparing", "Asking the Hub whether the model may be uploaded")
        publishing.repository(resolved.spec)
    progress("Preparing the data", 0.0)
    data.ensure(reporter.directory, resolved, progress=progress)
    reporter.state("preparing", LOADING)
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
    """Handle the first SIGTERM or SIGINT as a request to stop; return an event that is set by it."""
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
        log(f"error: {finding}")
    # The last event is shown as the reason of the run: the first error comes last.
    for finding in reversed(errors[:MAX_ERRORS]):
        reporter.error(finding)
    reporter.state("failed")


@contextlib.contextmanager
def _ignore_full_disk() -> Iterator[None]:
    """Log that the record cannot be written, as on a full disk; the app then shows the run as interrupted."""
    try:
        yield
    except OSError as error:
        log(f"The record could not be written: {error}")


def _is_deleted(directory: Path) -> bool:
    """Whether the run was deleted; then files that the training has written since are removed too."""
    if (directory / "spec.json").exists():
        return False
    for _ in range(20):
        if not (directory / "draft.json").exists():
            shutil.rmtree(directory, ignore_errors=True)
            break
        time.sleep(0.1)  # it is being deleted
    return True
