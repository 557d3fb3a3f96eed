"""All runs of an installation: the directories below `$HOME/runs`."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from autotrain_gradio.errors import NotFound, UserError
from autotrain_gradio.runs.record import Run, write_json
from autotrain_gradio.spec import slug

ID = re.compile(r"^\d{8}-\d{6}-[a-z0-9-]{1,40}-[a-z2-7]{10}$")
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Store:
    """Creates, finds, lists and deletes run directories."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, task: str, owner: str, spec: dict[str, Any]) -> Run:
        """Make the directory of a new draft."""
        self.folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = re.sub(r"[^a-z0-9]+", "-", slug(spec.get("project_name", task)).lower()).strip("-")[:40] or "run"
        ticket = "".join(secrets.choice(LETTERS) for _ in range(10))
        directory = self.folder / f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}-{name}-{ticket}"
        directory.mkdir()
        write_json(directory / "draft.json", {"task": task, "owner": owner, "created": now, "spec": spec})
        return Run(directory)

    def get(self, run: str) -> Run:
        """Return the run of that id.

        Raises:
            NotFound: there is none, or this is no id (ids come from strangers: none leaves the folder).
        """
        if not isinstance(run, str) or not ID.match(run) or not (self.folder / run).is_dir():
            shown = str(run)[:80]
            raise NotFound(
                f"There is no run '{shown}'.", "It may have been deleted: see the list of runs.", code="no-run"
            )
        return Run(self.folder / run)

    def list(self) -> list[Run]:
        """Return all runs and drafts, newest first."""
        if not self.folder.is_dir():
            return []
        found = [Run(d) for d in self.folder.iterdir() if ID.match(d.name) and d.is_dir()]
        return sorted(found, key=lambda r: r.id, reverse=True)

    def delete(self, run: Run) -> None:
        """Remove the run's directory; it vanishes from the list at once, however long the removal takes."""
        away = self.folder / f".deleted-{run.id}-{secrets.token_hex(4)}"
        run.directory.rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def sweep(self, days: float) -> int:
        """Remove drafts that nobody touched for so many days, and what a deletion left; return their number."""
        removed, oldest = 0, time.time() - days * 86400
        for run in self.list():
            try:
                if not run.is_started() and (run.directory / "draft.json").stat().st_mtime < oldest:
                    self.delete(run)
                    removed += 1
            except (OSError, UserError):
                continue  # somebody else is removing it, or it is damaged: the list shows it
        for left in self.folder.glob(".deleted-*"):
            shutil.rmtree(left, ignore_errors=True)
        return removed
