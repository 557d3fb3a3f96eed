"""Exports of another app that arrive as ordinary files: the source that recognizes them takes them over.

An upload, a folder or a Hub dataset may be an export that a source of its own reads (declared with `takes_over`). The
check asks those sources before any layout. The one that recognizes the files reads them into the draft; then it is
the source of the data, as if its name had been given.

What the first source left in the draft is removed, because the names and contents of these files may be what the
second source must not show (names of people). See `data.taken_over` for what is remembered.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data import taken_over
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress

LEFT_BY_FETCH = ("upload", "upload.done", "upload.json", "media", "media.partial", "hub.json")
"""Files and folders below `data` that hold fetched files, or their names."""


def resolve_request(draft: Path, request: Request) -> Request:
    """Return the request with the source and path that took over the files it names, or as it is."""
    spec = taken_over.resolve(draft, request.spec, request.source(draft).name)
    return request if spec is request.spec else replace(request, spec=spec)


def find(tree: Tree, request: Request, current: Source) -> Source | None:
    """Return the source that recognizes files which another one fetched; None when a layout was chosen."""
    if request.spec.options.get("layout") is not None:
        return None
    return next((s for s in request.sources if s.name != current.name and s.recognizes(tree)), None)


def take_over(
    source: Source, tree: Tree, fetched: Fetched, request: Request, draft: Path, current: Source, progress: Progress
) -> Request:
    """Let a source read the files that `current` fetched; return the request as if it had been named.

    Afterwards, and after an error, nothing of the files is left in the draft but what the source wrote.

    Raises:
        DataError: the files cannot be read.
    """
    data = draft / "data"
    try:
        path = str(source.load().take_over(tree, fetched, request, draft, current.name, progress))
        if fetched.own or fetched.revision:  # other files are checked again each time: they may change
            taken_over.write(draft, current.name, request.spec.path, source.name, path)
    finally:
        for name in LEFT_BY_FETCH:
            if (data / name).is_dir():
                shutil.rmtree(data / name)
            else:
                (data / name).unlink(missing_ok=True)
    spec = request.spec.model_copy(update={"source": source.name, "path": path})
    return replace(request, spec=spec)


def finding(source: Source) -> Finding:
    """Return the finding that says which source took the files over, and how to choose otherwise."""
    flags = ", ".join(f"--{o.name.replace('_', '-')}" for o in source.options[:3])
    message = f"The files are an export of the {source.title} and were opened as one."
    hint = f"Other parts of it can be chosen under '{source.title}' in the first step"
    hint += f"{f', or with {flags}' if flags else ''}. To read the files as they are, set a layout."
    return Finding("info", "other-source", message, hint, "data.source")
