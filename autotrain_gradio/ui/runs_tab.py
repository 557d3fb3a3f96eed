"""Runs: all of them, with what can be done to each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, run_html
from autotrain_gradio.ui.shell import PRIVATE, QUICK, Shell

REFRESH_SECONDS = 3.0
ACTIONS = ("open", "resume", "stop", "again", "delete")

SCRIPT = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (!button) return;
  if (button.dataset.action === 'delete' && !button.dataset.sure) {
    button.dataset.sure = 'yes';
    button.textContent = 'Delete for good?';
    setTimeout(() => { delete button.dataset.sure; button.textContent = 'Delete'; }, 5000);
    return;
  }
  trigger('click', {action: button.dataset.action, run: button.dataset.run});
});
"""
EMPTY = (
    "<div class='at-empty'><h2>No runs yet</h2><p>Everything that you train is listed here, with its curves, its "
    "results and its model. Choose a task above and drop your data, or use its sample to see how it goes.</p></div>"
)


@dataclass
class RunsTab:
    """The list, and its events."""

    shell: Shell
    box: Any
    problem: Any
    table: Any
    timer: Any
    sent: Any
    chosen: Any

    @classmethod
    def build(cls, shell: Shell) -> RunsTab:
        """Create the list."""
        with gr.Column(elem_id="runs-list") as box:
            problem = gr.HTML(elem_id="runs-problem", elem_classes="at-live")
            table = gr.HTML(EMPTY, js_on_load=SCRIPT, elem_id="runs-table")
        timer = gr.Timer(REFRESH_SECONDS, active=False)
        self = cls(shell, box, problem, table, timer, gr.State(0), gr.State(None))
        timer.tick(self.refresh, [shell.visitor, self.sent], [table, self.sent], **QUICK)
        table.click(
            self._clicker(),
            [shell.visitor],
            [problem, shell.turn, self.chosen, self.sent],
            show_progress="hidden",
            concurrency_limit=None,
            **PRIVATE,
        ).then(self.refresh, [shell.visitor, self.sent], [table, self.sent], **QUICK)
        return self

    def refresh(self, visitor: Any, sent: Any) -> tuple[Any, Any]:
        """Show the list, if it differs from what was sent last."""
        try:
            html = listing(
                self.shell.service.runs(self.shell.owner(visitor)), {t.name: t for t in self.shell.service.tasks}
            )
        except UserError as error:
            html = messages.error(error)
        digest = hash(html)
        return (gr.skip(), gr.skip()) if digest == sent else (html, digest)

    def _clicker(self) -> Any:
        def act(visitor: Any, event: gr.EventData) -> tuple[Any, Any, Any, Any]:
            asked = event._data if isinstance(event._data, dict) else {}
            run, action = asked.get("run"), asked.get("action")
            if not isinstance(run, str) or action not in ACTIONS:
                return gr.skip(), gr.skip(), gr.skip(), gr.skip()
            service = self.shell.service
            opened, chosen = gr.skip(), gr.skip()
            try:
                owner = self.shell.owner(visitor)
                if action == "open":
                    opened = self.shell.to(run)
                elif action == "again":
                    chosen = {"run": run, "at": time.time()}
                elif action == "delete":
                    service.delete(run, owner)
                elif action == "resume":
                    service.resume(run, owner)
                elif action == "stop":
                    service.stop(run, owner)
            except UserError as error:
                return messages.error(error), gr.skip(), gr.skip(), 0
            return "", opened, chosen, 0

        return act


def listing(rows: Sequence[Mapping[str, Any]], tasks: Mapping[str, Task]) -> str:
    """Draw the runs as a table, which becomes cards where it is narrow."""
    if not rows:
        return EMPTY
    head = "".join(f"<th scope='col'>{h}</th>" for h in ("Project", "State", "Best metric", "Data", "Started"))
    head += "<th scope='col'><span class='at-sr'>Actions</span></th>"
    body = "".join(_row(row, tasks.get(str(row.get("task")))) for row in rows)
    return f"<table class='at-runs'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(row: Mapping[str, Any], task: Task | None) -> str:
    run, can = escape(str(row["id"]), quote=True), row.get("can") or {}
    model = "tiny, from scratch" if row.get("model") == TINY else str(row.get("model") or "")
    name = escape(str(row.get("project_name") or row["id"]))
    title = f"<button type='button' class='at-link' data-action='open' data-run='{run}'>{name}</button>"
    sub = (
        f"<span class='at-quiet'>{escape(str(row.get('task_title') or row.get('task') or ''))} · {escape(model)}</span>"
    )
    state = run_html.badge(str(row["state"]), _state(row))
    best = row.get("best_metric")
    metric = "–"
    if best:
        name_shown, value = run_html.metric(best["name"], best["value"], task)
        metric = f"{escape(name_shown)} <strong>{escape(value)}</strong>"
    begun, ended = row.get("started") or row.get("created"), row.get("finished")
    clock = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun)) if begun else ""
    when = f"<time datetime='{clock}' data-local='{clock}'>{clock}</time>" if clock else "–"
    took = f"<span class='at-quiet'>took {run_html.duration(ended - begun)}</span>" if begun and ended else ""
    actions = []
    for action, text in (("resume", "Resume"), ("stop", "Stop"), ("again", "Start again"), ("delete", "Delete")):
        if can.get(action) or (action == "again" and row.get("task")):
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
    position = row.get("queue_position")
    if row["state"] == "queued" and position:
        return f"Number {position} in the queue"
    words = {"cancelled": "Stopped", "running": "Training", "queued": "Waiting"}
    return words.get(str(row["state"]), str(row["state"]).capitalize())
