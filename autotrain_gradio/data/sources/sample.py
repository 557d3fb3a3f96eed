"""The samples that come with the app."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio.core.assets import ASSETS
from autotrain_gradio.core.errors import DataError, did_you_mean
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress


def samples_folder() -> Path:
    """Return the folder of all bundled samples."""
    return ASSETS / "samples"


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Return the folder of the sample that the spec names, or of the task's first one.

    Raises:
        DataError: there is no such sample.
    """
    name = request.spec.path or next(iter(request.samples), "")
    if name not in request.samples:
        hint = did_you_mean(name, request.samples) or "This task has no sample."
        raise DataError(f"There is no sample '{name}'.", hint, "data.path", "unknown-sample")
    folder = samples_folder() / request.samples[name]
    if not folder.is_dir():
        raise DataError(
            f"The sample '{name}' is not part of this installation.",
            "Install the app again.",
            "data.path",
            "sample-missing",
        )
    return Fetched(folder)
