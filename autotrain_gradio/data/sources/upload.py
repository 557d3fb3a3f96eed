"""Uploaded files: archives are extracted and then deleted, other files are kept as they are."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.file_types import TAR_SUFFIXES
from autotrain_gradio.data.files.archives import extract, is_archive
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress, sub_progress


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Extract or move the files of `data/upload` into `data/media`, and return that folder.

    The data is on disk once: afterwards `data/upload` is removed, and `data/upload.json` keeps names and sizes.

    Raises:
        DataError: nothing was uploaded, or an archive cannot be extracted.
    """
    upload, media = draft / "data" / "upload", draft / "data" / "media"
    shutil.rmtree(upload.with_suffix(".done"), ignore_errors=True)  # of a check that was killed while removing it
    files = sorted(p for p in upload.iterdir() if p.is_file()) if upload.is_dir() else []
    if files:
        return unpack_all(files, draft, request, progress, keep=False)
    record = read_json(draft / "data" / "upload.json")
    if media.is_dir() and record is not None:
        return Fetched(media, own=True, note=record)
    raise DataError("No file was uploaded.", "Upload a zip, or the files themselves.", "data", "no-files")


def unpack_all(files: Sequence[Path], draft: Path, request: Request, progress: Progress, *, keep: bool) -> Fetched:
    """Extract archives and link other files into `data/media`, which is complete or absent.

    keep: do not delete the files (an archive on this computer).
    """
    data = draft / "data"
    media, partial, record = data / "media", data / "media.partial", data / "upload.json"
    facts = [{"name": f.name, "bytes": f.stat().st_size, "mtime_ns": f.stat().st_mtime_ns} for f in files]
    known = read_json(record)
    if keep and media.is_dir() and known is not None and known.get("files") == facts:
        return Fetched(media, own=True, note=known)
    for folder in (partial, media):
        if folder.exists():
            shutil.rmtree(folder)
    partial.mkdir(parents=True)
    skipped: Counter[str] = Counter()
    try:
        for number, file in enumerate(files):
            if is_archive(file):
                # Each of several archives gets its own folder: train.zip and valid.zip become splits.
                target = partial / _stem(file.name) if len(files) > 1 else partial
                target.mkdir(exist_ok=True)
                step = 1 / len(files)
                skipped += extract(file, target, request.limits, sub_progress(progress, number * step, step))
            else:
                _link(file, partial / file.name)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # the original error matters
        raise
    note = {"files": facts, "skipped": dict(skipped)}
    partial.rename(media)
    write_json(record, note)
    if not keep:
        # Renamed first: a partially removed upload must never be used as a complete one.
        done = files[0].parent.with_suffix(".done")
        files[0].parent.rename(done)
        shutil.rmtree(done)
    return Fetched(media, own=True, note=note)


def _stem(name: str) -> str:
    suffix = next((s for s in TAR_SUFFIXES if name.lower().endswith(s)), Path(name).suffix)
    return name[: len(name) - len(suffix)] or "archive"


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise DataError(
            f"Two uploaded files have the name '{source.name}'.", "Rename one of them.", source.name, "upload-duplicate"
        ) from None
    except OSError:
        shutil.copy2(source, target)  # a file system without hard links
