"""Render the snapshot of a run as HTML and as tables of points; the result is the same for every viewer."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from autotrain_gradio.core.panels import RenderContext, render_all_html, render_html
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import format_duration, format_value
from autotrain_gradio.runs import states
from autotrain_gradio.tasks.base import Chart, Task
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.files import link

Snapshot = Mapping[str, Any]
REPORTED_METRICS = 5
"""Metrics of a script that are shown above its charts, the main one first."""
TONES = {
    "completed": "good",
    "failed": "bad",
    "interrupted": "bad",
    "unreadable": "bad",
    "running": "live",
    "preparing": "live",
    "stopping": "live",
}


def render_badge(state: str, text: str) -> str:
    """Render a state. text: its title, perhaps with details."""
    return f"<span class='at-badge at-tone-{TONES.get(state, 'quiet')}'>{escape(text)}</span>"


def render_header(run: Snapshot) -> str:
    """Render the name, the facts and the state of a run."""
    model = "tiny, from scratch" if run["model"] == TINY else run["model"]
    facts = [str(run["task_title"]), *([str(model)] if model else [])]
    data = (run.get("spec") or {}).get("data") or {}
    if data.get("path"):
        facts.append(str(data["path"]))
    if (run.get("attempt") or 1) > 1:
        facts.append(f"attempt {run['attempt']}")
    state = str(run["state"])
    started, finished = run.get("started") or run.get("created"), run.get("finished")
    when = ""
    if started:
        clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started))
        if finished:
            when = f"<span>took {format_duration(finished - started)}</span>"
        elif state in states.ACTIVE:
            when = f"<span>for <span data-since='{clock}'>{format_duration(time.time() - started)}</span></span>"
        when += f"<span>started <time datetime='{clock}' data-local='{clock}'>{clock}</time></span>"
    parts = "".join(f"<span>{escape(f)}</span>" for f in facts)
    badge = render_badge(state, str(run.get("title") or states.title(state)))
    return (
        f"<div class='at-run-head'><h2>{escape(str(run['project_name']))}</h2>"
        f"<div class='at-run-state' role='status'>{badge}</div></div>"
        f"<p class='at-facts'>{parts}{when}</p>"
    )


def render_progress(run: Snapshot, task: Task | None = None) -> str:
    """Render the progress as text and as a bar; it has the same height in every state."""
    state, done = str(run["state"]), run.get("progress")
    if state == "queued":
        position = run.get("queue_position")
        line = f"Queued at position {position}. It starts automatically." if position else "Queued."
        if run.get("waiting_for_token"):
            line = "Queued: the run needs your access token, which is never stored. Enter it below and press Resume."
    elif state == "preparing":
        line = str(run.get("detail") or "Starting")
    elif done:
        unit = str(done.get("unit") or "step")
        words = [f"{unit} {done['step']:,} of {done['total']:,}"]
        if done["epochs"]:
            words.insert(0, f"Epoch {_epoch(done)} of {format_value(done['epochs'])}")
        words[0] = words[0][0].upper() + words[0][1:]
        if state == "running" and done.get("eta_seconds") is not None:
            words.append(f"about {format_duration(done['eta_seconds'])} left")
        line = " · ".join(words)
        if state == "running" and run.get("detail") and run["detail"] != run.get("title"):
            line += f" · {run['detail']}"
        if state == "stopping":
            saved = (
                "the current step is completed and a checkpoint is saved"
                if unit == "step"
                else "the best model is saved"
            )
            if task is not None and task.files_only:
                saved = "the files that were written are saved"
            line = f"Stopping: {saved}. {line}"
    else:
        nothing = "" if task is not None and task.files_only else "Nothing was trained"
        running = str(run.get("detail") or "Training")
        line = {"completed": "Finished", "running": running, "stopping": "Stopping"}.get(state, nothing)
    fraction = 1.0 if state == "completed" else float((done or {}).get("fraction") or 0)
    moving = " at-moving" if state in ("preparing", "queued") else ""
    return (
        f"<div class='at-run-progress'><p>{escape(line)}</p><div class='at-progress{moving}' role='progressbar'"
        f" aria-label='Training progress' aria-valuemin='0' aria-valuemax='100'"
        f" aria-valuenow='{100 * fraction:.0f}'>"
        f"<i style='width:{100 * fraction:.1f}%'></i></div></div>"
    )


def render_messages(run: Snapshot, task: Task | None = None) -> str:
    """Render the error or the reason for which a run ended early, and its warnings."""
    parts = []
    error = run.get("error")
    if error:
        parts.append(dict(error))
    elif run.get("reason"):
        level = "info" if run["state"] == "cancelled" else "error"
        parts.append({"level": level, "message": run["reason"]["message"], "hint": run["reason"].get("hint") or ""})
    elif run["state"] == "cancelled":
        has_model = (run.get("can") or {}).get("download")
        outcome = "The weights of the last checkpoint are saved." if has_model else "No checkpoint was saved."
        if task is not None and task.files_only:
            outcome = "The files that were written are saved." if has_model else "No files were written."
        parts.append({"level": "info", "message": f"Stopped on request. {outcome}"})
    notes = [{"hint": "", **n} for n in run.get("notes") or []]
    return messages.findings([*parts, *notes])


def render_metrics(run: Snapshot, task: Task | None) -> str:
    """Render the latest metrics, the main one first."""
    metrics = run.get("metrics") or {}
    names = []
    if task:
        names = [f"eval_{m.name}" for m in sorted(task.metrics, key=lambda m: m.name != task.headline)]
        names = [n for n in names if n in metrics and n != "eval_loss"][:4]
    names += [n for n in ("loss", "eval_loss") if n in metrics]
    empty = "Loss" if task is None or not task.listed else "Score"
    if task and task.charts_of:
        main = str(((run.get("spec") or {}).get("params") or {}).get(task.headline_param) or "")
        names, empty = sorted(metrics, key=lambda n: n != main)[:REPORTED_METRICS], "Metrics"
    items = "".join(
        f"<div><dt>{escape(title)}</dt><dd>{escape(value)}</dd></div>"
        for title, value in (format_metric(n, metrics[n], task) for n in names)
    )
    return f"<dl class='at-numbers at-tiles'>{items or f'<div><dt>{empty}</dt><dd>–</dd></div>'}</dl>"


def format_metric(name: str, value: Any, task: Task | None) -> tuple[str, str]:
    """Return the title of a metric and its value as text."""
    if task is not None and task.charts_of is not None:
        return name, _value(name, value, None)  # it has the name that the run gave it
    known = name if name.startswith("eval_") or name == "loss" else f"eval_{name}"
    return _name(known, task), _value(known, value, task)


def render_samples(run: Snapshot, number: int) -> str:
    """Render the sample predictions of one evaluation, counted from 0."""
    listed = run.get("samples") or []
    if not listed:
        return ""
    entry = listed[max(0, min(number, len(listed) - 1))]
    html = render_html(entry["panel"], RenderContext(link=link(run["id"], str(entry["step"]))))
    unit = str((run.get("progress") or {}).get("unit") or "step")
    return f"<p class='at-quiet'>After {escape(unit)} {entry['step']:,}</p>{html}"


def render_report(run: Snapshot) -> str:
    """Render the report."""
    panels = run.get("report") or []
    return render_all_html(panels, RenderContext(link=link(run["id"], str(run.get("attempt") or 1))))


def chart_table(chart: Chart, series: Mapping[str, Sequence[Sequence[float]]]) -> pd.DataFrame:
    """Return the points of a chart as rows `step, value, series`.

    Each series starts with a row without a value: Gradio shows only series that a plot had when it was first rendered.
    """
    rows: list[tuple[float, float, str]] = []
    for name, label in chart.series.items():
        points = series.get(name) or []
        rows.append((points[0][0] if points else 0, math.nan, label))
        rows.extend((p[0], math.nan if p[1] is None else p[1], label) for p in points)
    return pd.DataFrame(rows, columns=["step", "value", "series"])


def series_with_points(chart: Chart, series: Mapping[str, Any]) -> list[str]:
    """Return the labels of the series that have points."""
    return [label for name, label in chart.series.items() if series.get(name)]


def _epoch(done: Mapping[str, Any]) -> str:
    return f"{min(math.floor(float(done['epoch'])) + 1, math.ceil(float(done['epochs'])) or 1):,}"


def _name(name: str, task: Task | None) -> str:
    if name == "loss":
        return "Training loss"
    if name == "eval_loss":
        return "Validation loss"
    metric = task.metric(name) if task else None
    return metric.title if metric else name


def _value(name: str, value: Any, task: Task | None) -> str:
    metric = task.metric(name) if task and name.startswith("eval_") else None
    if metric and metric.percent and isinstance(value, int | float):
        return f"{100 * value:.1f} %"
    return format_value(round(value, 4) if isinstance(value, float) and abs(value) >= 0.001 else value)
