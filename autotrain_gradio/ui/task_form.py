"""The widgets that make up a task's spec, and the spec that they make up."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.registry import defaults
from autotrain_gradio.ui import models
from autotrain_gradio.ui.form import Field

SPLIT = ("train_split", "valid_split", "valid_fraction", "max_samples")
"""Settings of the data that have a widget; the others are kept in `TaskForm.data`."""


@dataclass
class TaskForm:
    """Filled step by step while a tab is built; then reads the spec from the widgets' values.

    data: state with the rest of the spec's `data` section (source, path, columns, labels, options).
    other_sections: state with what has no widget (`hub`, `backend`, the rest of `resources`).
    resources: settings of where the training runs.
    usual: state with the parameters' defaults for the chosen model.
    """

    task: Task
    data: gr.State
    other_sections: gr.State
    split: list[Field] = field(default_factory=list)
    resources: list[Field] = field(default_factory=list)
    params: list[Field] = field(default_factory=list)
    usual: Any = None
    choice: Any = None
    other: Any = None
    name: Any = None

    def inputs(self) -> list[Any]:
        """Return all components that `spec` reads, in its order."""
        fields = [f.widget for f in (*self.split, *self.resources, *self.params)]
        return [self.data, self.other_sections, self.choice, self.other, self.name, *fields]

    def visible(self) -> list[Any]:
        """Return the widgets that a person changes."""
        return self.inputs()[2:]

    def defaults(self, model: str) -> dict[str, Any]:
        """Return every parameter's default for a model."""
        declared = {n: i.get_default(call_default_factory=True) for n, i in self.task.params.model_fields.items()}
        return {**declared, **defaults(self.task, model or self.task.default_model)}

    def follow_model(self, usual: Mapping[str, Any], choice: Any, other: Any, *values: Any) -> dict[Any, Any]:
        """Give the parameters that stand at the earlier model's defaults those of the one chosen now."""
        wanted = self.defaults(models.join(choice, other))
        updates: dict[Any, Any] = {self.usual: wanted}
        for item, value in zip(self.params, values, strict=True):
            before, now = (usual or {}).get(item.name), wanted[item.name]
            if before != now and item.read(value) == before:
                updates[item.widget] = item.show(now)
        return updates

    def spec(self, values: Sequence[Any]) -> dict[str, Any]:
        """Make the spec of the values of `inputs`."""
        data, other_sections, choice, other, name = values[:5]
        split = values[5 : 5 + len(self.split)]
        after = values[5 + len(self.split) :]
        resources, params = after[: len(self.resources)], after[len(self.resources) :]
        others = other_sections or {}
        return {
            **others,
            "resources": {
                **others.get("resources", {}),
                **{f.name: f.read(v) for f, v in zip(self.resources, resources, strict=True)},
            },
            "task": self.task.name,
            "model": models.join(choice, other),
            "project_name": (name or "").strip(),
            "data": {
                **copy.deepcopy(data or {}),
                **{f.name: f.read(v) for f, v in zip(self.split, split, strict=True)},
            },
            "params": {f.name: f.read(v) for f, v in zip(self.params, params, strict=True)},
        }


def outside_form(spec: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split from a spec what has no widget: (rest of `data`, other sections)."""
    data = {k: v for k, v in (spec.get("data") or {}).items() if k in DataSpec.model_fields and k not in SPLIT}
    return data, {k: spec[k] for k in ("hub", "backend", "resources") if k in spec}


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return base with the change merged into it, mappings deeply."""
    merged = copy.deepcopy(dict(base))
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged
