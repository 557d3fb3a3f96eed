"""The page: a tab for each modality with its tasks, then the runs; and how it is served."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import ACTIVE, Service
from autotrain_gradio.ui import messages, theme
from autotrain_gradio.ui.files import add_routes
from autotrain_gradio.ui.run_view import RunView
from autotrain_gradio.ui.runs_tab import RunsTab
from autotrain_gradio.ui.serialized_render import SteadyBlocks
from autotrain_gradio.ui.shell import PRIVATE, QUICK, RUNS, Shell
from autotrain_gradio.ui.task_tab import TaskTab, open_when_selected, seed_of_draft

NAME = "AutoTrain Gradio"
CACHE_SECONDS = (3600, 24 * 3600)
"""How often Gradio's own cache of uploads is swept, and from which age; a run's files are not in it."""
SESSIONS = 500
URL_SCRIPT = """(run) => {
  const url = new URL(window.location);
  const moved = (url.searchParams.get('run') || '') !== (run || '');
  if (run) url.searchParams.set('run', run); else url.searchParams.delete('run');
  const open = [...document.querySelectorAll('[role=tabpanel][id^="tab-"]')].find((node) => node.offsetParent);
  if (moved && !run && open) url.searchParams.set('tab', open.id.slice(4));
  // What a person opens or leaves is a place to come back to; what the page shows by itself is not.
  if (moved && navigator.userActivation?.hasBeenActive) window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
}"""


@dataclass
class Page:
    """The parts that navigation moves between."""

    shell: Shell
    tabs: Any
    modalities: dict[str, Any]
    tasks: dict[str, TaskTab]
    runs: RunsTab
    view: RunView


def build(service: Service) -> gr.Blocks:
    """Build the page over a service. `shell.tickets` of the result is on `demo.autotrain_shell`."""
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
    with SteadyBlocks(title=NAME, analytics_enabled=False, delete_cache=CACHE_SECONDS) as demo:
        shell = Shell(service)
        shell.listen()
        gr.HTML(
            f"<header class='at-head'>{_logo()}<div><h1>{NAME}</h1><p>From your own data to your own model, "
            "without code.</p></div></header>"
        )
        tasks: dict[str, TaskTab] = {}
        modalities: dict[str, Any] = {}
        with gr.Tabs(elem_id="main-tabs", overflow_behavior="wrap") as tabs:
            for modality, listed in service.tasks.modalities().items():
                with (
                    gr.Tab(modality, id=modality, elem_id=f"modality-{modality.lower().replace(' ', '-')}") as tab,
                    gr.Tabs(elem_classes="at-tasks", overflow_behavior="wrap") as inner,
                ):
                    for task in listed:
                        tasks[task.name] = TaskTab.build(task, shell, tabs)
                open_when_selected([tasks[t.name] for t in listed])
                modalities[modality] = (tab, inner)
            with gr.Tab("Runs", id=RUNS, elem_id="tab-runs"):
                runs = RunsTab.build(shell)
                view = RunView.build(shell)
        _navigate(demo, Page(shell, tabs, modalities, tasks, runs, view))
    demo.autotrain_shell = shell
    return demo


def _navigate(demo: gr.Blocks, page: Page) -> None:
    shell, view, runs = page.shell, page.view, page.runs

    def attach(request: gr.Request, visitor: Any, run: Any) -> dict[Any, Any]:
        """Decide what a fresh page shows: the run of its URL, one that is under way, its tab, or the first task.

        The first task's tab opens by itself: Gradio selects it. `?tab=` is kept by the page's script.
        """
        visitor = visitor if isinstance(visitor, str) and len(visitor) >= 16 else secrets.token_urlsafe(18)
        wanted = request.query_params.get("run") or (run if _active(shell.service, run) else None)
        updates: dict[Any, Any] = {shell.visitor: visitor, shell.run: wanted}
        if wanted:
            updates[page.tabs] = gr.Tabs(selected=RUNS)
            updates |= show(wanted, visitor)
        elif request.query_params.get("tab") == RUNS:
            updates[page.tabs] = gr.Tabs(selected=RUNS)
            updates |= show(None, visitor)
        elif tab := page.tasks.get(request.query_params.get("tab") or ""):
            updates[page.tabs] = gr.Tabs(selected=tab.task.modality)
            updates[page.modalities[tab.task.modality][1]] = gr.Tabs(selected=tab.task.name)
        return updates

    def show(run: Any, visitor: Any) -> dict[Any, Any]:
        updates = {**view.open(run), runs.box: gr.Column(visible=not run), runs.timer: gr.Timer(active=not run)}
        if not run:
            updates[runs.table], updates[runs.sent] = runs.refresh(visitor, None)
        return updates

    shown = [*view.opened(), runs.box, runs.timer, runs.table, runs.sent]
    inner = [tabs for _, tabs in page.modalities.values()]
    demo.load(attach, [shell.visitor, shell.run], [shell.visitor, shell.run, page.tabs, *inner, *shown], **QUICK)

    shell.run.change(show, [shell.run, shell.visitor], shown, **QUICK)
    shell.run.change(None, shell.run, None, js=URL_SCRIPT, **PRIVATE)

    def selected(run: Any, visitor: Any, event: gr.SelectData) -> dict[Any, Any]:
        """Keep the list fresh only while it is looked at."""
        here = event.value == "Runs"
        updates: dict[Any, Any] = {runs.timer: gr.Timer(active=here and not run)}
        if here and not run:
            updates[runs.table], updates[runs.sent] = runs.refresh(visitor, None)
        return updates

    page.tabs.select(selected, [shell.run, shell.visitor], [runs.timer, runs.table, runs.sent], **QUICK)

    moved = [page.tabs, *inner, shell.turn, shell.kept]
    opened = [*moved, *(t.seed for t in page.tasks.values())]

    def again(run: Any, visitor: Any) -> dict[Any, Any]:
        """Fill a task's tab with an earlier run's settings and data."""
        owner = shell.owner(visitor)
        draft = shell.service.again(run, owner)
        tab = page.tasks[shell.service.draft_state(draft, owner)["task"]]
        seed = seed_of_draft(shell, draft, owner)
        if seed["check"]:
            seed["step"] = 3
        else:
            seed["checking"] = True  # what was trained on is checked without another click
        return {
            page.tabs: gr.Tabs(selected=tab.task.modality),
            page.modalities[tab.task.modality][1]: gr.Tabs(selected=tab.task.name),
            tab.seed: seed,
            shell.kept: {"task": tab.task.name, "draft": draft},
            shell.turn: shell.to(None),
        }

    def again_from(problem: Any) -> Any:
        def act(run: Any, visitor: Any) -> dict[Any, Any]:
            run = run.get("run") if isinstance(run, dict) else run
            try:
                return again(run, visitor)
            except UserError as error:
                return {problem: messages.error(error)}

        return act

    for event, source, problem in (
        (view.buttons["again"].click, shell.run, view.problem),
        (runs.chosen.change, runs.chosen, runs.problem),
    ):
        event(
            again_from(problem),
            [source, shell.visitor],
            [*opened, problem],
            show_progress="minimal",
            concurrency_limit=None,
            **PRIVATE,
        )


def launch(
    service: Service,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    share: bool = False,
    auth: tuple[str, str] | None = None,
    block: bool = True,
    quiet: bool = False,
) -> tuple[gr.Blocks, str]:
    """Serve the page; return the Blocks and its URL once it is ready (at the end, when `block`).

    port: None for the first free one from 7860 on.
    auth: user and password; required with `share`.
    block: stay until the server is stopped.

    Raises:
        UserError: the port is taken, or a share link would be open to everybody.
    """
    if share and auth is None:
        raise UserError("A share link needs a password.", "Give --auth user:password.", code="share-without-password")
    if port is not None and _taken(host, port):
        raise UserError(
            f"Port {port} is in use: is the app running already?", "Choose another one with --port.", code="port-taken"
        )
    demo = build(service)
    demo.queue(default_concurrency_limit=16)
    app, url, _ = demo.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=auth,
        prevent_thread_lock=True,
        quiet=quiet,
        ssr_mode=False,
        run_history=False,
        show_error=False,
        state_session_capacity=SESSIONS,
        max_file_size=service.settings.limits.upload_bytes,
        blocked_paths=_blocked(service),
        favicon_path=theme.LOGO,
        footer_links=["settings"],
        theme=theme.theme(),
        css_paths=[theme.CSS],
        js=theme.SCRIPT.read_text(encoding="utf-8"),
    )
    add_routes(app, service, demo.autotrain_shell.tickets)
    if block:
        demo.block_thread()
    return demo, url


def _blocked(service: Service) -> Sequence[str]:
    """Keep Gradio's file route away from the runs: what the page shows of them has a route of its own."""
    return [str(service.settings.home), str(Path.cwd())]


def _active(service: Service, run: Any) -> bool:
    if not isinstance(run, str) or not run:
        return False
    try:
        snapshot = service.snapshot(run)
    except UserError:
        return False
    return snapshot is not None and snapshot["state"] in ACTIVE | {"queued"}


def _taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _logo() -> str:
    return theme.LOGO.read_text(encoding="utf-8")
