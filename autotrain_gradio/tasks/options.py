"""All settings of a task as flat options: flags of the command line and keyword arguments of Python.

An option is derived from a field of the spec, which defines its name, help, default and range.
`spec_from_options` is the inverse of `views.arguments`.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from autotrain_gradio.core.errors import Finding, SpecError, did_you_mean
from autotrain_gradio.core.spec import DataSpec, HubSpec, ResourceSpec, RunSpec
from autotrain_gradio.data.declarations import Layout, Source
from autotrain_gradio.tasks.base import Task

RUN_GROUP, DATA_GROUP, RESOURCE_GROUP, HUB_GROUP = "The run", "The data", "Where it runs", "Publishing"
RESERVED = ("train", "json", "help", "token")
"""Flags of every command."""
_RUN = ("model", "project_name", "backend")
DATA_OF_ROWS = frozenset(
    {"train_split", "valid_split", "valid_fraction", "max_samples", "encoding", "format", "columns", "labels"}
)
"""Settings of the data that are about rows; tasks whose data is files have none of them (`Task.files_only`)."""


@dataclass(frozen=True)
class Option:
    """One setting.

    name: keyword in Python; with dashes, the flag. `aliases` are other names for it.
    where: its path in the spec, for instance `data.path` or `params.epochs`.
    kind: `boolean`, `integer`, `number`, `text` or `mapping`.
    optional: whether it may be None (written `none` on the command line).
    """

    name: str
    where: str
    group: str
    help: str
    default: Any
    kind: str
    choices: tuple[str, ...] = ()
    bounds: str = ""
    optional: bool = False
    many: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def flags(self) -> list[str]:
        """The option as it is written on a command line, the name first."""
        return ["--" + n.replace("_", "-") for n in (self.name, *self.aliases)]

    @property
    def values(self) -> str:
        """The accepted values, as text."""
        words = " | ".join(self.choices) if self.choices else self.kind
        if self.bounds:
            words += f", {self.bounds}"
        return words + (" | none" if self.optional and "none" not in self.choices else "")


def options(task: Task) -> list[Option]:
    """List all options of a task: of the run, of the data, its parameters in their groups, of the Hub."""
    names = [n for n in _RUN if n != "model" or task.has_models]
    defaults = {"model": task.default_model}
    found = [_option(n, n, RUN_GROUP, RunSpec.model_fields[n], default=defaults.get(n)) for n in names]
    for name, field in DataSpec.model_fields.items():
        if task.files_only and name in DATA_OF_ROWS:
            continue
        if name == "columns":
            found += _columns(task)
        elif name == "format":
            found += _format(task, field)
        else:
            option = _option("data_path" if name == "path" else name, f"data.{name}", DATA_GROUP, field)
            found.append(replace(option, aliases=task.path_aliases) if name == "path" else option)
    parts: tuple[Source | Layout, ...] = (*task.sources, *task.layouts)
    shared: dict[str, Option] = {}  # several layouts may share an option
    for part in parts:
        for o in part.options:
            text = f"{part.title}: {o.help}"
            shared.setdefault(
                o.name, Option(o.name, f"data.options.{o.name}", DATA_GROUP, text, o.default, o.kind, many=o.many)
            )
    found += shared.values()
    for group, names in task.groups().items():
        found += [_option(n, f"params.{n}", group.title, task.params.model_fields[n]) for n in names]
    found += [_option(n, f"resources.{n}", RESOURCE_GROUP, field) for n, field in ResourceSpec.model_fields.items()]
    found += [_option(n, f"hub.{n}", HUB_GROUP, field) for n, field in HubSpec.model_fields.items()]
    return found


def check_names(task: Task) -> None:
    """Check that no two settings or parts of a task share a name.

    Raises:
        ValueError: names the first duplicate, or a setting with the name of a flag that every command has.
    """
    settings = [n for option in options(task) for n in (option.name, *option.aliases)]
    for name in RESERVED:
        if name in settings:
            raise ValueError(f"{task.name}: '{name}' is a flag of every command, and cannot be a setting")
    groups = {
        "settings": settings,
        "columns": [column.role for column in task.columns],
        "sources": [part.name for part in task.sources],
        "layouts": [part.name for part in task.layouts],
        "checks": [part.name for part in task.checks],
        "metrics": [part.name for part in task.metrics],
        "inputs": [part.name for part in task.inputs],
        "samples": [part.name for part in task.samples],
    }
    for kind, names in groups.items():
        for name, count in Counter(names).items():
            if count > 1:
                raise ValueError(f"{task.name}: two of its {kind} are named '{name}'")


def spec_from_options(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """Build a spec from options by name; values are validated later, with the spec.

    Raises:
        SpecError: names that the task does not have, all of them at once.
    """
    known = {name: option for option in options(task) for name in (option.name, *option.aliases)}
    spec: dict[str, Any] = {"task": task.name}
    findings = []
    for name, value in given.items():
        option = known.get(name)
        if option is None:
            findings.append(
                Finding("error", "unknown-setting", f"Unknown setting '{name}'.", did_you_mean(name, known), name)
            )
            continue
        *sections, last = option.where.split(".")
        place = spec
        for section in sections:
            place = place.setdefault(section, {})
        if isinstance(value, Mapping):
            place[last] = {**value, **place.get(last, {})}  # `options` may be given together with an option of a source
        else:
            place[last] = str(value) if isinstance(value, Path) else value
    if findings:
        raise SpecError.from_findings(findings)
    return spec


def _format(task: Task, field: FieldInfo) -> list[Option]:
    """Return the `format` option of a task with several formats; other tasks have none."""
    if len(task.formats) < 2:
        return []
    option = _option("format", "data.format", DATA_GROUP, field)
    titles = "; ".join(f"{f.name}: {f.title}" for f in task.formats)
    return [replace(option, choices=tuple(f.name for f in task.formats), help=f"{option.help} ({titles})")]


def _columns(task: Task) -> list[Option]:
    found = []
    for column in task.columns:
        others = tuple(
            alias if "_column" in alias else f"{alias}_column"
            for alias, role in task.column_aliases.items()
            if role == column.role
        )
        text = f"Column of the data that holds {column.named}; found by its name or content if not given."
        where = f"data.columns.{column.role}"
        found.append(
            Option(f"{column.role}_column", where, DATA_GROUP, text, None, "text", many=column.many, aliases=others)
        )
    return found


def _option(name: str, where: str, group: str, field: FieldInfo, *, default: Any = None) -> Option:
    kind, choices, optional, many = describe(field.annotation)
    stated = field.get_default(call_default_factory=True) if default is None else default
    text = " ".join((field.description or "").split())
    return Option(name, where, group, text, stated, kind, choices, bounds(field), optional, many)


def describe(annotation: Any) -> tuple[str, tuple[str, ...], bool, bool]:
    """Return the type of a field: kind, choices, whether it may be None, whether it takes several values."""
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [a for a in get_args(annotation) if a is not type(None)]
        kind, choices, _, many = describe(parts[0])
        return kind, choices, len(parts) < len(get_args(annotation)), many
    if get_origin(annotation) is Literal:
        return "text", tuple(str(a) for a in get_args(annotation)), False, False
    if get_origin(annotation) is list:
        return (*describe(get_args(annotation)[0])[:2], False, True)
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return kinds.get(annotation, "mapping"), (), False, False


def bounds(field: FieldInfo) -> str:
    """Return the range of a number as text, from pydantic's bounds; empty if it has none."""
    found: dict[str, Any] = {}
    for item in field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if getattr(item, name, None) is not None:
                found[name] = getattr(item, name)
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    return ", ".join(f"{words[n]} {found[n]:g}" for n in words if n in found)
