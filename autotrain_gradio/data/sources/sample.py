"""Sample data that is bundled with the app, or with an installed package."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.core.assets import SAMPLES, sample_folder
from autotrain_gradio.core.errors import DataError, did_you_mean
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress

SAMPLE = "sample:"
"""Prefix of a manifest's `root` that lies in a sample: the path of the sample follows, as `Sample.path` has it."""


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Return the folder of the sample, by default of the first one of the task.

    Raises:
        DataError: the sample does not exist.
    """
    name = request.spec.path or next(iter(request.samples), "")
    if name not in request.samples:
        hint = did_you_mean(name, request.samples) or "This task has no sample."
        raise DataError(f"The sample '{name}' does not exist.", hint, "data.path", "unknown-sample")
    folder = sample_folder(request.samples[name])
    if not folder.is_dir():
        message = f"The sample '{name}' is not part of this installation."
        raise DataError(message, "Reinstall the app.", "data.path", "sample-missing")
    return Fetched(folder)


def sample_root(folder: Path, request: Request) -> str | None:
    """Return the `root` of a manifest for a folder in a sample, which does not depend on where the app is installed.

    Returns None for a folder that lies in no sample.
    """
    if folder.is_relative_to(SAMPLES):
        return SAMPLE + folder.relative_to(SAMPLES).as_posix()
    for path in request.samples.values():
        base = sample_folder(path)
        if folder.is_relative_to(base):
            return SAMPLE + path + "".join(f"/{part}" for part in folder.relative_to(base).parts)
    return None


def root_of_sample(root: str) -> Path:
    """Return the folder that a `root` of `sample_root` means."""
    return sample_folder(root.removeprefix(SAMPLE))
