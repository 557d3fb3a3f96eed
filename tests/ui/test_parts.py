"""The parts of the page that need no browser: panels as HTML, the form, labels, times, tickets."""

from __future__ import annotations

import asyncio
import math
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import Finding, NotFound, UserError
from autotrain_gradio.tasks.base import Chart, Input
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui import (
    answers,
    background_task,
    check_view,
    examples,
    form,
    label_table,
    messages,
    models,
    run_html,
)
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.chart_svg import SERIES_COLOURS
from autotrain_gradio.ui.files import Tickets, link
from autotrain_gradio.ui.panels import figure, to_html
from autotrain_gradio.ui.serialized_render import SerializedRenderBlocks
from autotrain_gradio.ui.step_check import project_name
from autotrain_gradio.ui.task_form import TaskForm, merge

EVIL = "<script>alert('x')</script>\"&"
TASK = registry().get("image-classification")


def test_every_kind_of_panel_is_drawn_and_escaped() -> None:
    drawn = to_html(
        [
            panels.numbers(EVIL, {EVIL: EVIL}, note=EVIL),
            panels.bars(EVIL, [EVIL], {EVIL: [1], "b": [2]}, unit=EVIL),
            panels.lines(EVIL, {EVIL: [(0, 1.0), (1, math.nan), (2, 0.5)], "b": []}),
            panels.scatter(EVIL, [(0, 1.0), (1, 2.0)], x=EVIL, y=EVIL, line="diagonal"),
            panels.matrix(EVIL, [EVIL, "b"], [[1, 2], [0, 3]], rows=EVIL, columns=EVIL),
            panels.table(EVIL, [EVIL, "n"], [[EVIL, 0.5]]),
            panels.gallery(EVIL, [{"file": f"check/{EVIL}.jpg", "caption": EVIL, "group": EVIL, "tone": "bad"}]),
            panels.transcripts(
                EVIL,
                [{"reference": EVIL, "prediction": f"{EVIL} <b>raw", "file": f"report/{EVIL}.wav", "caption": EVIL}],
            ),
            panels.tokens(EVIL, [{"label": EVIL, "read": [EVIL], "cut": [f"{EVIL} <b>raw"], "more": 3}]),
            panels.markdown("**bold** <b>raw</b>"),
            {"kind": "unheard-of", "title": EVIL},
        ],
        link("run"),
    )
    assert "<script" not in drawn and "<b>raw" not in drawn
    assert drawn.count("<section") == len(panels.KINDS) + 1
    assert "<strong>bold</strong>" in drawn and "unheard-of" in drawn
    assert "autotrain/files/run/check/%3Cscript%3E" in drawn


def test_an_empty_table_is_its_note_and_one_of_texts_is_read_on_a_phone() -> None:
    assert "<table" not in to_html([panels.table("Mistakes", ["text"], [], note="None is wrong.")], link("run"))
    assert "None." in to_html([panels.table("Mistakes", ["text"], [])], link("run"))
    long = to_html([panels.table("Mistakes", ["text", "true"], [["word " * 20, "good"]])], link("run"))
    assert "at-of-texts" in long and "<td data-name='true'>good" in long
    assert "at-of-texts" not in to_html([panels.table("Each", ["class", "F1"], [["good", 0.5]])], link("run"))


def test_tokens_that_are_cut_off_are_marked_by_their_element() -> None:
    items = [{"label": "row 1", "read": ["[CLS]", "we"], "cut": ["well"], "more": 1200}]
    drawn = to_html([panels.tokens("Read", items)], link("run"))
    assert "<span>[CLS]</span> <span>we</span> <del>well</del>" in drawn and "and 1,200 more" in drawn


def test_an_answer_with_several_labels_shows_those_given_and_each_threshold() -> None:
    answer = {"labels": [EVIL], "scores": {EVIL: 0.6, "b": 0.3}, "thresholds": {EVIL: 0.25, "b": 0.5}}
    drawn = answers.draw(answer)[1]
    assert "<script" not in drawn and drawn.count("class='at-given'") == 1 and drawn.count("✓") == 1
    assert "width:60.0%" in drawn and "left:25.0%" in drawn and "left:50.0%" in drawn
    assert "No label" in answers.draw({**answer, "labels": []})[1]
    assert "threshold" not in answers.draw({"labels": ["b"], "scores": {"b": 0.5}})[1]


def test_sounds_are_players_that_load_nothing_until_played() -> None:
    items = [
        {"file": "check/a.wav", "caption": "नमस्ते", "detail": "speaker 1 · 2.0 s", "group": "train"},
        {"file": "check/a.jpg", "group": "train"},
    ]
    drawn = to_html([panels.gallery("Examples", items)], link("run"))
    assert drawn.count("<audio controls preload='none' src='autotrain/files/run/check/a.wav'") == 1
    assert drawn.count("<img") == 1 and "<p class='at-caption' dir='auto'>नमस्ते</p>" in drawn
    assert "speaker 1 · 2.0 s" in drawn and "aria-label='Play: नमस्ते'" in drawn


