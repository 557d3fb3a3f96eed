"""The index of all runs: one entry for each, so that a list of thousands need not read every run's files.

The index is derived: it can be deleted at any time, and an entry is used only while the files of its run have the sizes
and times that they had when it was made. How changes are found:

* Runs that are queued or active, and runs that cannot be read, are read at every refresh.
* Every change of this package (a new run, a start, a stop, a resume) sets the time of the folder of runs, whichever
  process makes it. If that time has changed, all runs are compared.
* Some of the others are compared at every refresh, so that all of them are within `CYCLE_SECONDS`: another program
  may have changed their files.
* `verify` compares the runs that are about to be shown.

The first refresh reads the runs that are not in the file: thousands, if it is missing. If the time of the folder of
runs is not the one in the file, it compares all others, too. That takes seconds, so the page does not wait for it: a
thread reads the runs, newest first, and `entries` has those read so far. Whoever must know all runs, such as the queue,
waits.
"""

from __future__ import annotations

import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.json_files import write_text
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.states import ACTIVE, ENDED, UNREADABLE
from autotrain_gradio.runs.store import Store, created_of

Entry = dict[str, Any]
"""`state` (None: a draft), perhaps `owner` and `created`, and what the reader adds to it."""
Read = Mapping[str, Entry | Exception]
Signatures = Mapping[str, int | Exception]
VERSION = 3
CYCLE_SECONDS = 300.0
MIN_SLICE = 20
"""Number of runs that are compared at every refresh, at least."""
SLICE_SECONDS = 0.4
"""Time between two such comparisons, at least."""
SAVE_SECONDS = 30.0
CHUNK = 100
"""Number of runs that are read at a time while the index is made."""
PAUSE_SECONDS = 0.001
"""Pause after them, in which other threads get their turn."""
WAIT_SECONDS = 0.5
"""How long the page waits for an index that is made; then it shows the runs read so far."""
FILES = ("/control.jsonl", "/events.jsonl", "/spec.json", "/report.json", "/model")
"""What an entry depends on. The time of the folder itself also changes when a snapshot is stored."""


