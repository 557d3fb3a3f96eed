"""`Monitor`, the thread that starts the job of an attempt, polls it, and merges its results into the run.

One process monitors a run: it holds the lock file `remote.lock`. Every step is recorded in `backend.json` before and
after, so that another process can continue. A job is started once: after an answer that leaves open whether it was, it
is searched for by its labels first.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from autotrain_gradio.backends.price import format_cost
from autotrain_gradio.backends.remote import package, segments
from autotrain_gradio.backends.remote.engine import Engine, EngineError, JobRequest, JobStatus
from autotrain_gradio.backends.remote.merge import Merger
from autotrain_gradio.backends.remote.record import RemoteRecord
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import format_duration, pluralize
from autotrain_gradio.runs.record import RESTART_HINT, Run
from autotrain_gradio.tasks.registry import registry

LOCK = "remote.lock"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Durations in seconds; the tests have shorter ones.

    poll: between two requests for the state of a job. retry, longest_retry: first and longest wait after a failure.
    start: how long a job may wait for a machine. settle: how long files are awaited after the end of a job.
    over: how long a job may exceed its limit before it is cancelled from here.
    output: between two requests for the output of a job that has not written a segment.
    ship: between two segments, at the beginning of a training.
    """

    poll: float = 5.0
    retry: float = 2.0
    longest_retry: float = 60.0
    start: float = 6 * 3600.0
    settle: float = 120.0
    over: float = 120.0
    output: float = 20.0
    ship: float = 2.0
    submit_tries: int = 8