def test_differences_of_transcripts_are_marked_by_elements_not_only_by_colour() -> None:
    rows = [
        {"reference": "one cat three", "prediction": "one cut extra", "wer": 1.0, "cer": 0.5},
        {"reference": "", "prediction": "a"},
        {"reference": "b", "prediction": ""},
    ]
    drawn = to_html([panels.transcripts("Heard", rows)], link("run"))
    assert "Said</dt><dd dir='auto'>one <mark class='at-swap'>c<u>a</u>t</mark>" in drawn
    assert "WER 100% · CER 50%" in drawn
    assert "<ins class='at-extra'>a</ins>" in drawn and "<del class='at-missing'>b</del>" in drawn
    assert drawn.count("(nothing)") == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (0.93333, "0.9333"),
        (9.2e-4, "0.00092"),
        (5e-5, "5.0e-05"),
        (math.nan, "–"),
        (None, "–"),
        (2.0, "2"),
        ("a", "a"),
    ],
)
def test_figures_are_readable(value: object, text: str) -> None:
    assert figure(value) == text


def test_the_form_has_a_widget_for_each_parameter_and_gives_back_what_it_shows() -> None:
    values = {name: field.default for name, field in TASK.params.model_fields.items()}
    with gr.Blocks():
        fields = form.widgets(TASK.params, list(TASK.params.model_fields), {}, prefix="x")
    assert [f.name for f in fields] == list(values)
    read = {f.name: f.read(f.show(values[f.name])) for f in fields}
    assert TASK.params.model_validate(read).model_dump() == TASK.params().model_dump()
    assert all(f.widget.info for f in fields), "every parameter says what it does"
    by_name = {f.name: f for f in fields}
    assert "1 to 10,000" in by_name["epochs"].widget.info
    assert by_name["eval_steps"].read("") is None and by_name["eval_steps"].read("20") == 20
    assert by_name["eval_steps"].read("many") == "many"  # for the spec's check to name
    assert by_name["mixed_precision"].read(form.NONE) is None
    assert by_name["epochs"].read(2.5) == 2.5


def test_the_form_follows_the_model_where_nobody_changed_it() -> None:
    with gr.Blocks():
        task_form = TaskForm(TASK, gr.State({}), gr.State({}), usual=gr.State({}))
        task_form.params = form.widgets(TASK.params, list(TASK.params.model_fields), {}, prefix="y")
    usual = task_form.defaults("")
    values = [f.show(usual[f.name]) for f in task_form.params]
    changed = {f.name: n for n, f in enumerate(task_form.params)}
    values[changed["lr"]] = 0.5
    updates = task_form.follow_model(usual, "tiny", "", *values)
    told = {f.name: updates[f.widget] for f in task_form.params if f.widget in updates}
    assert told["epochs"] == TASK.defaults("tiny")["epochs"]
    assert "lr" not in told, "what a person set stays"


def test_what_was_heard_is_shown_with_the_times_of_its_parts() -> None:
    parts = [{"start": 0.0, "end": 4.25, "text": "नमस्ते"}, {"start": 4.25, "end": 3725.0, "text": EVIL}]
    drawn = answers.draw({"text": "नमस्ते <b>", "seconds": 3725.0, "segments": parts, "note": "Cut."})[1]
    assert "नमस्ते &lt;b&gt;" in drawn and "0:00.0–0:04.2" in drawn and "0:04.2–1:02:05" in drawn
    assert "<script" not in drawn and "Cut." in drawn
    assert "Nothing was heard" in answers.draw({"text": " ", "segments": []})[1]


def test_labels_are_renamed_merged_and_left_out() -> None:
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
    assert view.ready and "worth a look" in view.summary and "a.jpg" in view.findings
    blocked = check_view.view(TASK, "d", {**check, "findings": [warning, Finding("error", "e", "Broken").to_dict()]})
    assert not blocked.ready and "1 thing must be mended" in blocked.summary
    assert blocked.findings.index("Broken") < blocked.findings.index("Odd"), "the gravest first"
    assert not check_view.view(TASK, "d", None).ready


def test_a_column_that_only_the_person_can_name_is_asked_for_and_no_mistake() -> None:
    asked = Finding("error", "column-unclear", "Say which column.", where="data.columns.target").to_dict()
    check = {"layout": {"title": "A table"}, "rows": 5, "columns": [], "findings": [asked]}
    view = check_view.view(TASK, "d", check)
    assert not view.ready and view.asks and "One question first" in view.summary
    assert "at-asking" in view.summary and "at-question" in view.findings and "at-error" not in view.findings
    broken = check_view.view(TASK, "d", {**check, "findings": [asked, Finding("error", "e", "Broken").to_dict()]})
    assert "2 things must be mended" in broken.summary and "at-blocked" in broken.summary


