"""The package of an attempt: what is uploaded, so that a machine can train it.

It is the run's directory without what the machine makes itself or does not need, the files outside of it that the
data refers to, and this app as a wheel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from autotrain_gradio.backends.remote import segments, wheel
from autotrain_gradio.core.assets import sample_folder
from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.catalog import UPLOAD
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.runs.reporter import step_of
from autotrain_gradio.tasks import registry as tasks
from autotrain_gradio.tasks.base import Task

WHEEL_FOLDER = "package"
LEFT_OUT = frozenset(
    {
        *("log.txt", "backend.json", "draft.json", "snapshot.json", "memory_limit.json", ".reserve"),
        *("worker.lock", "control.lock", "remote.lock", "remote", "work", "preview", "check", "predictions", "search"),
        *("model", "report", "samples", "report.json"),
    }
)
"""Files and folders of a run that stay here."""
DATA_LEFT_OUT = frozenset({"thumbs", "dataset.partial", "picked", "picking"})
SERVER_DATA = "data/server"
"""Folder of the run for files that the data refers to outside of it."""
IN_RUN, IN_SAMPLE = "run:", "sample:"
"""Beginnings of paths of a manifest: relative to the run, or to a bundled sample (`data.pipeline.materialize`)."""


def files_of(directory: Path, *, resume: bool) -> dict[str, Path | bytes]:
    """Return the files to upload, by their path below the folder of the attempt.

    Raises:
        DataError: the data lies in a folder of this computer and has not been checked completely.
    """
    found: dict[str, Path | bytes] = {f"{WHEEL_FOLDER}/{wheel.NAME}": wheel.build()}
    kept = newest_checkpoint(directory) if resume else None
    for path in _files_below(directory):
        parts = path.relative_to(directory).parts
        if parts[0] in LEFT_OUT or (parts[0] == "data" and len(parts) > 1 and parts[1] in DATA_LEFT_OUT):
            continue
        if parts[0] == "checkpoints" and (kept is None or not path.is_relative_to(kept)):
            continue
        found[f"{segments.RUN}/{path.relative_to(directory).as_posix()}"] = path
    manifest = read_object(directory / "data" / "manifest.json")
    if manifest is not None:
        for name, content in _server_files(manifest).items():
            found[f"{segments.RUN}/{name}"] = content
    else:
        _require_portable(directory)
    return found


def newest_checkpoint(directory: Path) -> Path | None:
    """Return the folder of the latest checkpoint of a run; None if there is none."""
    folders = [p for p in (directory / "checkpoints").glob("*") if p.is_dir()]
    return max(folders, key=step_of, default=None)


def requirements(task: Task, mount: str) -> list[str]:
    """Return what is installed on the machine, as pip takes it: this app with the extras of the task, and its package.

    mount: folder of the attempt on the machine.
    """
    extras = sorted({r.extra for r in task.requires if r.extra})
    listed = f"[{','.join(extras)}]" if extras else ""
    others = [r.package for r in task.requires if not r.extra]
    return [f"{wheel.PROJECT}{listed} @ file://{mount}/{WHEEL_FOLDER}/{wheel.NAME}", *others, *_package_of(task)]


def _package_of(task: Task) -> Iterator[str]:
    """Return the distribution with its version that declares a task of another package."""
    if task.module.startswith("autotrain_gradio."):
        return
    for entry in metadata.entry_points(group=tasks.ENTRY_POINTS):
        if entry.dist is not None and task.module.split(".")[0] == entry.value.split(":")[0].split(".")[0]:
            yield f"{entry.dist.name}=={entry.dist.version}"
            return


def _files_below(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path


def _server_files(manifest: Mapping[str, Any]) -> dict[str, Path | bytes]:
    """Return the files that a manifest refers to outside of the run, and the manifest that refers to the copies."""
    root, arrow = str(manifest.get("root") or ""), [str(path) for path in manifest.get("arrow") or []]
    if (not root or root.startswith(IN_RUN)) and all(path.startswith(IN_RUN) for path in arrow):
        return {}
    found: dict[str, Path | bytes] = {}
    changed = dict(manifest)
    if root and not root.startswith(IN_RUN):
        sizes = manifest.get("files") or {}
        sample = root.removeprefix(IN_SAMPLE)
        folder = sample_folder(sample) if sample != root else Path(root)  # the wheel has no samples
        found |= {f"{SERVER_DATA}/{name}": folder / name for name in sizes}
        # The copies have other modification times; their sizes are verified.
        changed |= {"root": f"run:{SERVER_DATA}", "files": {name: [size, 0] for name, (size, _) in sizes.items()}}
    copies = []
    for number, path in enumerate(arrow):
        copy = path
        if not path.startswith(IN_RUN):
            name = f"{SERVER_DATA}-arrow/{number:04d}-{Path(path).name}"
            found[name], copy = Path(path), f"run:{name}"
        copies.append(copy)
    changed["arrow"] = copies
    found["data/manifest.json"] = json.dumps(changed, ensure_ascii=False).encode()
    if missing := [str(p) for p in found.values() if isinstance(p, Path) and not p.is_file()]:
        raise DataError(
            f"A file of the data is missing: {missing[0]}.", "Check the data again.", missing[0], "files-changed"
        )
    return found


def _require_portable(directory: Path) -> None:
    """Raise a DataError for data that was not checked completely, and that the machine cannot read by itself."""
    data = (read_object(directory / "spec.json") or {}).get("data") or {}
    path = str(data.get("path") or "")
    if not path or (directory / "data" / UPLOAD.name).exists() or not Path(path).expanduser().exists():
        return
    raise DataError(
        f"The data of this run is in '{path}' on this computer, and its check has not ended.",
        "Wait for the end of the check, then start the run.",
        "data.path",
        "data-not-checked",
    )
