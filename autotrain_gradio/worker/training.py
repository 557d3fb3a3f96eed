"""The verb `train`: one attempt at a training run, from its spec to its end state."""

from __future__ import annotations

import contextlib
import importlib
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
from autotrain_gradio.runs.failure import findings_of, is_disk_full
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import Resolved, resolve
from autotrain_gradio.tasks.verb_call import LOADING
from autotrain_gradio.worker.messages import log
from autotrain_gradio.worker.ranks import Ranks, is_connection_error
from autotrain_gradio.worker.run_verb import read_spec

MAX_ERRORS = 20
"""Maximum number of errors of a failed run that are reported."""


class StopRequested(BaseException):
    """A stop was requested while the data was prepared. Not an Exception, so that handlers do not catch it."""


def train(directory: Path, attempt: int, resume: bool) -> bool:
    """Train the run and write its events; return whether it completed (with several ranks: whether this rank did).

    The end state is always recorded, also after an error; nothing is written to a deleted run.
    """
    ranks = Ranks.from_environment(directory, attempt)
    if ranks.rank == 0 and not worker_lock.acquire(directory):
        log(f"Another process is training {directory.name}: this one exits.")
        return False
    ranks.begin()
    log(f"--- attempt {attempt}, {time.strftime('%Y-%m-%d %H:%M:%S')} ---")
    # The event file is opened before the spec is parsed, because parsing errors are reported in it.
    reporter = Reporter(directory, RunSpec(task="unknown"), None, attempt=attempt, resume=resume, rank=ranks.rank)
    # Ranks other than 0 stop when rank 0 decides so; on a signal of the launcher they exit.
    signalled = threading.Event() if ranks.rank else _stop_on_signals(reporter)
    try:
        reporter.state("preparing", "Reading the settings")
        resolved = resolve(read_spec(directory, {}))
        reporter.spec, reporter.params = resolved.spec, resolved.params
        reporter.set_time_limit(resolved.spec.resources.timeout_seconds)
        if missing := resolved.task.missing_packages():
            raise MissingExtra.from_findings(missing)
        with contextlib.suppress(StopRequested):
            _train(reporter, resolved, ranks)
        if ranks.is_distributed and signalled.is_set() and not reporter.has_stop_reason():
            # The launcher stops all ranks because another one has failed.
            return _fail_for_others(reporter, ranks)
        if reporter.stopping:
            reporter.state("cancelled", reporter.stop_reason)
        else:
            reporter.state("completed")
        return not reporter.stopping or reporter.stopped_together
    except Exception as error:  # the reason of every failure must be recorded
        if _is_deleted(directory):
            log(f"The run {directory.name} was deleted during the training.")
            return False
        if not isinstance(error, UserError):
            log(traceback.format_exc())
        if ranks.rank:
            ranks.report_failure(error, findings_of(error, directory))
            return False
        if (
            ranks.is_distributed
            and (signalled.is_set() or is_connection_error(error))
            and not reporter.has_stop_reason()
        ):
            return _fail_for_others(reporter, ranks)
        if is_disk_full(error):
            reporter.release_reserve()
        with _ignore_full_disk():
            if signalled.is_set():
                # The worker's subprocesses were signalled too, which may have caused the error.
                reporter.note(f"The training was interrupted: {error}", level="warning")
                reporter.state("cancelled")
            else:
                _fail(reporter, findings_of(error, directory))
    finally:
        with _ignore_full_disk():
            reporter.close()
    return False


def _fail_for_others(reporter: Reporter, ranks: Ranks) -> bool:
    """Record the failure of another rank; if it is unknown, record nothing: the launcher's output has the reason."""
    findings = ranks.failures()
    if findings:
        with _ignore_full_disk():
            _fail(reporter, findings)
    else:
        log("Another training process has exited: this one exits too.")
    return False


def _train(reporter: Reporter, resolved: Resolved, ranks: Ranks) -> None:
    if ranks.rank:
        ranks.wait_for_data()
        importlib.import_module(resolved.task.module).train(reporter)
        return
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

        reporter.state("preparing", "Checking the write access to the Hub")
        publishing.repository(resolved.spec)
    progress("Preparing the data", 0.0)
    data.ensure(reporter.directory, resolved, progress=progress)
    ranks.signal_data_ready()
    reporter.state("preparing", LOADING)
    module = importlib.import_module(resolved.task.module)
    if not reporter.stop_requested():
        reporter.state("preparing", "Preparing the training")
        module.train(reporter)
    if resolved.spec.hub.push_to_hub and not reporter.stopping:
        _publish(reporter, resolved.spec)


def _publish(reporter: Reporter, spec: RunSpec) -> None:
    """Upload the model; a failed upload is a warning, and the run is completed."""
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
        signal.signal(number, signal.SIG_DFL)  # a second signal kills the process

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)
    return signalled


def _fail(reporter: Reporter, findings: list[Finding]) -> None:
    errors = [f for f in findings if f.level == "error"] or findings
    for finding in errors:
        log(f"error: {finding}")
    # The page shows the last event as the reason, so the first error is reported last.
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
