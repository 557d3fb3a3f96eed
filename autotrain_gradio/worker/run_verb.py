"""Run a verb in this process, for `main.py` (one call) and `serve.py` (several calls)."""

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

    context: `arguments` of the verb, `secrets`, and `spec` if the run has no `spec.json`. Without `arguments`, all
        other keys are the arguments: only the app's own calls may be written so, whose arguments have other names.
    more: other fields of `VerbCall`.

    Raises:
        UserError: with findings, for errors that the user can correct, or if the verb is unknown.
    """
    call, module = prepare(directory, verb, context, progress, **more)
    return module.run(call)


def prepare(
    directory: Path, verb: str, context: Mapping[str, Any], progress: Callable[[str, float], None], **more: Any
) -> tuple[VerbCall, ModuleType]:
    """Resolve the run's spec and import the verb's module.

    Raises:
        UserError: the spec is invalid, the verb is unknown, or a package that the task requires is missing.
    """
    resolved = resolve(read_spec(directory, context))
    if missing := resolved.task.missing_packages():
        raise MissingExtra.from_findings(missing)
    others = {name: value for name, value in context.items() if name not in {"spec", "secrets"}}
    sent = context.get("arguments", others)
    call = VerbCall(directory, resolved, sent, progress, secrets=context.get("secrets") or {}, **more)
    return call, importlib.import_module(resolved.task.verb(verb).module)


def read_spec(directory: Path, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of the context, else that of the run.

    Raises:
        UserError: neither exists.
    """
    found = context.get("spec") or read_object(directory / "spec.json")
    if found is None:
        raise UserError("The run has no settings: spec.json is missing.", where=directory.name, code="damaged-record")
    return {k: v for k, v in found.items() if k in RunSpec.model_fields}
