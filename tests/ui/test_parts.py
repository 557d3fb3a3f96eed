"""The parts of the page that need no browser: panels as HTML, the form, labels, times, tickets."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.core import text_format
from autotrain_gradio.core.errors import Finding, NotFound, UserError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.spec import ResourceSpec
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Chart
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui import (
    background_task,
    check_view,
    label_table,
    messages,
    models,
    param_fields,
    run_html,
)
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.files import Tickets
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.run_charts import RunCharts
from autotrain_gradio.ui.serialized_render import SerializedRenderBlocks
from autotrain_gradio.ui.step_check import data_name, project_name
from autotrain_gradio.ui.task_form import TaskForm, merge, parameter_defaults

EVIL = "<script>alert('x')</script>\"&"
TASK = registry().get("image-classification")


def test_the_form_has_a_component_for_each_parameter_and_returns_what_it_shows() -> None:
    values = {name: field.default for name, field in TASK.params.model_fields.items()}
    with gr.Blocks():
        fields = param_fields.create_fields(TASK.params, TASK.params.model_fields, {}, prefix="x")
    assert [f.name for f in fields] == list(values)
    read = {f.name: f.read(f.show(values[f.name])) for f in fields}
    assert TASK.params.model_validate(read).model_dump() == TASK.params().model_dump()
    assert all(f.component.info for f in fields), "every parameter says what it does"
    by_name = {f.name: f for f in fields}
    assert "1 to 10,000" in by_name["epochs"].component.info
    assert by_name["eval_steps"].read("") is None and by_name["eval_steps"].read("20") == 20
    assert by_name["eval_steps"].read("many") == "many"  # for the spec's validation to report
    assert by_name["mixed_precision"].read(param_fields.NONE) is None
    assert by_name["epochs"].read(2.5) == 2.5


def test_unchanged_parameters_follow_the_defaults_of_the_model() -> None:
    with gr.Blocks():
        task_form = TaskForm.build(TASK, {}, available=models.Availability(), local_models=True)
    defaults = parameter_defaults(TASK, "")
    values: dict[Any, Any] = {f.component: f.show(defaults[f.name]) for f in task_form.params}
    fields = {f.name: f for f in task_form.params}
    values[fields["lr"].component] = 0.5
    values |= {task_form.model_defaults: defaults, task_form.model: "tiny", task_form.model_id: ""}
    updates = task_form.apply_model_defaults(values)
    assert updates[fields["epochs"].component] == TASK.defaults("tiny")["epochs"]
    assert fields["lr"].component not in updates, "what the user has set stays"


def test_a_spec_has_the_defaults_of_the_selected_model_before_the_form_shows_them() -> None:
    with gr.Blocks():
        task_form = TaskForm.build(TASK, {}, available=models.Availability(), local_models=True)
    fields = {f.name: f for f in task_form.params}
    values: dict[Any, Any] = {component: component.value for component in task_form.inputs()}
    before = task_form.spec(values)
    values |= {task_form.model: "tiny", fields["lr"].component: 0.5}  # no response of apply_model_defaults yet
    spec = task_form.spec(values)
    assert before["params"]["epochs"] != TASK.defaults("tiny")["epochs"] == spec["params"]["epochs"]
    assert spec["params"]["lr"] == 0.5, "what the user has set stays"
    shown = values | task_form.apply_model_defaults(values)
    assert task_form.spec(shown) == spec
    former = before["params"]["epochs"]
    edited = task_form.spec(shown | {fields["epochs"].component: former})
    assert edited["params"]["epochs"] == former, "what the user enters afterwards stays, too"


def test_the_form_keeps_the_sections_of_the_spec() -> None:
    spec = {"hub": {"push_to_hub": True}, "resources": {"processes": 2}, "data": {"path": "x", "max_samples": 5}}
    with gr.Blocks():
        task_form = TaskForm.build(TASK, spec, available=models.Availability(), local_models=True)
    made = task_form.spec({component: component.value for component in task_form.inputs()})
    assert made["hub"] == spec["hub"]
    assert ResourceSpec.model_validate(made["resources"]) == ResourceSpec(processes=2)
    assert made["data"]["path"] == "x" and made["data"]["max_samples"] == 5


def test_parameters_without_effect_are_shown_only_where_they_are_set() -> None:
    task = registry().get("llm-sft")
    hidden = {*task.params.no_effect, "disable_gradient_checkpointing"}
    given = {"unsloth": True, "use_flash_attention_2": False, "disable_gradient_checkpointing": True}
    with gr.Blocks():
        empty = TaskForm.build(task, {}, available=models.Availability(), local_models=True)
        filled = TaskForm.build(task, {"params": given}, available=models.Availability(), local_models=True)
    shown = {name for names in empty.groups().values() for name in names}
    assert shown == {f.name for f in empty.params} == set(task.params.model_fields) - hidden
    assert {f.name for f in filled.params} & hidden == {"unsloth", "disable_gradient_checkpointing"}
    made = filled.spec({component: component.value for component in filled.inputs()})
    assert made["params"]["unsloth"] is True and made["params"]["disable_gradient_checkpointing"] is True


def test_labels_are_renamed_merged_and_excluded() -> None:
    raw = [
        {"name": "Cat", "rows": 3, "to": "cat"},
        {"name": "dog", "rows": 2, "to": None},
        {"name": "cat", "rows": 1, "to": "cat"},
    ]
    shown = label_table.rows(raw)
    assert shown == [["Cat", 3, "cat", True], ["dog", 2, "dog", False], ["cat", 1, "cat", True]]
    assert label_table.mapping(shown) == {"Cat": "cat", "dog": None}
    assert label_table.mapping([["a", 1, "", "true"], ["b", 1, " c ", "True"]]) == {"b": "c"}


def test_a_check_is_blocked_by_an_error_only() -> None:
    check = {"layout": {"title": "Folders", "reason": "3 folders"}, "rows": 5, "columns": [], "splits": {"train": 5}}
    warning = Finding("warning", "w", "Odd", "Look", "a.jpg").to_dict()
    view = check_view.view(TASK, "d", {**check, "findings": [warning]})
    assert view.ready and "with 1 warning" in view.summary and "a.jpg" in view.findings
    blocked = check_view.view(TASK, "d", {**check, "findings": [warning, Finding("error", "e", "Broken").to_dict()]})
    assert not blocked.ready and "1 error to fix" in blocked.summary
    assert blocked.findings.index("Broken") < blocked.findings.index("Odd"), "the gravest first"
    assert not check_view.view(TASK, "d", None).ready


def test_an_unclear_column_is_a_question_and_not_an_error() -> None:
    asked = Finding("error", "column-unclear", "Say which column.", where="data.columns.target").to_dict()
    check = {"layout": {"title": "A table"}, "rows": 5, "columns": [], "findings": [asked]}
    view = check_view.view(TASK, "d", check)
    assert not view.ready and view.asks and "1 column to select first" in view.summary
    assert "at-asking" in view.summary and "at-question" in view.findings and "at-error" not in view.findings
    broken = check_view.view(TASK, "d", {**check, "findings": [asked, Finding("error", "e", "Broken").to_dict()]})
    assert "2 errors to fix" in broken.summary and "at-blocked" in broken.summary


def test_settings_are_named_by_their_section_on_the_page() -> None:
    found = [Finding("info", "c", "Guessed", where="data.columns.text").to_dict()]
    assert "under &#x27;Columns&#x27;" in messages.findings(found)
    assert "params.lr" in messages.findings([Finding("error", "e", "Odd", where="params.lr").to_dict()])


def test_errors_are_rendered_with_location_and_hint() -> None:
    html = messages.error(UserError("Bad <zip>", "Pack it again.", "photos.zip"))
    assert "Bad &lt;zip&gt;" in html and "Pack it again." in html and "photos.zip" in html


def test_a_chart_table_has_every_declared_series() -> None:
    chart = Chart("Loss", {"loss": "training", "eval_loss": "validation"})
    table = run_html.chart_table(chart, {"loss": [[1, 0.5], [2, None]]})
    assert set(table["series"]) == {"training", "validation"}
    assert table["value"].notna().sum() == 1
    assert run_html.series_with_points(chart, {"loss": [[1, 0.5]]}) == ["training"]


@pytest.mark.parametrize(("seconds", "text"), [(8, "8 s"), (185, "3 min 5 s"), (1500, "25 min"), (7800, "2 h 10 min")])
def test_duration_formatting(seconds: float, text: str) -> None:
    assert text_format.format_duration(seconds) == text


def test_models_are_suggested_named_or_tiny() -> None:
    for model in ("microsoft/resnet-18", "tiny", "somebody/else", "/a/folder"):
        assert models.join(*models.split(TASK, model)) == model
    assert models.split(TASK, "") == (TASK.default_model, "")
    assert "folder" not in models.choices(TASK, folders=False)[-1][0]


def test_models_for_cpus_come_first_without_a_gpu() -> None:
    for task in registry():
        with_one, without = (
            models.choices(task, folders=False, available=models.Availability(gpu)) for gpu in (True, False)
        )
        assert sorted(with_one) == sorted(without)
        if task.models:
            assert with_one[0][1] == task.first_model(gpu=True) == task.default_model
            assert without[0][1] == task.first_model(gpu=False)
            assert "GPU" not in without[0][0]
    assert TASK.first_model(gpu=False) == "microsoft/resnet-50"


def test_without_the_hub_a_downloaded_model_or_the_tiny_one_comes_first() -> None:
    offline = models.Availability(gpu=True, reachable=False)
    assert models.first(TASK, offline) == "tiny"
    labels = {value: label for label, value in models.choices(TASK, folders=True, available=offline)}
    assert "Not downloaded." in labels[TASK.default_model]
    assert list(labels)[0] == "tiny" and list(labels)[-1] == models.OTHER
    cached = models.Availability(reachable=False, downloaded=lambda model: model == "microsoft/resnet-50")
    assert models.first(TASK, cached) == "microsoft/resnet-50"
    tables = registry().get("tabular-classification")
    assert models.first(tables, offline) == tables.first_model(gpu=True)
    with gr.Blocks():
        form = TaskForm.build(TASK, {}, available=offline, local_models=True)
    assert form.model.value == "tiny" and "Hub is not reachable" in str(form.model.info)


def test_a_download_ticket_expires(tmp_path: Path) -> None:
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    file = tmp_path / "model.zip"
    file.write_bytes(b"zip")
    ticket = tickets.issue(file).rsplit("/", 1)[1]
    assert tickets.redeem(ticket) == file
    now[0] = 601.0
    with pytest.raises(NotFound):
        tickets.redeem(ticket)
    with pytest.raises(NotFound):
        tickets.redeem("guessed")


def test_background_work_ends_with_the_result_or_the_error() -> None:
    *_, done = run_in_background(lambda tell: tell("half", 0.5) or 42)
    assert done == Finished(42)

    def fails(tell: object) -> None:
        raise UserError("no")

    *_, failed = run_in_background(fails)
    assert failed.error.message == "no"
    with pytest.raises(ZeroDivisionError):
        list(run_in_background(lambda tell: 1 / 0))


def test_background_work_repeats_its_progress_and_reports_a_disconnect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background_task, "HEARTBEAT_SECONDS", 0.05)
    end, given, left = threading.Event(), [], []

    def work(tell: Any) -> None:
        given.append(tell)
        tell("half", 0.5)
        end.wait(20)

    listening = run_in_background(work, on_disconnect=left.append)
    assert next(listening) == background_task.STARTING
    assert [next(listening), next(listening)] == [("half", 0.5)] * 2 and not left
    listening.close()  # as Gradio does when a page is gone
    assert left == given
    end.set()
    list(run_in_background(lambda tell: 42, on_disconnect=left.append))
    assert left == given


def test_merge_is_recursive_and_does_not_change_its_base() -> None:
    base = {"labels": {"a": "b"}, "path": "x"}
    assert merge(base, {"labels": {"c": None}}) == {"labels": {"a": "b", "c": None}, "path": "x"}
    assert base == {"labels": {"a": "b"}, "path": "x"}


@pytest.mark.parametrize(
    ("data", "name", "project"),
    [
        ({"path": "holiday photos.zip and 3 more"}, "my-model", "holiday-photos"),
        ({"path": "/home/me/leaves"}, "my-model", "leaves"),
        (
            {"path": "export x.zip, opened 12:00", "options": {"projects": ["Bhojpuri", "Magahi"]}},
            "my-model",
            "Bhojpuri",
        ),
        ({"path": "user/beans"}, "mine", "mine"),
        ({}, "my-model", "my-model"),
    ],
)
def test_a_project_is_named_after_its_data(data: dict[str, Any], name: str, project: str) -> None:
    derived = data_name(data, registry().get("automatic-speech-recognition").sources)
    assert project_name(name, derived, "my-model") == project


def test_a_project_follows_other_data_unless_the_user_has_named_it() -> None:
    assert project_name("leaves", derived="beans", former="leaves") == "beans"
    assert project_name("mine", derived="beans", former="leaves") == "mine"
    assert project_name("", derived="beans", former="leaves") == "beans"


def test_renders_of_a_session_are_serialized(monkeypatch: pytest.MonkeyPatch) -> None:
    now, most = Counter[object](), Counter[object]()

    async def answer(self: object, block_fn: object, state: object = None, **more: object) -> dict[str, object]:
        key = (state, block_fn)
        now[state] += 1
        most[key] = max(most[key], now[state])
        await asyncio.sleep(0.01)
        now[state] -= 1
        return {}

    monkeypatch.setattr(gr.Blocks, "process_api", answer)

    class Event:
        def __init__(self, renderable: object) -> None:
            self.renderable = renderable

    blocks = SerializedRenderBlocks()
    tab, plain = Event(object()), Event(None)

    class Session:
        pass

    ana, ben = Session(), Session()

    async def visit() -> None:
        both = [blocks.process_api(tab, state=who) for who in (ana, ana, ana, ben)]
        await asyncio.gather(*both)
        await asyncio.gather(*(blocks.process_api(plain, state=ana) for _ in range(3)))

    with ThreadPoolExecutor(1) as pool:  # the browser's tests leave a loop that runs in this thread
        pool.submit(asyncio.run, visit()).result()
    assert most[(ana, tab)] == 1 and most[(ben, tab)] == 1
    assert most[(ana, plain)] == 3  # what builds nothing does not wait


def test_a_chart_without_points_is_hidden_once_the_run_has_ended(tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path), dispatch=False)
    with gr.Blocks():
        charts = RunCharts.build(PageContext(service))
    service.close()
    task = registry().get("llm-grpo")

    def update(state: str, version: int, series: dict[str, Any], *, styled: bool) -> list[Any]:
        return charts.update("run", {"state": state, "version": version, "series": series}, task, styled=styled)

    empty = next(i for i, chart in enumerate(task.charts) if "kl" in chart.series)
    full = next(i for i, chart in enumerate(task.charts) if "reward" in chart.series)
    points = {"reward": [[1, 0.5]]}
    opened = update("running", 1, {}, styled=True)
    assert opened[empty].visible and opened[full].visible, "a chart waits for points"
    for styled in (False, True):  # of a viewer who watched, and of one who opens the run later
        shown = update("completed", 2, points, styled=styled)
        assert shown[empty].visible is False and shown[full].visible
    resumed = update("completed", 3, {**points, "kl": [[2, 0.1]]}, styled=False)
    assert resumed[empty].visible, "a resumed run can get points later"
