"""The list of runs, with the actions for each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import format_duration, pluralize
from autotrain_gradio.runs import states
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, run_html, theme
from autotrain_gradio.ui.page_context import NO_PROGRESS, PRIVATE, UNQUEUED, PageContext

REFRESH_SECONDS = 3.0
PAGE_ROWS = 50
"""Runs on one page of the list."""
PAGES = {"newer": "Newer runs", "older": "Older runs"}
"""Action → label of its button below the list."""
ACTIONS = {"open": "", "resume": "Resume", "stop": "Stop", "again": "Reuse settings", "delete": "Delete"}
"""Action → label of its button; a run is opened by its name."""
EMPTY = (
    "<div class='at-empty'><h2>No runs yet</h2><p>Runs are listed here with their metrics, reports and models. "
    "Select a task above and upload your data, or try the task with its sample.</p></div>"
)


@dataclass
class RunsTab:
    """The list, and its events.

    digest: of the list that the browser shows, so that an unchanged list is not sent again.
    offset: number of runs before the first one of the page that the browser shows.
    reused: `{run, at}`: the run whose settings shall fill a form.
    """

    context: PageContext
    box: gr.Column
    problem: gr.HTML
    table: gr.HTML
    timer: gr.Timer
    digest: gr.State
    offset: gr.State
    reused: gr.State

    @classmethod
    def build(cls, context: PageContext) -> RunsTab:
        """Create the list, and attach its events."""
        with gr.Column(elem_id="runs-list") as box:
            problem = gr.HTML(elem_id="runs-problem", elem_classes="at-live")
            table = gr.HTML(EMPTY, js_on_load=theme.script("runs_table"), elem_id="runs-table")
        timer = gr.Timer(REFRESH_SECONDS, active=False)
        self = cls(context, box, problem, table, timer, gr.State(0), gr.State(0), gr.State(None))
        inputs = [context.visitor, self.digest, self.offset]
        timer.tick(self.refresh, inputs, self.page(), **UNQUEUED)
        table.click(
            self.act,
            [context.visitor, self.offset],
            [problem, context.requested_run, self.reused, self.digest, self.offset],
            concurrency_limit=None,
            **PRIVATE,
            **NO_PROGRESS,
        ).then(self.refresh, inputs, self.page(), **UNQUEUED)
        return self

    def page(self) -> list[Any]:
        """Return the components that `refresh` updates."""
        return [self.table, self.digest, self.offset]

    def refresh(self, visitor: Any, digest: int | None, offset: int) -> tuple[Any, Any, Any]:
        """Return a page of the list, its digest and its offset, or skips if it has not changed.

        The offset is lower than the requested one if runs were deleted meanwhile.
        """
        service = self.context.service
        try:
            page = service.runs_page(self.context.owner(visitor), offset=offset, limit=PAGE_ROWS)
        except UserError as error:
            html = messages.error(error)
            new_digest = hash(html)
            return (gr.skip(), gr.skip(), gr.skip()) if new_digest == digest else (html, new_digest, offset)
        new_digest = hash(repr(page))
        if new_digest == digest:
            return gr.skip(), gr.skip(), gr.skip()
        return render_runs(page, {t.name: t for t in service.tasks}), new_digest, page["offset"]

    def act(self, visitor: Any, offset: int, event: gr.EventData) -> dict[Any, Any]:
        """Perform the action that was clicked. The event comes from a browser and is not trusted."""
        data = event._data if isinstance(event._data, dict) else {}
        run, action = data.get("run"), data.get("action")
        if action in PAGES:
            return {self.offset: max(0, offset + (PAGE_ROWS if action == "older" else -PAGE_ROWS))}
        if not isinstance(run, str) or action not in ACTIONS:
            return {self.problem: gr.skip()}
        service, context = self.context.service, self.context
        updates: dict[Any, Any] = {self.problem: "", self.digest: 0}
        try:
            owner = context.owner(visitor)
            if action == "open":
                updates[context.requested_run] = context.request_run(run)
            elif action == "again":
                updates[self.reused] = {"run": run, "at": time.time()}
            elif action == "delete":
                service.delete(run, owner)
            elif action == "resume":
                service.resume(run, owner)
            elif action == "stop":
                service.stop(run, owner)
        except UserError as error:
            updates[self.problem] = messages.error(error)
        return updates


def render_runs(page: Mapping[str, Any], tasks: Mapping[str, Task]) -> str:
    """Render a page of runs as a table, which the stylesheet turns into cards on narrow screens.

    page: as `Service.runs_page` returns it.
    """
    rows = page["rows"]
    reading = messages.busy(f"Reading {pluralize(page['unread'], 'more run')} …") if page["unread"] else ""
    if not rows:
        return reading or EMPTY
    head = "".join(f"<th scope='col'>{h}</th>" for h in ("Project", "State", "Best metric", "Data", "Started"))
    head += "<th scope='col'><span class='at-sr'>Actions</span></th>"
    body = "".join(_render_row(row, tasks.get(str(row.get("task")))) for row in rows)
    table = f"<table class='at-runs'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return reading + table + _render_pages(page["offset"], len(rows), page["total"])


def _render_pages(offset: int, count: int, total: int) -> str:
    """Render which runs are shown and the buttons for the others; nothing if all are shown."""
    if count == total:
        return ""
    buttons = "".join(
        f"<button type='button' data-action='{action}'{'' if usable else ' disabled'}>{PAGES[action]}</button>"
        for action, usable in (("newer", offset > 0), ("older", offset + count < total))
    )
    shown = f"Runs {offset + 1:,} to {offset + count:,} of {total:,}"
    return f"<p class='at-pages'><span role='status'>{shown}</span><span class='at-row-actions'>{buttons}</span></p>"


def _render_row(row: Mapping[str, Any], task: Task | None) -> str:
    run, can = escape(str(row["id"]), quote=True), row.get("can") or {}
    model = "tiny, from scratch" if row.get("model") == TINY else str(row.get("model") or "")
    name = escape(str(row.get("project_name") or row["id"]))
    title = f"<button type='button' class='at-link' data-action='open' data-run='{run}'>{name}</button>"
    sub = (
        f"<span class='at-quiet'>{escape(str(row.get('task_title') or row.get('task') or ''))} · {escape(model)}</span>"
    )
    state = run_html.render_badge(str(row["state"]), _state(row))
    if row.get("reason"):
        state += f"<span class='at-quiet'>{escape(str(row['reason']))}</span>"
    best = row.get("best_metric")
    metric = "–"
    if best:
        name_shown, value = run_html.format_metric(best["name"], best["value"], task)
        metric = f"{escape(name_shown)} <strong>{escape(value)}</strong>"
    started, finished = row.get("started") or row.get("created"), row.get("finished")
    clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)) if started else ""
    when = f"<time datetime='{clock}' data-local='{clock}'>{clock}</time>" if clock else "–"
    took = f"<span class='at-quiet'>took {format_duration(finished - started)}</span>" if started and finished else ""
    actions = []
    for action, text in ACTIONS.items():
        if (text and can.get(action)) or (action == "again" and row.get("task")):
            actions.append(
                f"<button type='button' data-action='{action}' data-run='{run}' aria-label='{text}: {name}'>"
                f"{text}</button>"
            )
    cells = (
        ("Project", f"{title}{sub}"),
        ("State", state),
        ("Best metric", metric),
        ("Data", f"<span class='at-clip'>{escape(str(row.get('data') or '–'))}</span>"),
        ("Started", f"{when}{took}"),
        ("", f"<span class='at-row-actions'>{''.join(actions)}</span>"),
    )
    return f"<tr>{''.join(f'<td data-name={chr(39)}{n}{chr(39)}>{html}</td>' for n, html in cells)}</tr>"


def _state(row: Mapping[str, Any]) -> str:
    title, position = states.title(str(row["state"])), row.get("queue_position")
    return f"{title}, position {position}" if row["state"] == "queued" and position else title
