"""Format a spec as YAML, as a command line and as a Python call. A `Resolved` is not resolved again."""

from __future__ import annotations

import shlex
from typing import Any

from autotrain_gradio.core.spec import DataSpec, RunSpec, to_yaml
from autotrain_gradio.tasks.registry import Registry, Resolved, resolve


def yaml_view(spec: RunSpec | Resolved, tasks: Registry | None = None) -> str:
    """Return the YAML that `train` and the page's *Paste YAML* accept."""
    return to_yaml(_portable(_resolved(spec, tasks)))


def arguments(spec: RunSpec | Resolved, tasks: Registry | None = None) -> dict[str, Any]:
    """Return the spec as flat keyword arguments, without default values.

    The keys are those of `autotrain_gradio.train` and, with dashes, of the command line: `model`,
    `data_path`, `project_name`, `<role>_column`, the settings of the data and of the task.
    """
    resolved = _resolved(spec, tasks)
    spec = _portable(resolved)
    found: dict[str, Any] = {"model": spec.model, "data_path": spec.data.path, "project_name": spec.project_name}
    for role, column in spec.data.columns.items():
        found[f"{role}_column"] = column
    given = spec.data.model_dump(mode="json", exclude_defaults=True, exclude={"path", "columns", "source"})
    declared = next((s for s in resolved.task.sources if s.name == spec.data.source), None)
    if declared is not None and (declared.explicit or declared.picker):
        given["source"] = declared.name
    flags = {o.name for part in (declared, *resolved.task.layouts) if part is not None for o in part.options}
    if flags and "options" in given:
        options = given.pop("options")
        given |= {k: v for k, v in options.items() if k in flags}
        given["options"] = {k: v for k, v in options.items() if k not in flags}
    found.update(given)
    found.update(spec.params)
    found.update(spec.resources.model_dump(mode="json", exclude_defaults=True))
    found.update(spec.hub.model_dump(mode="json", exclude_defaults=True))
    if spec.backend != RunSpec.model_fields["backend"].default:
        found["backend"] = spec.backend
    return {k: v for k, v in found.items() if v not in ("", None, {})}


def command_view(spec: RunSpec | Resolved, tasks: Registry | None = None) -> str:
    """Return the command line of the run, one option a line.

    Mappings (labels, options) have no flag: for a spec with them it is `train run.yaml`.
    """
    resolved = _resolved(spec, tasks)
    given = arguments(resolved)
    if any(isinstance(value, dict) for value in given.values()):
        return "autotrain-gradio train run.yaml"
    parts = [f"autotrain-gradio {resolved.task.name}"]
    for name, value in given.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            parts.append(flag if value else f"--no-{flag[2:]}")
        elif isinstance(value, list):
            parts.append(f"{flag} {' '.join(shlex.quote(str(v)) for v in value)}")
        else:
            text = shlex.quote(str(value))
            # A value that begins like a flag would be taken for one.
            parts.append(f"{flag}={text}" if str(value).startswith("-") else f"{flag} {text}")
    return " \\\n  ".join([*parts, "--train"])


def python_view(spec: RunSpec | Resolved, tasks: Registry | None = None) -> str:
    """Return the Python call of the run."""
    resolved = _resolved(spec, tasks)
    rows = [f"    {name}={value!r}," for name, value in arguments(resolved).items()]
    name = resolved.task.name
    return "\n".join(
        ["import autotrain_gradio as at", "", "run = at.train(", f'    "{name}",', *rows, ")", "print(run.metrics)", ""]
    )


def _resolved(spec: RunSpec | Resolved, tasks: Registry | None) -> Resolved:
    return spec if isinstance(spec, Resolved) else resolve(spec, tasks)


def _portable(resolved: Resolved) -> RunSpec:
    """Return the spec without a source whose files are in the draft: `path` identifies the original files."""
    spec = resolved.spec
    source = next((s for s in resolved.task.sources if s.name == spec.data.source), None)
    if source is None or not source.in_draft:
        return spec
    data = DataSpec.model_validate({**spec.data.model_dump(exclude_unset=True), "source": ""})
    return spec.model_copy(update={"data": data})