class Monitor(threading.Thread):
    """Takes care of one attempt until it has ended.

    title: of the backend. token: returns the user's token; empty if this process has none.
    """

    def __init__(
        self,
        directory: Path,
        record: RemoteRecord,
        title: str,
        open_engine: Callable[[str], Engine],
        token: Callable[[], str],
        pace: Pace,
    ) -> None:
        super().__init__(name=f"monitor {directory.name}", daemon=True)
        self.token = token
        self._directory, self._record, self._title, self._pace = directory, record, title, pace
        self._open, self._engine_token = open_engine, ""
        self._run_record = Run(directory)
        self._wake, self._closed, self._kill = threading.Event(), threading.Event(), threading.Event()
        self._merger: Merger | None = None
        self._engine: Engine | None = None
        self._failures = self._submit_failures = 0
        self._ended_at = self._next_output = 0.0
        self._cancel_reason: tuple[str, str] | None = None

    def kill(self) -> None:
        """Cancel the job: it did not stop."""
        self._kill.set()
        self._wake.set()

    def close(self) -> None:
        """End the thread; the job continues."""
        self._closed.set()
        self._wake.set()

    def run(self) -> None:
        """Work until the attempt has ended, or another process takes care of it."""
        try:
            with FileLock(self._directory / LOCK, timeout=0, thread_local=False):
                self._loop()
        except Timeout:
            return
        except FileNotFoundError:
            if self._directory.exists():
                raise  # else the run was deleted

    def _loop(self) -> None:
        while self._record.stage != "ended" and not self._closed.is_set():
            if not (self._directory / "spec.json").exists():
                self._abandon()
                return
            try:
                wait = self._step()
                self._failures = 0
            except EngineError as error:
                self._failures += 1
                wait = self._wait_after(error)
            except Exception as error:  # the job continues and must stay monitored
                if not self._directory.exists():
                    return
                self._failures += 1
                log.exception("monitoring the run %s failed once", self._directory.name)
                self._show(f"{self._title}: {type(error).__name__}: {error}. Trying again.")
                wait = self._backoff()
            self._wake.wait(wait)
            self._wake.clear()

    def _step(self) -> float:
        """Do the next thing; return the seconds until the next step."""
        token = self.token()
        if not token:
            self._show(f"{self._title}: waiting for a token to follow the training. Sign in again.")
            return self._pace.poll
        if self._engine is None or token != self._engine_token:
            self._engine, self._engine_token, self._merger = self._open(token), token, None
        if self._record.stage in {"packing", "submitting"}:
            return self._submit(self._engine)
        if self._merger is None:
            merger = Merger(self._run_record, self._record, self._engine)
            if self._record.segments:
                merger.restore()
            self._merger = merger
        if self._record.stage == "saving":
            return self._save(self._engine, self._merger)
        return self._poll(self._engine, self._merger)

    # -- start

    def _submit(self, engine: Engine) -> float:
        record = self._record
        if record.stage == "submitting" and (job := engine.find(self._directory.name, record.attempt)):
            return self._submitted(engine, job)
        if self._is_stop_requested() or self._kill.is_set():
            self._run_record.close_attempt(record.attempt, "cancelled", "")
            return self._end(engine)
        try:
            if record.stage == "packing":
                self._show("Uploading the run")
                files = package.files_of(self._directory, resume=record.resume)
                engine.upload({f"{record.prefix}/{path}": content for path, content in files.items()})
                record.stage = "submitting"
                self._show("Requesting a machine")
            return self._submitted(engine, engine.submit(self._request()))
        except EngineError as error:
            self._submit_failures += 1
            if not error.permanent and self._submit_failures < self._pace.submit_tries:
                raise
            # An attempt that may have been started counts as such: it is never submitted twice.
            if not error.permanent and (job := engine.find(self._directory.name, record.attempt)):
                return self._submitted(engine, job)
            return self._fail(engine, error.message, error.hint)
        except UserError as error:
            return self._fail(engine, error.message, error.hint)

    def _request(self) -> JobRequest:
        record, task = self._record, registry().get(str(self._run_record.spec()["task"]))
        arguments = [segments.MOUNT, "--run", self._directory.name, "--attempt", str(record.attempt)]
        arguments += ["--limit", f"{record.limit:.0f}", "--every", str(self._pace.ship)]
        return JobRequest(
            run=self._directory.name,
            attempt=record.attempt,
            prefix=record.prefix,
            flavor=record.flavor,
            limit=record.limit,
            requirements=package.requirements(task, segments.MOUNT),
            arguments=[*arguments, *(["--resume"] if record.resume else [])],
            environment={"PYTHONUNBUFFERED": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            secrets={"HF_TOKEN": self.token()},
        )

    def _submitted(self, engine: Engine, job: str) -> float:
        self._record.job, self._record.url, self._record.stage = job, engine.url(job), "scheduling"
        self._show(f"Waiting for a machine ({self._record.flavor})")
        return min(1.0, self._pace.poll)

    def _fail(self, engine: Engine, message: str, hint: str) -> float:
        reason = f"The training could not be started: {message}"
        self._run_record.close_attempt(self._record.attempt, "failed", reason, hint)
        return self._end(engine)

    # -- while it runs

    def _poll(self, engine: Engine, merger: Merger) -> float:
        record = self._record
        status = engine.inspect(record.job)
        if status.stage == "running":
            record.stage = "running"
        if status.seconds:
            record.seconds = status.seconds
        if not record.started and (status.started or status.seconds):
            # The start of an active job by the clock of this machine, which may differ from that of the service.
            record.started = time.time() - status.seconds if status.is_active else status.started
        self._forward_stop(engine, status)
        self._enforce_limits(engine, status)
        merger.pull()
        if not record.segments:
            self._copy_output(engine, merger, status)
        self._show(self._activity(status))
        if merger.end or merger.ended is not None:
            if merger.ended is not None and not merger.end:
                record.reason, record.hint = merger.ended.get("reason", ""), merger.ended.get("hint", "")
            return self._begin_saving()
        if status.is_active:
            self._ended_at = 0.0
            return self._pace.poll
        # The storage may show the last segments a little later than the job's end.
        self._ended_at = self._ended_at or time.monotonic()
        settle = self._pace.settle if merger.has_gap else self._pace.settle / 4
        if time.monotonic() - self._ended_at < settle:
            return min(self._pace.poll, self._pace.settle / 8)
        record.reason, record.hint = self._reason(status)
        if record.cancelled and not record.segments and self._is_stop_requested():
            self._run_record.close_attempt(record.attempt, "cancelled", "")
        return self._begin_saving()

    def _forward_stop(self, engine: Engine, status: JobStatus) -> None:
        record = self._record
        if not status.is_active:
            return
        if self._kill.is_set() and not record.cancelled:
            self._cancel(engine)
        elif not record.stop_sent and self._is_stop_requested():
            if status.stage == "scheduling":
                self._cancel(engine)
            else:
                engine.upload({f"{record.prefix}/{segments.CONTROL}": self._run_record.control_path})
            record.stop_sent = True
            record.write(self._directory)

    def _cancel(self, engine: Engine, reason: str = "", hint: str = "") -> None:
        engine.cancel(self._record.job)
        self._record.cancelled = True
        if reason:
            self._cancel_reason = (reason, hint)
        self._record.write(self._directory)

    def _enforce_limits(self, engine: Engine, status: JobStatus) -> None:
        """Cancel a job that exceeds its limits although the service or the agent should have ended it."""
        record = self._record
        if record.cancelled or not status.is_active:
            return
        if status.stage == "scheduling" and time.time() - record.submitted > self._pace.start:
            waited = format_duration(time.time() - record.submitted)
            reason = f"No machine ({record.flavor}) was free for {waited}; the job was cancelled. It has cost nothing."
            self._cancel(engine, reason, "Resume the run to try again, or start a new run with another flavor.")
        elif status.seconds > record.limit + self._pace.over:
            limit = f"{format_duration(record.limit)} (at most {format_cost(record.limit / 3600 * record.price)})"
            reason = f"The job exceeded its limit of {limit} and was cancelled."
            self._cancel(engine, reason, self._run_record.resume_hint())

    def _activity(self, status: JobStatus) -> str:
        """Return what is shown until the worker itself reports an activity."""
        record = self._record
        if status.stage == "scheduling":
            waited = format_duration(max(0.0, time.time() - record.submitted))
            return f"Waiting for a machine ({record.flavor}) for {waited}"
        if status.stage == "running" and not record.segments:
            return f"Installing the packages on {record.flavor}"
        return ""

    def _copy_output(self, engine: Engine, merger: Merger, status: JobStatus) -> None:
        """Append the job's own output to the log until the agent writes it: the installation, and its failures.

        Every request returns the whole output again.
        """
        if status.stage == "scheduling" or (status.is_active and time.monotonic() < self._next_output):
            return
        self._next_output = time.monotonic() + self._pace.output
        lines = engine.output(self._record.job)
        fresh = lines[self._record.output_lines :]
        if fresh:
            merger.append_log("".join(f"{line}\n" for line in fresh))
            self._record.output_lines = len(lines)
            self._record.write(self._directory)

    def _reason(self, status: JobStatus) -> tuple[str, str]:
        """Return reason and hint of a job that has ended without an end of its worker."""
        if self._cancel_reason is not None:
            return self._cancel_reason
        hint = self._run_record.resume_hint()
        said = f": {status.message.rstrip('.')}." if status.message else "."
        if status.stage == "error" and not self._record.segments:
            return f"The job failed before the training began{said}", f"See the log and {self._record.url}."
        if self._record.cancelled:
            return "The job was cancelled, because the training did not stop.", hint
        reasons = {
            "error": f"The machine was taken away, or the job failed{said}",
            "cancelled": "The job was cancelled on the page of the service.",
            "deleted": "The job was deleted, or belongs to another account.",
            "completed": "The job ended, and the training has reported no end.",
        }
        return reasons.get(status.stage, "The job ended."), hint

    # -- end

    def _begin_saving(self) -> float:
        self._record.stage = "saving"
        self._ended_at = time.monotonic()
        self._show("Downloading the results")
        return 0.0

    def _save(self, engine: Engine, merger: Merger) -> float:
        """Download the files, then write the end state; what is missing in the storage is awaited for a while."""
        self._ended_at = self._ended_at or time.monotonic()
        missing = merger.missing()
        if missing and time.monotonic() - self._ended_at < self._pace.settle:
            self._show(f"Waiting for {pluralize(len(missing), 'file')} of the machine")
            return min(self._pace.poll, self._pace.settle / 8)
        if lost := [path for path in missing if path.startswith("model/")]:
            # A run is completed only if its model is here.
            merger.end = []
            self._record.reason = f"{pluralize(len(lost), 'file')} of the model did not arrive: {lost[0]}."
            self._record.hint = self._run_record.resume_hint()
        merger.save()
        if self._record.hint == RESTART_HINT:  # a checkpoint may have arrived since
            self._record.hint = self._run_record.resume_hint()
        return self._end(engine, keep=bool(missing))

    def _end(self, engine: Engine, *, keep: bool = False) -> float:
        """Delete the attempt's files from the storage, and record that nothing is left to do."""
        prefix = self._record.prefix
        if not keep:
            try:
                engine.delete(sorted(engine.list(prefix)))
            except EngineError as error:  # everything is here; it only takes space there
                log.warning("the folder '%s' of %s could not be deleted: %s", prefix, self._title, error)
        self._record.stage, self._record.detail = "ended", ""
        self._record.write(self._directory)
        return 0.0

    def _abandon(self) -> None:
        """Cancel the job of a run that was deleted."""
        if self._engine is None:
            return
        with contextlib.suppress(EngineError):  # the job ends at its limit
            if self._record.job:
                self._engine.cancel(self._record.job)
            self._engine.delete(sorted(self._engine.list(self._record.prefix)))

    # -- inner

    def _is_stop_requested(self) -> bool:
        lines = self._run_record.controls()
        return any(c["kind"] in {"stop", "kill"} and c["attempt"] == self._record.attempt for c in lines)

    def _show(self, detail: str) -> None:
        self._record.detail = detail
        self._record.write(self._directory)

    def _wait_after(self, error: EngineError) -> float:
        """Show a failed request; return the seconds until the next one."""
        hint = f" {error.hint}" if error.hint else ""
        self._show(f"{self._title}: {error.message}{hint} Trying again; a job that runs is not affected.")
        if error.login:
            self._engine = None  # the token may be replaced
        return min(error.wait, 600.0) or self._backoff()

    def _backoff(self) -> float:
        return min(self._pace.longest_retry, self._pace.retry * 2.0 ** min(self._failures - 1, 20))
