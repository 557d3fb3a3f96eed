"""Place the trained model at `./<project_name>`, as AutoTrain does.

Large files are hard links to those of the run, so the weights are stored once. A folder that was not
created by this module, or was modified since, is never overwritten.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from autotrain_gradio.core.errors import StateError
from autotrain_gradio.core.text_format import MIB

MARKER = ".autotrain-gradio.json"
LINK_FROM = MIB
"""Files of at least so many bytes are linked; smaller files, which users may edit in place, are copied."""


def reserve(base: Path, name: str) -> Path:
    """Return `base/name` if the model may be placed there after training.

    Raises:
        StateError: the path exists and was not created by `place`, or was modified since.
    """
    target = base / name
    if not os.access(base, os.W_OK | os.X_OK):
        raise StateError(
            f"The model would be written to '{target}', and that folder cannot be written to.",
            "Start the training from another folder.",
            "project_name",
            "folder-not-writable",
        )
    if not target.exists() and not target.is_symlink():
        return target
    conflict = _conflict(target)
    if conflict:
        raise StateError(
            f"The model would be written to '{target}', and {conflict}.",
            "Choose another project name, move the existing folder, or start the training from another folder.",
            "project_name",
            "folder-exists",
        )
    return target


def place(model: Path, base: Path, name: str, run: str) -> Path:
    """Put a run's model at `base/name`, replacing an earlier one placed there; return that folder.

    Atomic: the folder is prepared under a temporary name and then renamed.

    Raises:
        StateError: the folder may not be replaced (see `reserve`).
    """
    target = reserve(base, name)
    partial, old = (base / f".{name}.{run[-10:]}.{end}" for end in ("partial", "old"))
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        shutil.copytree(model, partial, copy_function=_link_or_copy)
        (partial / MARKER).write_text(json.dumps({"run": run, "files": _files(partial)}, indent=1), encoding="utf-8")
        if target.exists():
            target.rename(old)
        partial.rename(target)
    finally:
        if old.exists() and not target.exists():
            old.rename(target)
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return target


def _conflict(target: Path) -> str:
    if target.is_symlink() or not target.is_dir():
        return "a file exists there"
    try:
        marker = json.loads((target / MARKER).read_text(encoding="utf-8"))
        made: dict[str, list[int]] = marker["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return "a folder exists there that was not made here"
    now = _files(target)
    changed = sorted(name for name in now.keys() | made.keys() if name != MARKER and now.get(name) != made.get(name))
    if changed:
        shown = ", ".join(f"'{name}'" for name in changed[:3]) + (" …" if len(changed) > 3 else "")
        return f"the model there was modified since it was made ({shown})"
    return ""


def _files(folder: Path) -> dict[str, list[int]]:
    """Return relative path → `[bytes, mtime in ns]` of all files of a folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() or path.is_symlink():
            stat = path.lstat()
            found[path.relative_to(folder).as_posix()] = [stat.st_size, stat.st_mtime_ns]
    return found


def _link_or_copy(source: str, target: str) -> str:
    if os.stat(source).st_size >= LINK_FROM:
        try:
            os.link(source, target)
            return target
        except OSError:
            pass  # another file system, or one without hard links: copied below
    shutil.copy2(source, target)
    return target
