"""Run a verb in this process: what `main.py` does for one call and `serve.py` for many."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs.files import read_object
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.tasks.verb_call import VerbCall


def run_verb(
    directory: Path, verb: str, context: Mapping[str, Any], progress: Callable[[str, float], None], **more: Any
) -> Any:
    """Run a verb of the run's task and return its result, as JSON data; of a streaming verb, a generator of items.

    context: what the verb takes; `spec` in it where the run has no `spec.json`, and `secrets`.
    more: other fields of `VerbCall`.

    Raises:
        UserError: with findings, for everything that the user can correct; also if there is no such verb.
    """
    call, module = prepare(directory, verb, context, progress, **more)
    return module.run(call)


def prepare(
    directory: Path, verb: str, context: Mapping[str, Any], progress: Callable[[str, float], None], **more: Any
) -> tuple[VerbCall, ModuleType]:
    """Resolve the run's spec and import the verb's module.

    Raises:
        UserError: the spec is wrong, there is no such verb, or a package that the task needs is missing.
    """
    resolved = resolve(read_spec(directory, context))
    if missing := resolved.task.missing_packages():
        raise MissingExtra.from_findings(missing)
    sent = {name: value for name, value in context.items() if name not in {"spec", "secrets"}}
    call = VerbCall(directory, resolved, sent, progress, secrets=context.get("secrets") or {}, **more)
    return call, importlib.import_module(resolved.task.verb(verb).module)


def read_spec(directory: Path, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of the context, else the one of the run.

    Raises:
        UserError: there is neither.
    """
    found = context.get("spec") or read_object(directory / "spec.json")
    if found is None:
        raise UserError("The run has no settings: spec.json is missing.", where=directory.name, code="damaged-record")
    return {k: v for k, v in found.items() if k in RunSpec.model_fields}
