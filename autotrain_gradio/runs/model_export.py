"""Export of a run's model as a zip file or a folder, and access to the images that the page shows."""

from __future__ import annotations

import shutil
import threading
import zipfile
from pathlib import Path

from autotrain_gradio.core.errors import DataError, NotFound, StateError
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.snapshot import has_files

PUBLIC_FOLDERS = ("check", "preview", "samples", "report")
PREDICTED_IMAGES = ("predictions", ".jpg")
"""Folder and suffix of the images of predictions, whose names are random; the tables beside them are not shown."""
"""Folders of a run whose images and audio the page may serve."""


def model(run: Run) -> Path:
    """Return the folder of a run's model.

    Raises:
        StateError: the run has no model yet, or its folder was removed or emptied.
    """
    folder = run.directory / "model"
    if not has_files(folder):
        if run.state().name == "completed":
            raise StateError(
                "The model of this run is missing: its folder 'model' has no files.",
                "Restore the folder from a copy, or train again with the same settings.",
                f"{run.id}/model",
                "model-missing",
            )
        raise StateError("The run has no model yet.", "Wait until it is completed, or stop it.", code="no-model")
    return folder


def archive(run: Run) -> Path:
    """Return a zip file of the model with its model card; it is cached until the model changes.

    Raises:
        StateError: the run has no model yet.
    """
    folder = model(run)
    name = run.spec()["project_name"]
    newest = max(f.stat().st_mtime_ns for f in folder.rglob("*") if f.is_file())
    path = run.directory / f"{name}.zip"
    if path.is_file() and path.stat().st_mtime_ns >= newest:
        return path
    partial = path.with_suffix(f".{threading.get_ident()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED, allowZip64=True) as written:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    written.write(file, Path(name) / file.relative_to(folder))
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def export(run: Run, folder: str | Path) -> Path:
    """Copy the model into a folder that is empty or does not exist; return the folder.

    Raises:
        StateError: the run has no model yet.
        DataError: the folder is not empty.
    """
    source = model(run)
    target = Path(folder).expanduser().resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"'{target}' exists and is not an empty folder.", "Name another one.", code="target-exists")
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def media_file(run: Run, relative: str) -> Path:
    """Return the path of an image or audio file that the page shows, below `PUBLIC_FOLDERS` or of a prediction.

    Raises:
        NotFound: the file does not exist, or is in another folder.
    """
    root = run.directory.resolve()
    try:
        path = (root / relative).resolve()
    except ValueError:  # a null byte
        raise NotFound("This file does not exist, or may not be shown.", code="no-file") from None
    folder = path.relative_to(root).parts[0] if path.is_relative_to(root) and path != root else ""
    public = folder in PUBLIC_FOLDERS or (folder, path.suffix) == PREDICTED_IMAGES
    if not public or not path.is_file():
        raise NotFound("This file does not exist, or may not be shown.", code="no-file")
    return path
