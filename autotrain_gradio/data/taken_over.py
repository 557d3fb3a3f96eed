"""Which source has taken over the files that a spec names (see `data.pipeline.takeover`). Light: the service asks too.

`data/taken_over.json` of a draft: `{"given": {"source", "path": digest}, "source", "path"}`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import UPLOAD
from autotrain_gradio.data.files.json_files import read_json, write_json

FILE = "taken_over.json"


def write(draft: Path, given_source: str, given_path: str, source: str, path: str) -> None:
    """Store the source and path that replace the given ones."""
    write_json(draft / "data" / FILE, {"given": _given(given_source, given_path), "source": source, "path": path})


def resolve(draft: Path, spec: DataSpec, source: str) -> DataSpec:
    """Return the spec with the source and path that took over the files it names, or as it is.

    source: name of the spec's source, which may be empty in the spec.
    """
    marker = read_json(draft / "data" / FILE)
    if marker is None or marker["given"] != _given(source, spec.path):
        return spec
    return spec.model_copy(update={"source": marker["source"], "path": marker["path"]})


def resolve_upload(draft: Path, spec: DataSpec) -> DataSpec:
    """Return the spec with the source that took over the uploaded files, or as it is: they are not there any more.

    Other specs stay as the user wrote them: their files can be fetched, and recognized, again.
    """
    return resolve(draft, spec, spec.source) if spec.source == UPLOAD.name else spec


def _given(source: str, path: str) -> dict[str, str]:
    # A draft has one upload, under whatever name. The path is not repeated: it may name a file.
    return {"source": source, "path": "" if source == UPLOAD.name else hashlib.sha256(path.encode()).hexdigest()}
