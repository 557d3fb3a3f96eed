"""Copy the files of a run to the folder of its attempt, so that they survive the machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from autotrain_gradio.runs.files import Record

NOT_COPIED = frozenset(
    {
        *("data", "work", "preview", "check", "check.json", "spec.json", "draft.json", "backend.json", "log.txt"),
        *("events.jsonl", "control.jsonl", "memory_limit.json", "snapshot.json", ".reserve", "search", "predictions"),
        *("worker.lock", "control.lock", "remote.lock", "remote"),
    }
)
"""Files and folders of a run that the app has, or that are of this machine only."""
LIVE = "samples"
CHECKPOINTS = "checkpoints"


class Mirror:
    """Copies files of the run's directory to `target`. While it trains, samples and the latest complete checkpoint.

    Attributes:
        files: relative path → size of the files in `target` that belong to the run now.
    """

    def __init__(self, directory: Path, target: Path) -> None:
        self._directory, self._target = directory, target
        self._copied: dict[str, tuple[int, int]] = {}
        self._old: list[Path] = []
        self.files: dict[str, int] = {}

    def restore(self, files: Mapping[str, int]) -> None:
        """Copy the files of an earlier machine into the run's directory."""
        for name in files:
            path = self._directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self._target / name, path)
            self._copied[name] = _stamp(path)
        self.files = dict(files)

    def copy_while_training(self, events: Iterable[Record]) -> bool:
        """Copy what events refer to; return whether `files` has changed."""
        before = dict(self.files)
        changed = self._copy(self._below(self._directory / LIVE))
        checkpoints = [str(e["path"]) for e in events if e["kind"] == "checkpoint"]
        if checkpoints and (folder := self._directory / checkpoints[-1]).is_dir():
            changed = self._copy(self._below(folder)) or changed
            kept = f"{checkpoints[-1].rstrip('/')}/"
            self._drop(n for n in self.files if n.startswith(f"{CHECKPOINTS}/") and not n.startswith(kept))
        return changed or self.files != before

    def copy_all(self) -> None:
        """Copy all files of the run, once its worker is gone."""
        names = [
            path
            for top in sorted(self._directory.iterdir())
            if top.name not in NOT_COPIED
            for path in ([top] if top.is_file() else self._below(top))
        ]
        self._copy(names)
        present = {p.relative_to(self._directory).as_posix() for p in names}
        self._drop(n for n in self.files if n not in present)

    def remove_old(self) -> None:
        """Delete the files in `target` that no longer belong to the run, after their absence was written."""
        for path in self._old:
            path.unlink(missing_ok=True)
        self._old = []

    def _copy(self, paths: Iterable[Path]) -> bool:
        changed = False
        for path in paths:
            name = path.relative_to(self._directory).as_posix()
            target = self._target / name
            try:
                stamp = _stamp(path)
                if self._copied.get(name) == stamp and name in self.files:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            except FileNotFoundError:
                if path.exists():
                    raise
                self._drop([name])  # the training has deleted it meanwhile, as an old checkpoint
                continue
            self._old = [old for old in self._old if old != target]
            self._copied[name], self.files[name], changed = stamp, stamp[0], True
        return changed

    def _drop(self, names: Iterable[str]) -> None:
        for name in list(names):
            self.files.pop(name, None)
            self._old.append(self._target / name)

    def _below(self, folder: Path) -> Iterator[Path]:
        return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
