"""What every task's declaration must hold, so that forms, flags and docs can be made from it."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

import autotrain_gradio.tasks
from autotrain_gradio.cli.docs import pages
from autotrain_gradio.core.assets import sample_folder
from autotrain_gradio.core.spec import DataSpec, HubSpec, RunSpec
from autotrain_gradio.data.declarations import Check, Kind, Layout, Source
from autotrain_gradio.tasks import views
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.tasks.options import options, spec_from_options
from autotrain_gradio.tasks.registry import Registry, registry, resolve

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(p.parent.name for p in Path(autotrain_gradio.tasks.__path__[0]).glob("*/__init__.py"))
TASKS = list(registry())
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)


def test_every_folder_is_a_task() -> None:
    assert len(FOLDERS) >= 1
    assert [t.name.replace("-", "_") for t in TASKS][: len(FOLDERS)] == FOLDERS


@each_task
def test_every_parameter_has_a_help_text_and_a_group(task: Task) -> None:
    fields = task.params.model_fields
    assert fields
    for name, field in fields.items():
        assert field.description and field.description.strip().endswith((".", "!", "?")), name
        extra = field.json_schema_extra
        assert isinstance(extra, dict) and extra["group"] in {g.name for g in task.groups()}, name
    assert sorted(n for names in task.groups().values() for n in names) == sorted(fields)
    assert any(group.main for group in task.groups())
    assert set(task.shown) <= set(fields)
    assert task.params.no_effect.keys() <= set(fields) and not task.params.no_effect.keys() & {*task.form_params({})}


@each_task
def test_defaults_are_valid_and_complete(task: Task) -> None:
    resolved = resolve({"task": task.name})
    assert resolved.params == task.params()
    # A default that its own bounds refuse would only be found by the person who writes it down.
    task.params.model_validate(task.params().model_dump())
    assert resolved.spec.params == {}
    assert set(resolved.complete()["params"]) == set(task.params.model_fields)


@each_task
def test_columns_are_aliases_of_roles(task: Task) -> None:
    assert set(task.column_aliases.values()) <= {c.role for c in task.columns}


class _Timeout(TASKS[0].params):  # type: ignore[name-defined, misc]
    timeout: int = 3


class _Help(TASKS[0].params):  # type: ignore[name-defined, misc]
    help: str = ""


def test_names_that_collide_are_refused() -> None:
    task = TASKS[0]
    with pytest.raises(ValueError, match="settings are named 'timeout'"):
        Registry([replace(task, params=_Timeout)])
    with pytest.raises(ValueError, match="'help' is a flag"):
        Registry([replace(task, params=_Help)])
    with pytest.raises(ValueError, match="two of its metrics are named"):
        Registry([replace(task, metrics=(*task.metrics, task.metrics[0]))])


def test_duplicate_task_names_are_refused() -> None:
    with pytest.raises(ValueError, match="names both"):
        Registry([TASKS[0], TASKS[0]])


@each_task
def test_every_named_module_exists(task: Task) -> None:
    parts: list[Source | Layout | Check | Kind] = [*task.sources, *task.layouts, *task.checks]
    parts += [c.kind for c in task.columns]
    assert parts
    for module in (task.module, *(p.module for p in parts)):
        assert importlib.util.find_spec(module) is not None, module


@each_task
def test_layouts_columns_and_models_are_explained(task: Task) -> None:
    assert task.summary.endswith(".") and task.layouts and task.sources
    assert all(layout.example.strip() for layout in task.layouts)
    assert all(column.help.endswith(".") for column in task.columns)
    assert all(model.when.endswith(".") for model in task.models)


@each_task
def test_headline_and_charts_use_declared_metrics(task: Task) -> None:
    # Metrics of some tasks are known only when a run reports them; then a parameter may name the main one.
    assert task.headline_param in task.params.model_fields if task.charts_of else task.metric(task.headline) is not None
    for chart in task.charts:
        for name in chart.series:
            if name.startswith("eval_"):
                assert task.metric(name) is not None, name


@each_task
def test_sample_files_exist(task: Task) -> None:
    assert task.samples
    for sample in task.samples:
        files = [p for p in sample_folder(sample.path).rglob("*") if p.is_file()]
        assert files, sample.path


@each_task
def test_every_option_is_restored_from_its_view(task: Task) -> None:
    """The command and the Python call that the page shows give the same run again."""
    given: dict[str, object] = {}
    for option in options(task):
        if option.choices:
            given[option.name] = next(c for c in option.choices if c != option.default)
        elif option.kind == "boolean":
            given[option.name] = not option.default
        elif option.kind == "integer":
            given[option.name] = (option.default or 0) + 1
    model = task.models[-1].id if task.listed else "some/model"
    given |= {"model": model, "data_path": "somewhere", "valid_split": "held-out", "username": "ana"}
    known = {option.name for option in options(task)}
    assert ("model" in known) == task.has_models and ("valid_split" in known) != task.files_only
    given = {name: value for name, value in given.items() if name in known}
    first = resolve(spec_from_options(task, given)).complete()
    again = resolve(spec_from_options(task, views.arguments(RunSpec.model_validate(spec_from_options(task, given)))))
    assert again.complete() == first
    assert first["params"] != task.params().model_dump(mode="json")


@pytest.mark.parametrize("model", [RunSpec, DataSpec, HubSpec])
def test_every_setting_of_a_run_has_a_help_text(model: type[RunSpec]) -> None:
    assert model.model_fields
    assert all(field.description for field in model.model_fields.values())


def test_the_generated_docs_are_up_to_date() -> None:
    made = pages(Registry(t for t in TASKS if t.module.startswith("autotrain_gradio.")))
    assert len(made) == len(FOLDERS) + 2
    for name, text in made.items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"{name}: run 'make generate'"


def test_tasks_of_a_modality_are_in_the_order_of_position_and_registration() -> None:
    named = {n: replace(TASKS[0], name=n, aliases=(), modality="Toys", position=p) for n, p in (("c", 9), ("b", 9))}
    first = replace(TASKS[0], name="z", aliases=(), modality="Toys", position=1)
    found = Registry([*named.values(), first]).modalities()
    assert [t.name for t in found["Toys"]] == ["z", "c", "b"]
    assert [t.name for t in registry().modalities()["Text"]][0] == "text-classification", "what most people look for"
