"""What whoever asks may name: data and models. Decided here for every face, before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.backends import backend_type
from autotrain_gradio.core.errors import Forbidden, SpecError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.tasks.registry import Registry, Resolved, resolve

HUB_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
LOGIN = re.compile(r"://[^/?#]*@")
"""A user name, perhaps with a password, in an address."""


def settle(spec: Mapping[str, Any], tasks: Registry, *, shared: bool) -> Resolved:
    """Resolve a spec, fill in its source, and make folders absolute.

    shared: strangers ask; they may name nothing that lies on the server.

    Raises:
        SpecError: the spec is wrong, or there is no such source or backend.
        Forbidden: it names a file or folder of a shared server.
    """
    resolved = resolve(spec, tasks)
    backend_type(resolved.spec.backend)
    data = resolved.spec.data
    source = data.source or _source(resolved, shared=shared)
    declared = next((s for s in resolved.task.sources if s.name == source), None)
    if declared is None:
        raise SpecError(f"There is no data source '{source}'.", where="data.source", code="unknown-source")
    path = _place(data.path, declared, shared=shared)
    update = {
        "data": data.model_copy(update={"source": source, "path": path}),
        "model": _model(resolved, shared=shared),
    }
    return Resolved(resolved.spec.model_copy(update=update), resolved.task, resolved.params)


def _source(resolved: Resolved, *, shared: bool) -> str:
    """Say which source is meant by what was named."""
    task, data = resolved.task, resolved.spec.data
    # An option that only one source has, or an address on the web, says which source is meant.
    for source in task.sources:
        if source.picker and ("://" in data.path or any(o.name in data.options for o in source.options)):
            return source.name
    exists = bool(data.path) and not shared and _exists(_expanded(data.path))
    if exists or data.path.startswith(("/", "./", "../", "~")):
        return "path"
    if any(s.name == data.path for s in task.samples):
        return "sample"
    return "hub" if any(s.name == "hub" for s in task.sources) else "path"


def _place(path: str, source: Source, *, shared: bool) -> str:
    """Return the place of the data, absolute where it is a file or folder of this computer."""
    if source.local_only and shared:
        raise Forbidden(
            "Folders of the server cannot be used on a shared page.",
            "Upload the files, or name a dataset of the Hub.",
            "data.path",
            "folder-refused",
        )
    if LOGIN.search(path):
        # Not repeated in the message: it holds a password.
        raise SpecError(
            "An address with a login in it would be stored.", "Give it without.", "data.path", "address-login"
        )
    folder = _expanded(path)
    if source.name == "path":
        return str(folder.resolve())
    if source.picker and "://" not in path:
        if shared and re.search(r"^~|[/\\]", path):
            raise Forbidden(
                "Files of the server cannot be used on a shared page.", "Upload them.", "data.path", "folder-refused"
            )
        if not shared and path and _exists(folder):
            return str(folder.resolve())
    return path


def _model(resolved: Resolved, *, shared: bool) -> str:
    """Return the model, absolute where it is a folder of this computer."""
    model = resolved.spec.model
    if resolved.task.listed:
        return model
    if shared:
        if model and not HUB_ID.fullmatch(model):
            raise Forbidden(
                "Folders of the server cannot be used as a model on a shared page.",
                "Name a model of the Hub, such as google/vit-base-patch16-224.",
                "model",
                "folder-refused",
            )
        return model
    folder = _expanded(model)
    return str(folder.resolve()) if model != TINY and _exists(folder) and folder.is_dir() else model


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # a user that does not exist
        return Path(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or no name of a file at all
        return False
