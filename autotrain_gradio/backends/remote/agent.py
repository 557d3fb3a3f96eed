"""`python -m autotrain_gradio.backends.remote.agent`: the program of a rented machine, which trains one attempt.

It restores the run's directory from the folder of the attempt, also what an earlier machine of the same attempt has
stored, trains with the local backend, and writes segments and files to the folder (`segments.py`). Its exit status is 0
if the attempt has ended, whatever its result; otherwise the service may start it again on another machine.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.backends import devices
from autotrain_gradio.backends.base import Attempt
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.backends.remote import mirror, segments
from autotrain_gradio.backends.remote.merge import end_state
from autotrain_gradio.backends.remote.segments import Segment
from autotrain_gradio.core.json_files import write_text
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec, Secrets
from autotrain_gradio.core.text_format import MIB, format_duration
from autotrain_gradio.runs.files import Record, Tail, append_line, read_lines, read_object, write_json
from autotrain_gradio.tasks.registry import registry

AGAIN = 75
"""Exit status if the machine is taken away (EX_TEMPFAIL of sysexits.h)."""
POLL_SECONDS = 1.0
FAILURES = 10
"""Number of failed writes in sequence after which the machine gives up."""
LOG_BYTES = MIB
"""Largest part of the log in one segment."""
FILES_EVERY = 100
"""Interval of segments that repeat the list of files."""


class Agent:
    """Trains one attempt on this machine.

    mount: folder of the attempt. limit: seconds for all machines of the attempt together, at which the service ends the
    job. every: seconds between segments at the beginning of the training; later up to 15.
    """

    def __init__(self, mount: Path, run: str, attempt: int, *, resume: bool, limit: float, every: float) -> None:
        self._mount, self._attempt, self._resume, self._limit, self._every = mount, attempt, resume, limit, every
        self._began = time.time()
        self._machine = secrets.token_hex(4)
        home = Path(tempfile.mkdtemp(prefix="autotrain-gradio-"))
        self._settings = Settings(home=home, slots=1)
        self._directory = self._settings.runs / run
        self._backend = LocalBackend(self._settings)
        self._number = 0
        self._used = 0.0
        self._taken_away = threading.Event()
        self._stored = mirror.Mirror(self._directory, mount / segments.FILES)
        self._log, self._log_offset, self._failures = "", 0, 0
        self._shipped = 0.0
        self._pending: list[Record] = []

    def run(self) -> int:
        """Train until the attempt has ended; return the exit status."""
        try:
            return self._run()
        finally:
            shutil.rmtree(self._settings.home, ignore_errors=True)

    def _run(self) -> int:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, lambda *_: self._taken_away.set())
        if self._restore():
            return 0
        resources = self._prepare_spec()
        if resources is None:
            reason = f"The time limit of {format_duration(self._limit)} was reached."
            hint = "Resume the run to continue from its latest checkpoint; raise timeout or max_cost to train longer."
            self._write_segment({"reason": reason, "hint": hint})
            return 0
        events = Tail(self._directory / "events.jsonl")
        events.read()
        started = time.time()
        self._start(resources)
        signalled = False
        while True:
            if self._taken_away.is_set() and not signalled:
                signalled = True
                self._backend.signal(self._directory, hard=False)
            self._copy_control()
            status = self._backend.status(self._directory, self._attempt, started)
            self._pending += [e for e in events.read()[0] if e["attempt"] == self._attempt]
            if not status["alive"]:
                self._pending += [e for e in events.read()[0] if e["attempt"] == self._attempt]
                return self._finish(status)
            self._ship()
            time.sleep(min(POLL_SECONDS, self._every))

    # -- before the training

    def _restore(self) -> bool:
        """Restore the run's directory; return whether the attempt has ended already."""
        shutil.copytree(self._mount / segments.RUN, self._directory)
        known = self._earlier_segments()
        events = [e for s in known for e in s.events if e.get("attempt") == self._attempt]
        for event in events:
            append_line(self._directory / "events.jsonl", event)
        listed = next((s.files for s in reversed(known) if s.files is not None), None) or {}
        self._stored.restore(listed)
        self._resume = self._resume or any(path.startswith("checkpoints/") for path in listed)
        times: dict[str, tuple[float, float]] = {}
        for segment in known:
            first, last = times.get(segment.machine, (segment.began, segment.sent))
            times[segment.machine] = (min(first, segment.began), max(last, segment.sent))
        self._used = sum(last - first for first, last in times.values())
        self._number = len(known)
        return end_state(events) is not None or any(s.ended is not None for s in known)

    def _earlier_segments(self) -> list[Segment]:
        """Return the segments of earlier machines of this attempt."""
        found: list[Segment] = []
        while (path := self._mount / segments.path_of(len(found) + 1)).is_file():
            found.append(segments.parse(path.read_bytes()))
        return found

    def _prepare_spec(self) -> ResourceSpec | None:
        """Let the spec train on this machine within the limit; return its resources, None if no time is left."""
        left = self._limit - self._used - max(60.0, min(600.0, 0.05 * self._limit))
        if left < 60:
            return None
        path = self._directory / "spec.json"
        spec = read_object(path) or {}
        given = ResourceSpec.model_validate(spec.get("resources") or {})
        seconds = min(left, given.timeout_seconds or left)
        changes: dict[str, Any] = {"flavor": "", "max_cost": None, "timeout": f"{seconds:.0f}"}
        if given.gpus is None and given.processes is None and len(devices.devices()) > 1:
            changes["gpus"] = len(devices.devices()) if self._is_distributed(spec) else 1
        resources = given.model_copy(update=changes)
        write_json(path, {**spec, "backend": "local", "resources": resources.model_dump(mode="json")})
        return resources

    def _is_distributed(self, spec: Mapping[str, Any]) -> bool:
        """Whether the training can use several GPUs."""
        automatic = (spec.get("params") or {}).get("auto_find_batch_size")
        return "distributed" in registry().get(str(spec["task"])).can and not automatic

    def _start(self, resources: ResourceSpec) -> None:
        env = self._backend.environment(Secrets(os.environ.get("HF_TOKEN")), visitor=False)
        allocation = self._backend.allocate(resources, [])
        if allocation is None:
            raise RuntimeError("this machine has no free slot")  # it has one, and nothing else runs
        self._backend.submit(Attempt(self._directory, self._attempt, env, self._resume, resources, allocation))

    # -- while it trains

    def _copy_control(self) -> None:
        """Copy the requests of the app, which replace the whole file."""
        source, target = self._mount / segments.CONTROL, self._directory / "control.jsonl"
        try:
            if source.stat().st_size > target.stat().st_size:
                write_text(target, source.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return

    def _is_stop_requested(self) -> bool:
        lines = read_lines(self._directory / "control.jsonl")[0]
        return any(c["kind"] in {"stop", "kill"} and c["attempt"] == self._attempt for c in lines)

    def _ship(self) -> None:
        """Write a segment if it is time, or if a checkpoint was saved."""
        now = time.monotonic()
        urgent = any(e["kind"] == "checkpoint" for e in self._pending)
        every = min(15.0, self._every + (time.time() - self._began) / 120)
        if not urgent and now - self._shipped < every:
            return
        if self._taken_away.is_set():
            self._pending = [e for e in self._pending if not self._is_of_signal(e)]
        try:
            changed = self._stored.copy_while_training(self._pending)
            self._read_log()
            if self._pending or self._log:
                self._write_segment(files=changed)
            self._shipped, self._failures = now, 0
        except OSError as error:  # of the storage: what is pending is written at the next time
            self._failures += 1
            sys.stderr.write(f"The storage of the run cannot be written: {error}\n")
            if self._failures >= FAILURES:
                raise

    def _is_of_signal(self, event: Record) -> bool:
        """Whether an event reports the stop by the signal of the service: the attempt has not ended for the user."""
        stopped = event["kind"] == "state" and event.get("state") == "cancelled" and not event.get("detail")
        return stopped and not self._is_stop_requested()

    def _read_log(self) -> None:
        """Add new output of the worker to the pending log, unless that is long enough for a segment."""
        with (self._directory / "log.txt").open("rb") as file:
            file.seek(self._log_offset)
            data = file.read(max(0, LOG_BYTES - len(self._log)))
        self._log_offset += len(data)
        self._log += data.decode("utf-8", "replace")

    def _write_segment(self, ended: dict[str, str] | None = None, *, files: bool = False) -> None:
        """Write what is pending; it stays pending if that fails."""
        number = self._number + 1
        listed = dict(self._stored.files) if files or number % FILES_EVERY == 1 else None
        sent = time.time()
        segment = Segment(number, self._machine, self._began, sent, self._pending, self._log, listed, ended)
        path = self._mount / segments.path_of(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(segment.to_bytes())
        self._number, self._pending, self._log = number, [], ""
        self._stored.remove_old()

    def _finish(self, status: Mapping[str, Any]) -> int:
        """Write the last segments; return the exit status."""
        if self._taken_away.is_set():
            self._pending = [e for e in self._pending if not self._is_of_signal(e)]
        over = end_state(self._pending) is not None
        again = self._taken_away.is_set() and not over
        if again:
            self._stored.copy_while_training(self._pending)
        else:
            self._stored.copy_all()
        ended = {"reason": str(status["reason"]), "hint": str(status["hint"])} if not (over or again) else None
        self._read_log()
        while len(self._log) >= LOG_BYTES:
            events, self._pending = self._pending, []
            self._write_segment()
            self._pending = events
            self._read_log()
        self._write_segment(ended, files=True)
        return AGAIN if again else 0


def main(argv: list[str] | None = None) -> int:
    """Run the agent of the command line."""
    parser = argparse.ArgumentParser(prog="autotrain_gradio.backends.remote.agent")
    parser.add_argument("mount", type=Path)
    parser.add_argument("--run", required=True)
    parser.add_argument("--attempt", type=int, required=True)
    parser.add_argument("--limit", type=float, required=True)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(argv)
    agent = Agent(args.mount, args.run, args.attempt, resume=args.resume, limit=args.limit, every=args.every)
    return agent.run()


if __name__ == "__main__":
    raise SystemExit(main())
