"""All runs of an installation: the directories below `$HOME/runs`."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import NotFound, StateError, UserError
from autotrain_gradio.core.home import usable
from autotrain_gradio.core.spec import slug
from autotrain_gradio.runs.bounded_calls import BoundedCalls
from autotrain_gradio.runs.record import Run, touch, write_json

ID = re.compile(r"[0-9]{8}-[0-9]{6}-[a-z0-9-]{1,40}-[a-z2-7]{10}")
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
DELETED = ".deleted-"


class Store:
    """Creates, finds, lists and deletes run directories.

    Attributes:
        calls: reads the files of runs within a time limit; shared, so that a run that stalls is waited for once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = BoundedCalls()

    def create(self, task: str, owner: str, spec: dict[str, Any]) -> Run:
        """Create the directory of a new draft."""
        with usable(self.folder.parent):
            self.folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = re.sub(r"[^a-z0-9]+", "-", slug(spec.get("project_name", task)).lower()).strip("-")[:40] or "run"
        ticket = "".join(secrets.choice(LETTERS) for _ in range(10))
        directory = self.folder / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{name}-{ticket}"
        with usable(self.folder.parent):
            directory.mkdir()
            write_json(directory / "draft.json", {"task": task, "owner": owner, "created": now, "spec": spec})
        touch(self.folder)
        return Run(directory)

    def run(self, name: str) -> Run:
        """Return the run of a valid id, which need not exist; `get` checks an id that a user gave."""
        return Run(self.folder / name)

    def get(self, run: str) -> Run:
        """Return the run of that id.

        Raises:
            NotFound: the run does not exist, or the id is malformed (it is untrusted: no path traversal).
            DataError: its folder does not respond.
        """
        valid = isinstance(run, str) and ID.fullmatch(run)
        if not valid or not self.calls.call(run, (self.folder / run).is_dir):
            shown = "".join(c if c.isprintable() else "?" for c in str(run)[:80])
            raise NotFound(
                f"The run '{shown}' does not exist.", "It may have been deleted: see the list of runs.", code="no-run"
            )
        return self.run(run)

    def names(self) -> list[str]:
        """Return the ids of all runs and drafts, newest first."""
        try:
            with os.scandir(self.folder) as entries:
                # A link is not followed: what it leads to may be on a network drive that does not respond.
                found = [e.name for e in entries if e.is_dir(follow_symlinks=False) or e.is_symlink()]
        except FileNotFoundError:
            return []
        return sorted((name for name in found if ID.fullmatch(name)), reverse=True)

    def modified(self) -> int:
        """Return when a run was added, removed, started, stopped or resumed (nanoseconds); 0 if there is no folder."""
        try:
            return os.stat(self.folder).st_mtime_ns
        except FileNotFoundError:
            return 0

    def delete(self, run: Run) -> None:
        """Remove the run's directory; it disappears from the list at once, even if the removal takes long.

        Raises:
            StateError: it is being trained.
            NotFound: it was deleted already.
        """
        if run.may_be_training():
            raise StateError("The run is being trained.", "Stop it first, then delete it.", code="still-running")
        away = self.folder / f"{DELETED}{run.id}-{secrets.token_hex(4)}"
        try:
            run.directory.rename(away)
        except FileNotFoundError:
            raise NotFound(f"The run '{run.id}' was deleted already.", code="no-run") from None
        touch(self.folder)
        shutil.rmtree(away, ignore_errors=True)  # the next sweep removes what remains

    def sweep(self, days: float, drafts: Iterable[str]) -> int:
        """Remove those of the drafts that are unchanged for so many days, and leftovers of deletions.

        Returns the number of drafts that were removed.
        """
        oldest = time.time() - days * 86400
        removed = self.calls.map(drafts, lambda name: self._delete_old(self.run(name), oldest))
        for error in removed.values():
            # Another process may be removing it; a draft that is damaged or does not respond is shown by the list.
            if isinstance(error, Exception) and not isinstance(error, (OSError, UserError)):
                raise error
        for left in self.folder.glob(f"{DELETED}*"):
            shutil.rmtree(left, ignore_errors=True)
        return sum(done is True for done in removed.values())

    def _delete_old(self, run: Run, oldest: float) -> bool:
        """Delete a draft that was not changed since; return whether it was deleted."""
        if run.is_started() or _touched(run) >= oldest:
            return False
        self.delete(run)
        return True


def created_of(run: str) -> float:
    """Return when a run was created, to the second, from its id; 0 if that has no valid time."""
    try:
        return time.mktime(time.strptime(run[:15], "%Y%m%d-%H%M%S"))
    except (ValueError, OverflowError):
        return 0.0


def _touched(run: Run) -> float:
    """Return when the draft was saved, or, without a draft.json, when its folder changed."""
    try:
        return (run.directory / "draft.json").stat().st_mtime
    except FileNotFoundError:
        return run.directory.stat().st_mtime