def test_a_setting_that_the_page_shows_is_named_as_it_stands_there() -> None:
    found = [Finding("info", "c", "Guessed", where="data.columns.text").to_dict()]
    assert "under &#x27;Columns&#x27;" in messages.findings(found)
    assert "params.lr" in messages.findings([Finding("error", "e", "Odd", where="params.lr").to_dict()])


def test_errors_are_told_with_place_and_advice() -> None:
    html = messages.error(UserError("Bad <zip>", "Pack it again.", "photos.zip"))
    assert "Bad &lt;zip&gt;" in html and "Pack it again." in html and "photos.zip" in html


@pytest.mark.parametrize("background", ["#ffffff", "#0f172a"])  # the cards of both modes
def test_the_colours_of_series_are_told_from_their_background(background: str) -> None:
    def luminance(colour: str) -> float:
        """Return the relative luminance, from 0 to 1 (WCAG 2.2)."""
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for colour in SERIES_COLOURS:
        low, high = sorted((luminance(colour), luminance(background)))
        assert (high + 0.05) / (low + 0.05) >= 3, colour


def test_texts_to_try_are_those_that_were_shown_predictions_of() -> None:
    def run(columns: list[str], *texts: str) -> dict[str, Any]:
        return {"samples": [{"step": 1, "panel": panels.table("", columns, [[t, "✓"] for t in texts])}]}

    wanted = [Input("text", "A text", "text")]
    assert examples.texts(run(["text", ""], "a long one…", "one", "one", "three", EVIL), wanted)[:2] == ["one", "three"]
    assert examples.texts(run(["text", ""], "cut…"), wanted) == ["cut"]
    assert not examples.texts(run(["model", ""], "one"), wanted)
    assert not examples.texts({"samples": []}, wanted)
    assert not examples.texts(run(["text"], "one"), [*wanted, Input("other", "Another", "text")])
    assert examples.html([]) == "" and "<script" not in examples.html([EVIL])
    assert examples.chosen({"text": "x"}) == "x" and examples.chosen(None) == examples.chosen({"text": 3}) == ""


def test_a_chart_seeds_every_series_so_that_late_ones_are_drawn() -> None:
    chart = Chart("Loss", {"loss": "training", "eval_loss": "validation"})
    table = run_html.chart_table(chart, {"loss": [[1, 0.5], [2, None]]})
    assert set(table["series"]) == {"training", "validation"}
    assert table["value"].notna().sum() == 1
    assert run_html.series_with_points(chart, {"loss": [[1, 0.5]]}) == ["training"]


@pytest.mark.parametrize(("seconds", "text"), [(8, "8 s"), (185, "3 min 5 s"), (1500, "25 min"), (7800, "2 h 10 min")])
def test_durations(seconds: float, text: str) -> None:
    assert run_html.format_duration(seconds) == text


def test_models_are_chosen_by_suggestion_by_name_or_tiny() -> None:
    for model in ("microsoft/resnet-18", "tiny", "somebody/else", "/a/folder"):
        assert models.join(*models.split(TASK, model)) == model
    assert models.split(TASK, "") == (TASK.default_model, "")
    assert "folder" not in models.choices(TASK, folders=False)[-1][0]


def test_without_a_gpu_a_model_that_trains_well_without_one_comes_first() -> None:
    for task in registry():
        with_one, without = (models.choices(task, folders=False, gpu=gpu) for gpu in (True, False))
        assert sorted(with_one) == sorted(without)
        if task.models:
            assert with_one[0][1] == task.first_model(gpu=True) == task.default_model
            assert without[0][1] == task.first_model(gpu=False)
            assert "GPU" not in without[0][0]
    assert TASK.first_model(gpu=False) == "microsoft/resnet-50"


def test_a_ticket_runs_out(tmp_path: Path) -> None:
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
    assert [next(listening), next(listening)] == [("half", 0.5)] * 2 and not left
    listening.close()  # as Gradio does when a page is gone
    assert left == given
    end.set()
    list(run_in_background(lambda tell: 42, on_disconnect=left.append))
    assert left == given


def test_merge_is_deep_and_leaves_its_base_alone() -> None:
    base = {"labels": {"a": "b"}, "path": "x"}
    assert merge(base, {"labels": {"c": None}}) == {"labels": {"a": "b", "c": None}, "path": "x"}
    assert base == {"labels": {"a": "b"}, "path": "x"}


@pytest.mark.parametrize(
    ("data", "name", "project"),
    [
        ({"path": "holiday photos.zip and 3 more"}, "my-model", "holiday-photos"),
        ({"path": "/home/me/leaves"}, "my-model", "leaves"),
        ({"path": "LiFE export x.zip", "options": {"projects": ["Bhojpuri", "Magahi"]}}, "my-model", "Bhojpuri"),
        ({"path": "user/beans"}, "mine", "mine"),
        ({}, "my-model", "my-model"),
    ],
)
def test_a_project_is_named_after_its_data(data: dict[str, Any], name: str, project: str) -> None:
    assert project_name(data, name) == project


def test_the_tabs_of_a_session_are_rendered_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
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
