"""The form of a task: the components that make up its spec, and the spec of their values."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core.spec import DataSpec, ResourceSpec, RunSpec
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.tasks.registry import defaults
from autotrain_gradio.ui import models
from autotrain_gradio.ui.param_fields import Field, create_fields
from autotrain_gradio.ui.training_place import Place, TrainingPlace

Values = Mapping[Any, Any]
"""Component → value: the argument of an event handler whose inputs are a set of components."""
SPLIT = ("train_split", "valid_split", "valid_fraction", "max_samples")
"""Settings of the data that have a component; the others are in `TaskForm.data`."""
OTHER_SECTIONS = ("hub", "resources")
"""Sections of the spec without components in the form, or with components for a part of them."""
RESOURCES = ("processes", "gpus", "timeout")
"""Resources that the form shows for tasks that train in several processes; for others only the last."""
LOCAL: tuple[Place, ...] = ({"name": "local", "title": "This machine", "rents": False},)
NO_HUB = "The Hugging Face Hub is not reachable: models that are not downloaded cannot be trained now."
NO_GPU = "No GPU was found on this machine. Models marked for GPUs train very slowly without one."


@dataclass
class TaskForm:
    """Created when a tab is rendered; its components are shown by the steps.

    data: the rest of the spec's `data` section (source, path, columns, labels, options).
    other_sections: the sections in `OTHER_SECTIONS`.
    model_defaults: the default of each parameter for the model whose defaults the form shows; hidden. The browser
        holds it and gets it together with the parameters, so that both are always those of the same model.
    model: a suggested model, or `models.OTHER` for the one in `model_id`.
    """

    task: Task
    data: gr.State
    other_sections: gr.State
    model_defaults: gr.JSON
    model: gr.Radio
    model_id: gr.Textbox
    project_name: gr.Textbox
    split: list[Field]
    place: TrainingPlace
    resources: list[Field]
    params: list[Field]

    @classmethod
    def build(
        cls,
        task: Task,
        spec: Mapping[str, Any],
        *,
        available: models.Availability,
        local_models: bool,
        places: Sequence[Place] = (),
    ) -> TaskForm:
        """Create the components for a spec.

        available: the models that can be loaded. local_models: models may be folders of this machine. places: see
        `TrainingPlace`.
        """
        data = spec.get("data") or {}
        model = str(spec.get("model") or models.first(task, available))
        model_defaults = parameter_defaults(task, model)
        given = spec.get("params") or {}
        choice, model_id = models.split(task, model)
        return cls(
            task,
            data=gr.State({k: v for k, v in data.items() if k in DataSpec.model_fields and k not in SPLIT}),
            other_sections=gr.State({k: spec[k] for k in OTHER_SECTIONS if k in spec}),
            model_defaults=gr.JSON(model_defaults, visible=False),
            model=gr.Radio(
                choices=models.choices(task, folders=local_models, available=available),
                value=choice,
                label="Models to try" if task.listed else "Pretrained model",
                info=_advice(task, available),
                interactive=True,
                elem_id=f"{task.name}-model",
                elem_classes="at-cards",
                visible=task.has_models,
                render=False,
            ),
            model_id=gr.Textbox(
                value=model_id,
                label=models.other_label(task, folders=local_models),
                placeholder=models.other_example(task),
                max_lines=1,
                visible=task.has_models and choice == models.OTHER,
                interactive=True,
                elem_id=f"{task.name}-model-other",
                render=False,
            ),
            project_name=gr.Textbox(
                value=str(spec.get("project_name") or RunSpec.model_fields["project_name"].default),
                label="Project name",
                info="Name of the trained model." if task.has_models else "Name of the run and of its files.",
                max_lines=1,
                interactive=True,
                elem_id=f"{task.name}-project-name",
                render=False,
            ),
            split=create_fields(DataSpec, SPLIT, data, prefix=task.name),
            place=TrainingPlace.build(places or LOCAL, spec, prefix=task.name),
            resources=create_fields(
                ResourceSpec,
                RESOURCES if "distributed" in task.can else ("timeout",),
                spec.get("resources") or {},
                prefix=f"{task.name}-resources",
            ),
            params=create_fields(
                task.params,
                task.form_params(given),
                {**model_defaults, **given},
                prefix=task.name,
            ),
        )

    def groups(self) -> dict[ParameterGroup, list[str]]:
        """Return each group of parameters → the names of those that the form shows; no group is empty."""
        shown = {field.name for field in self.params}
        found = {group: [n for n in names if n in shown] for group, names in self.task.groups().items()}
        return {group: names for group, names in found.items() if names}

    def inputs(self) -> set[Any]:
        """Return the components that `spec` reads."""
        return {self.data, self.other_sections, self.model_defaults, *self.editable()}

    def editable(self) -> list[Any]:
        """Return the components that the user edits."""
        return [
            self.model,
            self.model_id,
            self.project_name,
            *self.place.components(),
            *(f.component for f in (*self.split, *self.resources, *self.params)),
        ]

    def spec(self, values: Values) -> dict[str, Any]:
        """Return the spec for the values of `inputs`.

        Parameters at the defaults of a model that is no longer selected have those of the selected one, as the form
        will show as soon as `apply_model_defaults` has responded.
        """
        others = values[self.other_sections] or {}
        model = models.join(values[self.model], values[self.model_id])
        return {
            **others,
            "resources": {
                **(others.get("resources") or {}),
                **self.place.resources(values),
                **{f.name: f.read(values[f.component]) for f in self.resources},
            },
            "backend": values[self.place.backend],
            "task": self.task.name,
            "model": model,
            "project_name": (values[self.project_name] or "").strip(),
            "data": {
                **copy.deepcopy(values[self.data] or {}),
                **{f.name: f.read(values[f.component]) for f in self.split},
            },
            "params": {
                **{f.name: f.read(values[f.component]) for f in self.params},
                **self._changed_defaults(values, parameter_defaults(self.task, model)),
            },
        }

    def apply_model(self, values: Values) -> dict[Any, Any]:
        """Return the updates for a newly selected model: its defaults, and whether its id is entered."""
        visible = gr.Textbox(visible=values[self.model] == models.OTHER)
        return {self.model_id: visible, **self.apply_model_defaults(values)}

    def apply_model_defaults(self, values: Values) -> dict[Any, Any]:
        """Return the updates for a newly selected model: parameters at the previous model's defaults get its own."""
        wanted = parameter_defaults(self.task, models.join(values[self.model], values[self.model_id]))
        shown = {f.name: f for f in self.params}
        changed = self._changed_defaults(values, wanted)
        return {
            self.model_defaults: wanted,
            **{shown[name].component: shown[name].show(value) for name, value in changed.items()},
        }

    def _changed_defaults(self, values: Values, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters, with their new defaults, that the user has left at the defaults of another model.

        wanted: the defaults of the selected model.
        """
        previous = values[self.model_defaults]
        if not isinstance(previous, Mapping) or previous == wanted:
            return {}
        return {
            f.name: wanted[f.name]
            for f in self.params
            if f.name in previous
            and previous[f.name] != wanted[f.name]
            and f.read(values[f.component]) == previous[f.name]
        }


def _advice(task: Task, available: models.Availability) -> str | None:
    """Return what this machine lacks for some of the suggested models."""
    lacking = [NO_HUB] if task.models and not task.listed and not available.reachable else []
    if not available.gpu and any(m.gpu for m in task.models):
        lacking.append(NO_GPU)
    return " ".join(lacking) or None


def parameter_defaults(task: Task, model: str) -> dict[str, Any]:
    """Return the default of each parameter for a model."""
    declared = {n: i.get_default(call_default_factory=True) for n, i in task.params.model_fields.items()}
    return {**declared, **defaults(task, model or task.default_model)}


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return base with the change merged into it, mappings recursively."""
    merged = copy.deepcopy(dict(base))
    for key, value in change.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged
