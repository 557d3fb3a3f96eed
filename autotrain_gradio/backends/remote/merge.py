"""Merge the segments of a machine into the run's directory: events, log, and files.

Everything can be repeated: an event is identified by `(attempt, seq)`, the log is truncated to the size after the last
merged segment, and a file is downloaded again only if its digest has changed. The end state of the worker is written
after the files, so that a completed run has its model.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from autotrain_gradio.backends.remote import segments
from autotrain_gradio.backends.remote.engine import Engine, StoredFile
from autotrain_gradio.backends.remote.record import RemoteRecord
from autotrain_gradio.backends.remote.segments import Segment
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.runs.files import Record, read_lines, read_object, truncate_torn_line, write_json, write_whole
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.record_lines import is_record
from autotrain_gradio.runs.states import REPORTED_END

STAGING = "remote"
"""Folder of the run for downloads that are not complete."""
DIGESTS = "digests.json"
LIVE = ("samples",)
"""Folders whose files are downloaded while the training runs, because events refer to them."""
WHOLE = ("model",)
"""Folders that are complete or absent."""
SKEW_SECONDS = 900.0
"""Smallest difference of clocks that is corrected: the agent starts this long after its machine at most."""
BATCH_BYTES = 256 * 2**20
"""Largest sum of the sizes of files of one download, so that progress is stored in between; a file may be larger."""


def end_state(events: Iterable[Record]) -> Record | None:
    """Return the event with the end state of the worker; None if there is none."""
    return next((e for e in events if e["kind"] == "state" and e.get("state") in REPORTED_END), None)


class Merger:
    """Merges the segments of one attempt.

    Attributes:
        files: relative path → size of the files that the machine has stored, as of the last merged segment.
        ended: `{"reason", "hint"}` of the worker's end, if the agent has reported it.
        end: the events from the worker's end state on, which are written after the files.
        has_gap: a later segment is in the storage already than the one that is merged next.
    """

    def __init__(self, run: Run, record: RemoteRecord, engine: Engine) -> None:
        self._run, self._record, self._engine = run, record, engine
        self._staging = run.directory / STAGING
        self._staging.mkdir(exist_ok=True)
        self._digests = self._read_digests()
        self.files: dict[str, int] = {}
        self.ended: dict[str, str] | None = None
        self.end: list[Record] = []
        self.has_gap = False
        truncate_torn_line(run.events_path)
        known = read_lines(run.events_path)[0]
        self._seen = {e.get("seq") for e in known if e["attempt"] == record.attempt}

    def pull(self) -> int:
        """Merge the segments that are there; return their number.

        Raises:
            EngineError: a request failed.
            ValueError: a segment is damaged.
        """
        count, pulled = 0, True
        while pulled:
            pulled = False
            first = self._record.segments + 1
            listed = self._engine.list(f"{self._record.prefix}/{segments.folder_of(first)}")
            batch: list[int] = []
            while f"{self._record.prefix}/{segments.path_of(first + len(batch))}" in listed:
                batch.append(first + len(batch))
            last = f"{self._record.prefix}/{segments.path_of(first + max(0, len(batch) - 1))}"
            self.has_gap = any(path > last for path in listed)
            if batch:
                for number, data in self._contents(batch, listed).items():
                    self._merge(segments.parse(data), number)
                count, pulled = count + len(batch), batch[-1] % segments.PER_FOLDER == 0
        return count

    def restore(self) -> None:
        """Read the last merged segments again, for the list of files and the end: another process has merged them."""
        numbers = range(max(1, self._record.segments - segments.PER_FOLDER + 1), self._record.segments + 1)
        listed: dict[str, StoredFile] = {}
        for folder in sorted({segments.folder_of(n) for n in numbers}):
            listed |= self._engine.list(f"{self._record.prefix}/{folder}")
        known = [n for n in numbers if f"{self._record.prefix}/{segments.path_of(n)}" in listed]
        for data in self._contents(known, listed).values():
            self._note(segments.parse(data))

    def _contents(self, numbers: list[int], listed: Mapping[str, StoredFile]) -> dict[int, bytes]:
        """Download segments; return their contents by their number."""
        targets = {n: self._staging / f"{n:08d}.json" for n in numbers}
        paths = {n: f"{self._record.prefix}/{segments.path_of(n)}" for n in numbers}
        try:
            self._engine.download({paths[n]: (listed[paths[n]], targets[n]) for n in numbers})
            return {n: target.read_bytes() for n, target in targets.items()}
        finally:
            for target in targets.values():
                target.unlink(missing_ok=True)

    def _note(self, segment: Segment) -> list[Record]:
        """Keep what a segment says about files and the end; return its valid events of the attempt, shifted in time."""
        if segment.files is not None:
            self.files = dict(segment.files)
        if segment.ended is not None:
            self.ended = dict(segment.ended)
        if self._record.skew is None and self._record.started:
            late = segment.began - self._record.started
            self._record.skew = 0.0 if -60 <= late <= SKEW_SECONDS else -late
        events = [e for e in segment.events if is_record(e) and e["attempt"] == self._record.attempt]
        shifted = [{**e, "time": max(0.0, e["time"] + (self._record.skew or 0.0))} for e in events]
        fresh = [e for e in shifted if e.get("seq") not in self._seen]
        if self.end:
            self.end += fresh
            return []
        last = end_state(fresh)
        if last is None:
            return fresh
        place = fresh.index(last)
        self.end = fresh[place:]
        return fresh[:place]

    def _merge(self, segment: Segment, number: int) -> None:
        events = self._note(segment)
        if segment.files is not None:
            self._download({p: s for p, s in self.files.items() if p.split("/")[0] in LIVE})
        self._append_events(events)
        self.append_log(segment.log)
        self._record.segments = number
        self._record.write(self._run.directory)

    def _append_events(self, events: list[Record]) -> None:
        fresh = [e for e in events if e.get("seq") not in self._seen]
        if not fresh:
            return
        lines = "".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) + "\n" for e in fresh)
        handle = os.open(self._run.events_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            write_whole(handle, lines.encode())
        finally:
            os.close(handle)
        self._seen |= {e.get("seq") for e in fresh}

    def append_log(self, text: str) -> None:
        """Append to the log what was not there at the last write of the record."""
        data, path = text.encode(), self._run.directory / "log.txt"
        with path.open("ab") as file:
            if file.tell() > self._record.log_bytes:  # written before the record was, by a process that was killed
                file.truncate(self._record.log_bytes)
            file.write(data)
            self._record.log_bytes = file.tell() if not data else self._record.log_bytes + len(data)

    def missing(self) -> list[str]:
        """Return the files that the machine has stored according to its last segment, and that are not in the storage.

        Raises:
            EngineError: a request failed.
        """
        stored = self._stored()
        return sorted(p for p, size in self.files.items() if p not in stored or stored[p].size != size)

    def save(self) -> None:
        """Download the model, the report and the checkpoints, then write the end state of the worker.

        Files that are not in the storage are skipped; see `missing`.
        """
        self._download(self.files)
        self._append_events(self.end)
        self.end = []
        self._record.write(self._run.directory)
        shutil.rmtree(self._staging, ignore_errors=True)

    def _stored(self) -> dict[str, StoredFile]:
        folder = f"{self._record.prefix}/{segments.FILES}/"
        return {p.removeprefix(folder): found for p, found in self._engine.list(folder.rstrip("/")).items()}

    def _download(self, wanted: Mapping[str, int]) -> None:
        """Download files that are new or changed, in batches; folders that must be complete are moved at the end."""
        if not wanted:
            return
        stored = self._stored()
        pending = {
            p: stored[p]
            for p, size in wanted.items()
            if p in stored and stored[p].size == size and self._is_stale(p, stored[p])
        }
        for batch in _batches(pending):
            targets = {p: self._target(p) for p in batch}
            for target in targets.values():
                target.parent.mkdir(parents=True, exist_ok=True)
            folder = f"{self._record.prefix}/{segments.FILES}"
            self._engine.download({f"{folder}/{p}": (pending[p], targets[p]) for p in batch})
            for path, target in targets.items():
                if path.split("/")[0] not in WHOLE:
                    final = self._run.directory / path
                    final.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(target, final)
                self._digests[path] = pending[path].digest
            write_json(self._staging / DIGESTS, self._digests)
        for name in WHOLE:
            staged = self._staging / name
            files = [p for p in wanted if p.split("/")[0] == name]
            if files and all((self._staging / p).is_file() for p in files):
                shutil.rmtree(self._run.directory / name, ignore_errors=True)
                os.replace(staged, self._run.directory / name)

    def _target(self, path: str) -> Path:
        parts = Path(path).parts
        if Path(path).is_absolute() or ".." in parts or not parts:
            raise ValueError(f"the file '{path}' of the machine lies outside of the run")
        return self._staging / path if parts[0] in WHOLE else self._staging / "partial" / path

    def _is_stale(self, path: str, found: StoredFile) -> bool:
        """Whether a file must be downloaded."""
        if self._digests.get(path) != found.digest:
            return True
        places = [self._run.directory / path, self._staging / path]
        with contextlib.suppress(OSError):
            return not any(p.is_file() and p.stat().st_size == found.size for p in places)
        return True

    def _read_digests(self) -> dict[str, str]:
        with contextlib.suppress(DataError):  # a damaged file: everything is downloaded again
            return {str(k): str(v) for k, v in (read_object(self._staging / DIGESTS) or {}).items()}
        return {}


def _batches(files: Mapping[str, StoredFile]) -> Iterable[list[str]]:
    batch: list[str] = []
    size = 0
    for path, found in files.items():
        if batch and size + found.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += found.size
    if batch:
        yield batch
