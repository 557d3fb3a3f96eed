"""Files of predictions, which are kept in the folder of a run for an hour."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

KEPT_SECONDS = 3600.0
"""Seconds after which the files of a prediction are deleted."""
FOLDER = "predictions"
"""Their folder in a run."""


def new_folder(folder: Path) -> Path:
    """Return a new folder in `folder` for the files of a prediction; those made over an hour ago are deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.is_dir() and old.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(dir=folder))
