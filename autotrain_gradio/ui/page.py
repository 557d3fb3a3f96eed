"""The page: a tab for each modality with the tabs of its tasks, and a tab with the runs; and the server for it."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import gradio as gr
from fastapi import FastAPI

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import theme
from autotrain_gradio.ui.allowed_hosts import AllowedHosts
from autotrain_gradio.ui.files import Tickets, add_routes
from autotrain_gradio.ui.guarded_blocks import GuardedBlocks
from autotrain_gradio.ui.navigation import Navigation
from autotrain_gradio.ui.page_context import RUNS_TAB, PageContext
from autotrain_gradio.ui.request_guard import GuardRules
from autotrain_gradio.ui.run_view import RunView
from autotrain_gradio.ui.runs_tab import RunsTab
from autotrain_gradio.ui.task_tab import TaskTab, fill_on_first_selection
from autotrain_gradio.ui.upload_ledger import UploadLedger

NAME = "AutoTrain Gradio"
DELETE_CACHE_SECONDS = (3600, 24 * 3600)
"""Cleaning interval of Gradio's upload cache, and age of the deleted files; it contains no files of runs."""
MAX_SESSIONS = 500
BLOCK_SECONDS = 0.5
MAX_QUEUED_EVENTS = 2000
"""Events of all sessions that wait; further ones are refused, so that a flood of them does not fill the memory."""


def build(service: Service) -> gr.Blocks:
    """Build the page for a service. The result's `autotrain_context` is its `PageContext`."""
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000")
    rules = _rules(service, AllowedHosts(more=service.settings.hosts))
    with GuardedBlocks(title=NAME, analytics_enabled=False, delete_cache=DELETE_CACHE_SECONDS, rules=rules) as demo:
        context = PageContext(service)
        context.wire()
        gr.HTML(
            f"<header class='at-head'>{_logo()}<div><h1>{NAME}</h1><p>Fine-tune models on your own data, "
            "without code.</p></div></header>"
        )
        task_tabs: dict[str, TaskTab] = {}
        modality_tabs: dict[str, gr.Tabs] = {}
        with gr.Tabs(elem_id="main-tabs", overflow_behavior="wrap") as page_tabs:
            for modality, tasks in _offered(service).items():
                with (
                    gr.Tab(modality, id=modality, elem_id=f"modality-{modality.lower().replace(' ', '-')}"),
                    gr.Tabs(elem_classes="at-tasks", overflow_behavior="wrap") as modality_tabs[modality],
                ):
                    for task in tasks:
                        task_tabs[task.name] = TaskTab.build(task, context)
                fill_on_first_selection([task_tabs[task.name] for task in tasks])
            with gr.Tab("Runs", id=RUNS_TAB, elem_id="tab-runs"):
                runs = RunsTab.build(context)
                view = RunView.build(context)
        Navigation(context, page_tabs, modality_tabs, task_tabs, runs, view).wire(demo)
    demo.autotrain_context = context
    demo.checks = context.checks()
    return demo


def _offered(service: Service) -> dict[str, list[Task]]:
    """Return modality → the tasks that have a tab: on a shared page, without those that run code of the user."""
    shared, modalities = service.settings.shared, service.tasks.modalities()
    found = {m: [t for t in tasks if not (shared and t.local_only)] for m, tasks in modalities.items()}
    return {modality: tasks for modality, tasks in found.items() if tasks}


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
    """Serve the page; return the Blocks and the URL once it is ready, or when it ends if `block` is set.

    port: None for the first free one from 7860.
    auth: user and password; required if `share` is set.
    block: return only when the server is stopped.

    Raises:
        UserError: the port is in use, or a share link would have no password.
    """
    if share and auth is None:
        raise UserError("A share link needs a password.", "Give --auth user:password.", code="share-without-password")
    if port is not None and _is_in_use(host, port):
        raise UserError(
            f"Port {port} is in use: is the app running already?", "Choose another one with --port.", code="port-taken"
        )
    service.hub_models.refresh()
    demo = build(service)
    hosts = AllowedHosts(host, service.settings.hosts, share_url=lambda: demo.share_url)
    demo.rules = _rules(service, hosts)
    demo.queue(default_concurrency_limit=16, max_size=MAX_QUEUED_EVENTS)
    _, url, _ = demo.launch(
        server_name=host,
        server_port=port,
        share=share,
        auth=auth,
        prevent_thread_lock=True,
        quiet=quiet,
        ssr_mode=False,
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        state_session_capacity=MAX_SESSIONS,
        max_file_size=_largest_upload(service),
        blocked_paths=_blocked(service),
        favicon_path=theme.LOGO,
        app_kwargs={"lifespan": _lifespan(service, demo.autotrain_context.tickets)},
        footer_links=["settings"],
        theme=theme.theme(),
        css_paths=[theme.CSS],
        js=theme.SCRIPT.read_text(encoding="utf-8"),
    )
    if block:
        try:
            while demo.is_running:
                time.sleep(BLOCK_SECONDS)
        finally:
            demo.close(verbose=False)
    return demo, url


def _rules(service: Service, hosts: AllowedHosts) -> GuardRules:
    """Return what the page accepts: in shared mode, uploads are limited before anyone has a session."""
    settings = service.settings
    per_hour = settings.visitors.upload_bytes_per_hour if settings.shared else None
    ledger = UploadLedger(settings.uploads, largest=_largest_upload(service), per_hour=per_hour)
    return GuardRules(hosts, ledger, behind_proxy=settings.on_space)


def _largest_upload(service: Service) -> int:
    settings = service.settings
    limit = settings.limits.upload_bytes
    return round(min(limit, settings.visitors.upload_bytes or limit)) if settings.shared else limit


def _lifespan(service: Service, tickets: Tickets) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return a lifespan (Starlette) that adds the routes of runs before the server answers its first request."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        add_routes(app, service, tickets)
        yield

    return lifespan


def _blocked(service: Service) -> Sequence[str]:
    """Exclude the runs from Gradio's file route: the page serves their files by `add_routes`."""
    return [str(service.settings.home), str(Path.cwd())]


def _is_in_use(host: str, port: int) -> bool:
    """Whether another program listens on the port.

    Raises:
        UserError: the address is not one of this machine, or the port is reserved for the administrator.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        message = f"The app cannot listen on '{host}', port {port}: {error.strerror or error}."
        hint = "Name an address of this machine, such as 127.0.0.1 or 0.0.0.0, and a port from 1024."
        raise UserError(message, hint, "--host", "address-unusable") from None
    return False


def _logo() -> str:
    return theme.LOGO.read_text(encoding="utf-8")
