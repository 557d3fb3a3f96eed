"""Registry of the tasks, and validation of a user's spec against its task."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from autotrain_gradio.core import inputs, panels
from autotrain_gradio.core.errors import Finding, NotFound, SpecError, UserError, did_you_mean
from autotrain_gradio.core.registry import NamedRegistry, load_entry_points
from autotrain_gradio.core.spec import DataSpec, RunSpec, findings_of, parse
from autotrain_gradio.tasks.base import MODALITIES, Params, Task
from autotrain_gradio.tasks.extension import Extension, extend
from autotrain_gradio.tasks.options import DATA_OF_ROWS, check_names

ENTRY_POINTS = "autotrain_gradio.tasks"
EXTENSIONS = "autotrain_gradio.extensions"
"""Package whose folders are extensions, and group of the entry points of installed ones."""


class Registry:
    """All tasks by name and alias, extended by the extensions; duplicate names are errors."""

    def __init__(self, tasks: Iterable[Task], extensions: Iterable[Extension] = ()) -> None:
        self.extensions = NamedRegistry("extension", extensions)
        self._tasks: dict[str, Task] = {}
        self._names: dict[str, Task] = {}
        for task in tasks:
            self.add(task)

    def add(self, task: Task) -> None:
        """Register a task with the sources and samples of the extensions that fit it.

        Raises:
            ValueError: its name or one of its aliases is taken, an extension claims a source or sample that it has, a
                parameter group is not registered, a verb or group is registered twice, or two of its settings, columns,
                sources, layouts, checks, metrics, inputs or samples have the same name.
        """
        names = {_normal(n) for n in (task.name, *task.all_aliases)}
        for name in sorted(names):
            if name in self._names:
                raise ValueError(f"'{name}' names both {self._names[name].name} and {task.name}")
        task = extend(task, self.extensions)
        task.groups()
        task.public_verbs()
        check_names(task)
        self._tasks[task.name] = task
        self._names.update(dict.fromkeys(names, task))

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)

    def get(self, name: str) -> Task:
        """Return a task by its name or alias.

        Raises:
            NotFound: unknown task; the hint names similar ones.
        """
        task = self._names.get(_normal(name))
        if task is None:
            raise NotFound(f"Unknown task '{name}'.", did_you_mean(_normal(name), self._tasks), "task", "unknown-task")
        return task

    def format_of(self, name: str) -> str:
        """Return the data format that an alias of a task selects; empty if it selects none."""
        formats = self.get(name).alias_formats
        return next((format for alias, format in formats.items() if _normal(alias) == _normal(name)), "")

    def modalities(self) -> dict[str, list[Task]]:
        """Return modality → its tasks, in the order of `position`, then of registration; `MODALITIES` first."""
        found: dict[str, list[Task]] = {}
        for task in sorted(self, key=lambda t: t.position):
            found.setdefault(task.modality, []).append(task)
        return {
            m: found[m] for m in (*(u for u in MODALITIES if u in found), *(f for f in found if f not in MODALITIES))
        }


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(" ", "-")


@lru_cache(maxsize=1)
def registry() -> Registry:
    """Find all tasks and extensions.

    They are the folders of `autotrain_gradio.tasks` and `autotrain_gradio.extensions`, then what installed packages
    declare by entry points in the groups of the same names, whose values are a `Task` or an `Extension`.
    """
    tasks: list[Task] = _declared(ENTRY_POINTS, "TASK")
    extensions: list[Extension] = _declared(EXTENSIONS, "EXTENSION")
    declared: list[Task | Extension] = [*tasks, *extensions]
    for item in declared:
        for panel_kind in item.panel_kinds:
            panels.KINDS.add(panel_kind)
        for input_kind in item.input_kinds:
            inputs.KINDS.add(input_kind)
    return Registry(tasks, extensions)


def _declared(package: str, attribute: str) -> list[Any]:
    """Return the declarations in the folders of a package, then those of the entry points of the same name."""
    found = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.ispkg:
            found.append(getattr(importlib.import_module(f"{package}.{module.name}"), attribute))
    return [*found, *load_entry_points(package)]


@dataclass(frozen=True)
class Resolved:
    """A spec with canonical names, its task, and its parameters with all defaults."""

    spec: RunSpec
    task: Task
    params: Params

    def complete(self) -> dict[str, Any]:
        """Return the content of `spec.json`: the spec with all parameters."""
        data = self.spec.model_dump(mode="json")
        data["params"] = self.params.model_dump(mode="json")
        return data


def resolve(spec: RunSpec | Mapping[str, Any], tasks: Registry | None = None) -> Resolved:
    """Validate a spec against its task and fill in the defaults.

    Settings of the data (`max_samples`, `train_split` …) among the parameters, as in AutoTrain, are moved; names of
    columns are translated to roles.

    Raises:
        SpecError, NotFound: with a finding for each error.
    """
    if not isinstance(spec, RunSpec):
        given = dict(spec)
        try:
            spec = parse(given)
        except SpecError as error:
            raise SpecError.from_findings([*error.findings, *_more_findings(given, error, tasks)]) from None
    tasks = tasks or registry()
    task = tasks.get(spec.task)
    data, params, findings = spec.data.model_dump(exclude_unset=True), dict(spec.params), []
    named: dict[str, Any] = {}
    for name in list(params):
        if name in task.path_aliases:
            data.setdefault("path", params.pop(name))
        elif name in DataSpec.model_fields and name not in task.params.model_fields:
            data.setdefault(name, params.pop(name))
        elif role_of(task, name) and name not in task.params.model_fields:
            named.setdefault(name, params.pop(name))
    given_columns = data.get("columns") or {}
    # Among the parameters it may be anything: what is not a mapping is an error of `DataSpec` below.
    mapping = isinstance(given_columns, Mapping)
    pairs = {str(name): column for name, column in given_columns.items()} if mapping else {}
    columns = {}
    for name, column in {**pairs, **{n: c for n, c in named.items() if n not in pairs}}.items():
        role = role_of(task, name)
        if role is None:
            roles = [c.role for c in task.columns]
            findings.append(
                Finding(
                    "error",
                    "unknown-column-role",
                    f"{task.title} has no column role '{name}'.",
                    did_you_mean(name, roles),
                    f"data.columns.{name}",
                )
            )
        elif column:
            columns[role] = column
    if mapping and ("columns" in data or columns):
        data["columns"] = columns
    formats = [f.name for f in task.formats]
    if not data.get("format") and (selected := tasks.format_of(spec.task)):
        data["format"] = selected
    if (format := data.get("format")) and format not in formats:
        hint = did_you_mean(str(format), formats) if formats else "Leave the setting out."
        message = f"{task.title} has no data format '{format}'."
        findings.append(Finding("error", "unknown-format", message, hint, "data.format"))
    findings += _unused_settings(task, spec.model, data)
    resolved_params: Params | None = None
    model, wrong = model_of(task, spec.model)
    findings += wrong
    try:
        resolved_params = task.params.model_validate({**defaults(task, model), **params})
    except ValidationError as error:
        findings.extend(findings_of(error, task.params, "params"))
    try:
        resolved_data = DataSpec.model_validate(data)
    except ValidationError as error:
        findings.extend(findings_of(error, DataSpec, "data"))
    if findings or resolved_params is None:
        raise SpecError.from_findings(findings)
    model_defaults = task.params.model_validate(defaults(task, model)).model_dump(mode="json")
    changed = {k: v for k, v in resolved_params.model_dump(mode="json").items() if v != model_defaults[k]}
    complete = spec.model_copy(update={"task": task.name, "model": model, "data": resolved_data, "params": changed})
    return Resolved(complete, task, resolved_params)


def model_of(task: Task, model: str) -> tuple[str, list[Finding]]:
    """Return the resolved model of a spec, and findings; names of `listed` models are looked up."""
    if not task.listed or not model.strip():
        return model or task.default_model, []
    known, names, findings = [m.id for m in task.models], [], []
    for given in model.split(","):
        name = _normal(given).replace("-", "_")
        name = task.model_aliases.get(name, name)
        if name in known:
            names.append(name)
        else:
            hint = did_you_mean(name, known)
            message = f"{task.title} has no model '{given.strip()}'."
            findings.append(Finding("error", "unknown-model", message, hint, "model"))
    everything = task.default_model in names
    return task.default_model if everything else ",".join(dict.fromkeys(names)) or model, findings


def _unused_settings(task: Task, model: str, data: Mapping[str, Any]) -> list[Finding]:
    """Return an error for each setting that the task does not have, unless it is given with its default value."""
    found = []
    if model.strip() and not task.has_models:
        message = f"{task.title} starts from no model, but 'model' is '{model}'."
        found.append(Finding("error", "setting-unused", message, "Leave the setting out.", "model"))
    if task.files_only:
        fields = DataSpec.model_fields
        for name in sorted(DATA_OF_ROWS & data.keys() - {"format", "columns"}):
            if data[name] != fields[name].get_default(call_default_factory=True):
                message = f"{task.title} has no setting 'data.{name}': its files are used as they are."
                found.append(Finding("error", "setting-unused", message, "Leave the setting out.", f"data.{name}"))
    return found


def _more_findings(spec: Mapping[str, Any], error: SpecError, tasks: Registry | None) -> list[Finding]:
    """Return the errors in the other settings, so that all are reported at once."""
    wrong = {f.where.split(".")[0] for f in error.findings}
    rest = {k: v for k, v in spec.items() if k in RunSpec.model_fields and k not in wrong}
    if "task" not in rest:
        return []
    try:
        resolve(rest, tasks)
    except UserError as more:
        return list(more.findings)
    return []


def defaults(task: Task, model: str) -> dict[str, Any]:
    """Return the defaults that the task overrides for this model."""
    return task.defaults(model) if task.defaults else {}


def role_of(task: Task, name: str) -> str | None:
    """Translate a column's name in a spec (`target`, `target_column`, an alias) to the task's role."""
    bare = name.removesuffix("_column")
    for column in task.columns:
        if column.role in {name, bare}:
            return column.role
    return task.column_aliases.get(name) or task.column_aliases.get(bare)