class RunIndex:
    """Entries of all runs of a folder; thread-safe.

    read: makes the entry of a run; its exceptions make the run unreadable, with their reason.
    path: file that keeps the entries between processes; None: none. Its first line has its version, the time of the
        folder of runs, and a checksum of the others. They have the id of a run each, and of an ended one also the
        signature of its files, its time of creation, and its entry as JSON, which is parsed when it is needed.

    Attributes:
        version: increases when any entry changes.
    """

    def __init__(self, store: Store, read: Callable[[Run], Entry], path: Path | None = None) -> None:
        self._store, self._read, self._calls, self._path = store, read, store.calls, path
        self._entries: dict[str, Entry | str] = {}
        """As JSON, until they are needed."""
        self._created: dict[str, float] = {}
        self._open: set[str] = set()
        """Drafts, and runs that have not ended or cannot be read: few, and looked at by every refresh."""
        self.version = self._compared = 0
        self._signatures: dict[str, int] = {}
        self._order: list[str] = []
        self._place = 0
        self._folder_time: int | None = None
        self._sliced = 0.0
        self._saved, self._changed = 0.0, False
        self._lock, self._making = threading.RLock(), threading.Lock()
        self._maker: threading.Thread | None = None
        self._failure: Exception | None = None
        self._cancelled = threading.Event()

    @property
    def unread(self) -> int:
        """Number of runs that have not been read yet while the index is made; at least 1 until it is complete."""
        return 0 if self._folder_time is not None else max(1, len(self._order) - self._compared)

    def refresh(self, *, complete: bool = False, wait: float | None = None) -> None:
        """Find and read the runs that have changed.

        complete: compare all of them, not some at each call.
        wait: seconds to wait while the index is made; a thread continues. None: until it is complete, or cancelled.
        """
        if self.unread:
            self._make(wait, complete)
            return
        with self._lock:
            now, folder_time = time.monotonic(), self._store.modified()
            if complete or folder_time != self._folder_time:
                self._list()
                self._compare(self._order)
                self._changed |= folder_time != self._folder_time
                self._folder_time, self._sliced = folder_time, now
            elif now - self._sliced >= SLICE_SECONDS:
                self._compare(self._slice(now))
            live = ACTIVE | {UNREADABLE}
            self._put_all(self._read_each([r for r in self._open if self.state(r) in live]), {})
            self._save_if_due()

    def cancel(self) -> None:
        """End the making of the index; it stays incomplete."""
        self._cancelled.set()

    def verify(self, runs: Sequence[str]) -> list[tuple[str, Entry]]:
        """Return (run, entry) of runs that are about to be shown, read again if they have changed."""
        with self._lock:
            self._compare([r for r in runs if r in self._entries])
            return self.get(runs)

    def get(self, runs: Sequence[str]) -> list[tuple[str, Entry]]:
        """Return (run, entry) of those of the runs that exist, as of the latest refresh."""
        with self._lock:
            return [(r, self._entry(r)) for r in runs if r in self._entries]

    def started(self, owner: str | None = None) -> list[str]:
        """Return the runs of an owner, or all, without drafts, newest first, as of the latest refresh."""
        with self._lock:
            drafts = {r for r in self._open if self.state(r) is None}
            runs = [r for r in self._order if r in self._entries and r not in drafts]
            if owner is not None:
                runs = [r for r in runs if self._entry(r).get("owner") == owner]
            return sorted(runs, key=self._created.__getitem__, reverse=True)

    def entries(self) -> list[tuple[str, Entry]]:
        """Return (run, entry) of all runs and drafts, newest first, as of the latest refresh."""
        with self._lock:
            return self.get(self._order)

    def pending(self) -> list[str]:
        """Return the runs that are queued or active, or whose state is unknown, newest first."""
        with self._lock:
            return sorted((r for r in self._open if self.state(r) is not None), reverse=True)

    def drafts(self) -> list[str]:
        """Return the drafts."""
        with self._lock:
            return [r for r in self._open if self.state(r) is None]

    def state(self, run: str) -> str | None:
        """Return the state of a run as of the latest refresh; None: a draft, or deleted."""
        try:
            return self._entry(run)["state"]
        except KeyError:
            return None

    def __contains__(self, run: str) -> bool:
        return run in self._entries

    def save(self) -> None:
        """Write the entries of ended runs, if any has changed since the last time."""
        with self._lock:
            self._saved, changed, self._changed = time.monotonic(), self._changed, False
            if self._path is None or not changed:
                return
            body = "\n".join(map(self._line, self._order))
            head = json.dumps({"v": VERSION, "folder": self._folder_time, "crc": zlib.crc32(body.encode())})
            try:
                write_text(self._path, f"{head}\n{body}")
            except OSError:
                return  # only a cache: not written on a full disk, or in a home that is read-only

    # -- inner

    def _make(self, wait: float | None, complete: bool = False) -> None:
        """Read all runs once, in this thread, or, if it waits for a time only, in another one."""
        if wait is None:
            with self._making:
                if self.unread:
                    self._read_all(complete)
            return
        with self._lock:
            if self._maker is None or not self._maker.is_alive():
                self._maker = threading.Thread(target=self._make_in_thread, name="index of runs", daemon=True)
                self._maker.start()
            maker = self._maker
        maker.join(wait)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _make_in_thread(self) -> None:
        try:
            self._make(None)
        except Exception as error:  # the next caller raises it
            self._failure = error

    def _read_all(self, complete: bool) -> None:
        """Compare all runs, newest first; unless `complete`, those only that may have changed since the file."""
        with self._lock:
            folder_time = self._store.modified()
            self._changed = self._load() != folder_time
            compared = complete or self._changed
            if compared:
                self._list()
            runs = [r for r in self._order if compared or r not in self._entries]
            known = len(self._order) - len(runs)
        for begin in range(0, len(runs), CHUNK):
            if self._cancelled.is_set():
                return
            found = self._read_changed(runs[begin : begin + CHUNK])
            with self._lock:
                self._put_all(*found)
                self._compared = known + begin + CHUNK
                self._save_if_due()
            time.sleep(PAUSE_SECONDS)
        with self._lock:
            self._folder_time, self._sliced = folder_time, time.monotonic()

    def _save_if_due(self) -> None:
        if self._changed and time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()

    def _load(self) -> int | None:
        """Load the entries of the file; return the time of the folder of runs at which they were complete, if known."""
        self._saved = time.monotonic()
        if self._path is None or self._order:  # or it is loaded, and making the index was cancelled then
            return None
        try:
            head, _, body = self._path.read_bytes().partition(b"\n")
            found = json.loads(head)
        except (OSError, ValueError):
            return None  # it is missing or damaged
        if not isinstance(found, dict) or (found.get("v"), found.get("crc")) != (VERSION, zlib.crc32(body)):
            return None
        lines = [line.split("\t") for line in body.decode().split("\n")] if body else []
        self._order = [run for run, *_ in lines]
        for run, *kept in lines:
            if kept:
                self._signatures[run], self._created[run], self._entries[run] = int(kept[0]), float(kept[1]), kept[2]
        self.version += 1
        return found["folder"] if isinstance(found["folder"], int) else None

    def _line(self, run: str) -> str:
        """Return the line of a run in the file; of a run that has not ended, or was not read, it is the id alone."""
        signature, entry = self._signatures.get(run), self._entries.get(run)
        if signature is None or entry is None or run in self._open:
            return run
        text = entry if isinstance(entry, str) else json.dumps(entry, ensure_ascii=False)
        return f"{run}\t{signature}\t{self._created[run]!r}\t{text}"

    def _entry(self, run: str) -> Entry:
        """Return the entry of a run, which is parsed if it is still as it was in the file."""
        entry = self._entries[run]
        if isinstance(entry, str):
            entry = self._entries[run] = json.loads(entry)
        return entry

    def _list(self) -> None:
        self._order = self._store.names()
        known = set(self._order)
        for run in [r for r in self._entries if r not in known]:
            self._drop(run)

    def _slice(self, now: float) -> list[str]:
        """Return the next runs to compare, so that all are compared within a cycle; and all drafts and queued runs."""
        count = len(self._order)
        size = max(MIN_SLICE, int(count * min(1.0, (now - self._sliced) / CYCLE_SECONDS)) + 1)
        self._sliced = now
        begin = self._place if self._place < count else 0
        self._place = begin + size
        waiting = [r for r in self._open if self.state(r) in {None, "queued"}]
        return [*self._order[begin : begin + size], *waiting]

    def _put(self, run: str, entry: Entry) -> None:
        if run not in self._entries or self._entry(run) != entry:
            self.version += 1
            self._changed = True
        self._entries[run], self._created[run] = entry, float(entry.get("created") or created_of(run))
        if entry["state"] in ENDED:
            self._open.discard(run)
        else:
            self._open.add(run)

    def _drop(self, run: str) -> None:
        del self._entries[run], self._created[run]
        self._open.discard(run)
        self._signatures.pop(run, None)
        self.version += 1
        self._changed = True

    def _compare(self, runs: Sequence[str]) -> None:
        """Read those of the runs whose files have changed since their entries were made."""
        self._put_all(*self._read_changed(runs))

    def _read_changed(self, runs: Sequence[str]) -> tuple[Read, Signatures]:
        """Return the new entries of runs that have changed, and the signatures of before they were read.

        A change during the reading is found by the next comparison.
        """
        folder = str(self._store.folder)
        signatures = self._calls.map(runs, lambda run: _signature(f"{folder}/{run}"))
        return self._read_each([r for r, s in signatures.items() if s != self._signatures.get(r)]), signatures

    def _read_each(self, runs: Iterable[str]) -> Read:
        return self._calls.map(runs, lambda run: self._read(self._store.run(run)))

    def _put_all(self, read: Read, signatures: Signatures) -> None:
        for run, entry in read.items():
            signature = signatures.get(run)
            if isinstance(entry, FileNotFoundError) and not (self._store.folder / run).exists():
                if run in self._entries:
                    self._drop(run)  # it was deleted meanwhile
                continue
            if isinstance(entry, Exception):
                self._put(run, unreadable(entry))
                self._signatures.pop(run, None)
            else:
                self._put(run, entry)
                if isinstance(signature, int):
                    self._signatures[run] = signature
                    self._changed = True


def unreadable(error: Exception) -> Entry:
    """Return the entry of a run that cannot be read, with the reason."""
    if isinstance(error, UserError):
        problem = error.findings[0].to_dict()
    else:
        text = f"{type(error).__name__}: {truncate(str(error), 200)}".rstrip(": ")
        hint = "Restore the run's files from a copy, or delete the run."
        message = f"The record of this run cannot be read ({text})."
        problem = {"level": "error", "code": "damaged-record", "message": message, "hint": hint, "where": ""}
    return {"state": UNREADABLE, "problem": problem}


def _signature(directory: str) -> int:
    """Return a number that differs if the files of a run have changed.

    Raises:
        OSError: the folder cannot be read.
    """
    parts: list[int] = []
    for name in FILES:
        try:
            found = os.stat(directory + name)
        except FileNotFoundError:
            parts += (0, 0)
        else:
            parts += (found.st_size, found.st_mtime_ns)
    return hash(tuple(parts))
