"""Access control of data and models for page, command line and Python, before any file is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from autotrain_gradio.backends import backend_type
from autotrain_gradio.core.errors import Forbidden, SpecError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.data.source_resolution import expand_user, path_exists, resolve_source
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.registry import Registry, Resolved, resolve

HUB_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
LOGIN = re.compile(r"://[^/?#]*@")
"""Credentials in a URL."""


def resolve_and_authorize(spec: Mapping[str, Any] | Resolved, tasks: Registry, *, shared: bool) -> Resolved:
    """Resolve a spec unless it is resolved already, fill in its source, and make folders absolute.

    shared: the callers are visitors, who may not use files or folders of the server.

    Raises:
        SpecError: the spec is invalid, or its source or backend is unknown.
        Forbidden: it refers to a file or folder of a shared server.
    """
    resolved = spec if isinstance(spec, Resolved) else resolve(spec, tasks)
    require_local(resolved.task, shared=shared)
    backend_type(resolved.spec.backend)
    data = resolved.spec.data
    samples = [sample.name for sample in resolved.task.samples]
    source = resolve_source(resolved.task.sources, data, samples, shared=shared)
    path = _resolve_path(data.path, source, shared=shared)
    named = _resolve_params(resolved, shared=shared)
    of_hub = resolved.task.has_models and not resolved.task.listed
    update = {
        "data": data.model_copy(update={"source": source.name, "path": path}),
        "model": _resolve_model(resolved.spec.model, shared=shared) if of_hub else resolved.spec.model,
        "params": {**resolved.spec.params, **named},
    }
    params = resolved.params.model_copy(update=named)
    return Resolved(resolved.spec.model_copy(update=update), resolved.task, params)


def require_local(task: Task, *, shared: bool) -> None:
    """Refuse a task that runs code of the user where the callers are visitors.

    Raises:
        Forbidden: in shared mode, the task is only for the user of the machine.
    """
    if shared and task.local_only:
        raise Forbidden(
            f"{task.title} cannot be used on a shared page: it would run visitors' code on this machine.",
            "Run the app on your own computer.",
            "task",
            "task-refused",
        )


def _resolve_path(path: str, source: Source, *, shared: bool) -> str:
    """Return the path of the data, absolute if it is a file or folder on this machine."""
    if source.local_only and shared:
        raise Forbidden(
            "Folders of the server cannot be used on a shared page.",
            "Upload the files, or name a dataset of the Hub.",
            "data.path",
            "folder-refused",
        )
    if LOGIN.search(path):
        # Not repeated in the message, because it contains credentials.
        raise SpecError(
            "The URL contains credentials, which would be stored.",
            "Enter the URL without them.",
            "data.path",
            "address-login",
        )
    folder = expand_user(path)
    if source.local_path == "always":
        return str(folder.resolve())
    if source.local_path == "sometimes" and "://" not in path:
        if shared and re.search(r"^~|[/\\]", path):
            raise Forbidden(
                "Files of the server cannot be used on a shared page.", "Upload them.", "data.path", "folder-refused"
            )
        if not shared and path and path_exists(folder):
            return str(folder.resolve())
    return path


def _resolve_params(resolved: Resolved, *, shared: bool) -> dict[str, str]:
    """Return the parameters that name a file or a model, as absolute paths if they are on this machine."""
    found = {}
    for name in resolved.task.params_naming("file"):
        if text := getattr(resolved.params, name):
            if shared:
                raise Forbidden(
                    "Files of the server cannot be used on a shared page.",
                    "Leave the setting empty, or run the app on your own computer.",
                    f"params.{name}",
                    "folder-refused",
                )
            found[name] = str(expand_user(text).resolve())
    for name in resolved.task.params_naming("model"):
        if text := getattr(resolved.params, name):
            found[name] = _resolve_model(text, where=f"params.{name}", shared=shared)
    return found


def _resolve_model(model: str, *, where: str = "model", shared: bool) -> str:
    """Return a model, as an absolute path if it is a folder on this machine."""
    if shared:
        if model and not HUB_ID.fullmatch(model):
            raise Forbidden(
                "Folders of the server cannot be used as a model on a shared page.",
                "Name a model of the Hub, such as google/vit-base-patch16-224.",
                where,
                "folder-refused",
            )
        return model
    folder = expand_user(model)
    return str(folder.resolve()) if model != TINY and path_exists(folder) and folder.is_dir() else model
