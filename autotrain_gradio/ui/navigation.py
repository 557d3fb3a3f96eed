"""Navigation: the initial view of a page, opening and closing runs, and reusing their settings."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs import states
from autotrain_gradio.ui import messages, theme
from autotrain_gradio.ui.page_context import PRIVATE, RUNS_TAB, UNQUEUED, PageContext
from autotrain_gradio.ui.run_view import RunView
from autotrain_gradio.ui.runs_tab import RunsTab
from autotrain_gradio.ui.task_session import TabState
from autotrain_gradio.ui.task_tab import TaskTab

Updates = dict[Any, Any]


@dataclass
class Navigation:
    """The parts of the page that navigation updates.

    modality_tabs: modality → the tabs of its tasks.
    task_tabs: name of a task → its tab.
    """

    context: PageContext
    page_tabs: gr.Tabs
    modality_tabs: dict[str, gr.Tabs]
    task_tabs: dict[str, TaskTab]
    runs: RunsTab
    view: RunView

    def wire(self, demo: gr.Blocks) -> None:
        """Attach the events of navigation."""
        context, runs, view = self.context, self.runs, self.view
        shown = [*view.open_outputs(), runs.box, runs.timer, *runs.page()]
        tabs = [self.page_tabs, *self.modality_tabs.values()]
        opened = [context.visitor, context.run, *tabs, *shown]
        loaded = demo.load(self.load, [context.visitor, context.run], opened, **UNQUEUED)
        # The tab is selected with the run's own content: it never shows the run that was open before.
        requested = context.requested_run.change(
            self.open_requested,
            [context.requested_run, context.visitor, runs.offset],
            [context.run, self.page_tabs, *shown],
            **UNQUEUED,
        )
        closed = view.back.click(self.close_run, [context.visitor, runs.offset], [context.run, *shown], **UNQUEUED)
        # Not by `run.change`: the browser restores the stored run before `load`, which would find it in the address.
        for event in (loaded, requested, closed):
            event.then(None, context.run, None, js=theme.script("set_run_url"), **PRIVATE)
        self.page_tabs.select(
            self.select_page_tab,
            [context.run, context.visitor, runs.offset],
            [runs.timer, *runs.page()],
            **UNQUEUED,
        )
        filled = [*tabs, context.requested_run, context.saved_draft, *(t.state for t in self.task_tabs.values())]
        for reuse, run, problem in (
            (view.actions.reuse.click, context.run, view.problem),
            (runs.reused.change, runs.reused, runs.problem),
        ):
            reuse(
                self._reuse_settings(problem),
                [run, context.visitor],
                [*filled, problem],
                show_progress="minimal",
                show_progress_on=problem,
                concurrency_limit=None,
                **PRIVATE,
            )

    def load(self, request: gr.Request, visitor: Any, run: Any) -> Updates:
        """Show the run or the tab that the URL names, else the active run that was open, else the first task.

        Gradio itself selects the tab of the first task.
        """
        context, query = self.context, request.query_params
        visitor = visitor if isinstance(visitor, str) and len(visitor) >= 16 else secrets.token_urlsafe(18)
        requested = query.get("run") or (run if not query.get("tab") and self._is_active(run) else None)
        updates: Updates = {context.visitor: visitor, context.run: requested}
        if requested or query.get("tab") == RUNS_TAB:
            return {**updates, self.page_tabs: gr.Tabs(selected=RUNS_TAB), **self.show_run(requested, visitor)}
        if tab := self.task_tabs.get(query.get("tab") or ""):
            return {**updates, **self._select_task(tab)}
        return updates

    def open_requested(self, requested: Any, visitor: Any, offset: int) -> Updates:
        """Open the requested run in its tab; without one, close the open run."""
        run = (requested or {}).get("run")
        tab = {self.page_tabs: gr.Tabs(selected=RUNS_TAB)} if run else {}
        return {self.context.run: run, **tab, **self.show_run(run, visitor, offset)}

    def close_run(self, visitor: Any, offset: int) -> Updates:
        """Show the list of runs instead of the open run."""
        return {self.context.run: None, **self.show_run(None, visitor, offset)}

    def show_run(self, run: Any, visitor: Any, offset: int = 0) -> Updates:
        """Show a run, or the list if there is none."""
        runs = self.runs
        updates = {**self.view.open(run), runs.box: gr.Column(visible=not run), runs.timer: gr.Timer(active=not run)}
        if not run:
            updates.update(zip(runs.page(), runs.refresh(visitor, None, offset), strict=True))
        return updates

    def select_page_tab(self, run: Any, visitor: Any, offset: int, event: gr.SelectData) -> Updates:
        """Refresh the list of runs only while it is visible."""
        runs, visible = self.runs, event.value == "Runs" and not run
        updates: Updates = {runs.timer: gr.Timer(active=visible)}
        if visible:
            updates.update(zip(runs.page(), runs.refresh(visitor, None, offset), strict=True))
        return updates

    def _reuse_settings(self, problem: gr.HTML) -> Callable[[Any, Any], Updates]:
        """Return a handler that fills a task's tab with the settings and data of a run."""

        def reuse(run: Any, visitor: Any) -> Updates:
            run = run.get("run") if isinstance(run, dict) else run
            context = self.context
            try:
                owner = context.owner(visitor)
                draft = context.service.clone(run, owner)
                tab = self.task_tabs[context.service.draft_state(draft, owner)["task"]]
                state = TabState.of_draft(context, draft, owner)
            except UserError as error:
                return {problem: messages.error(error)}
            # The data of a trained run is checked without another click.
            state = replace(state, step=3) if state.check else replace(state, checking=True)
            return {
                **self._select_task(tab),
                tab.state: state,
                context.saved_draft: {"task": tab.task.name, "draft": draft},
                context.requested_run: context.request_run(None),
            }

        return reuse

    def _select_task(self, tab: TaskTab) -> Updates:
        modality = tab.task.modality
        return {
            self.page_tabs: gr.Tabs(selected=modality),
            self.modality_tabs[modality]: gr.Tabs(selected=tab.task.name),
        }

    def _is_active(self, run: Any) -> bool:
        if not isinstance(run, str) or not run:
            return False
        try:
            snapshot = self.context.service.snapshot(run)
        except UserError:
            return False
        return snapshot is not None and snapshot["state"] in states.ACTIVE | {"queued"}
