"""Declaration of an extension: sources, samples and other parts that it adds to matching tasks.

An extension is a folder `autotrain_gradio/extensions/<name>/` whose `__init__.py` holds `EXTENSION = Extension(...)`,
or an installed package with an entry point in the group `autotrain_gradio.extensions`. Like a task it is plain data
without heavy imports: other modules are referenced by their dotted paths.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from autotrain_gradio.core.inputs import InputKind
from autotrain_gradio.core.panels import PanelKind
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.tasks.base import Sample, Task
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.tasks.verbs import Verb


@dataclass(frozen=True)
class TaskFilter:
    """Selects tasks by the kinds of their required columns; without any, all tasks.

    inputs: kinds (`audio`, `image`, `text` …) of which the task must have a required feature column each.
    targets: kinds of which it must have a required target column each.
    """

    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def matches(self, task: Task) -> bool:
        """Whether the task has a column for each of the kinds."""
        needed = [c for c in task.columns if c.required]
        found = {(c.purpose, name) for c in needed for name in (c.kind.name, *c.kind.includes)}
        wanted = {*(("input", kind) for kind in self.inputs), *(("target", kind) for kind in self.targets)}
        return wanted <= found


@dataclass(frozen=True)
class SourceFor:
    """A source, and the tasks for which it is available."""

    source: Source
    when: TaskFilter = TaskFilter()


@dataclass(frozen=True)
class SampleFor:
    """A sample, and the tasks for which it is available; its path is `package:folder` (see `tasks.base.Sample`)."""

    sample: Sample
    when: TaskFilter = TaskFilter()


@dataclass(frozen=True)
class Extension:
    """An extension. `panel_kinds` … `parameter_groups`: as in `Task`, for all tasks."""

    name: str
    sources: tuple[SourceFor, ...] = ()
    samples: tuple[SampleFor, ...] = ()
    panel_kinds: tuple[PanelKind, ...] = ()
    input_kinds: tuple[InputKind, ...] = ()
    verbs: tuple[Verb, ...] = ()
    parameter_groups: tuple[ParameterGroup, ...] = ()


def extend(task: Task, extensions: Iterable[Extension]) -> Task:
    """Return the task with the matching sources and samples of all extensions, and with their verbs and groups.

    Raises:
        ValueError: the task has another source, sample, verb or parameter group of the same name.
    """
    sources, samples = list(task.sources), list(task.samples)
    verbs, groups = list(task.verbs), list(task.parameter_groups)
    for extension in extensions:
        for verb in extension.verbs:
            _add(verbs, verb, f"verb '{verb.name}'", task, extension)
        for group in extension.parameter_groups:
            _add(groups, group, f"parameter group '{group.name}'", task, extension)
        for offered in extension.sources:
            if offered.when.matches(task):
                _add(sources, offered.source, f"source '{offered.source.name}'", task, extension)
        for given in extension.samples:
            if given.when.matches(task):
                _add(samples, given.sample, f"sample '{given.sample.name}'", task, extension)
    return replace(
        task,
        sources=tuple(sources),
        samples=tuple(samples),
        verbs=tuple(verbs),
        parameter_groups=tuple(groups),
    )


def _add(existing: list[Any], item: Any, what: str, task: Task, extension: Extension) -> None:
    for other in existing:
        if other.name == item.name and other != item:
            raise ValueError(f"The extension '{extension.name}' claims the {what}, which {task.name} has already.")
    if item not in existing:
        existing.append(item)
