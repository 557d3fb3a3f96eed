"""The view of a run while it is active and after it has ended; one view for all tasks.

The page holds no state of the run. `LiveStatus` polls the text each second and triggers `refresh` when the rest has
changed; what is rendered of a version is rendered once for all viewers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import Forbidden, UserError
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import run_html
from autotrain_gradio.ui.live_status import LiveStatus
from autotrain_gradio.ui.log_view import create_log
from autotrain_gradio.ui.page_context import UNQUEUED, PageContext
from autotrain_gradio.ui.publish import PublishModel
from autotrain_gradio.ui.run_actions import RunActions
from autotrain_gradio.ui.run_charts import RunCharts
from autotrain_gradio.ui.run_samples import RunSamples
from autotrain_gradio.ui.run_verbs import RunVerbs
from autotrain_gradio.ui.try_it import TryIt

Updates = dict[Any, Any]


@dataclass
class RunView:
    """The components of the view.

    viewed: `{run, samples, model}` as the viewer saw them last: what has changed since decides what is updated.
    body: everything but the status; hidden until the first status has arrived.
    """

    context: PageContext
    viewed: gr.State
    box: gr.Column
    back: gr.Button
    status: gr.HTML
    body: gr.Column
    actions: RunActions
    problem: gr.HTML
    report_box: gr.Column
    report: gr.HTML
    try_it: TryIt
    verbs: RunVerbs
    charts: RunCharts
    samples: RunSamples
    publish: PublishModel
    log: gr.HTML
    yaml: gr.Code

    @classmethod
    def build(cls, context: PageContext) -> RunView:
        """Create the view, hidden, and attach its events."""
        viewed = gr.State({})
        with gr.Column(visible=False, elem_id="run-view") as box:
            back = gr.Button("← All runs", size="sm", elem_id="run-back", elem_classes="at-small-button")
            status = LiveStatus(context.service).create(elem_id="run-live")
            with gr.Column(visible=False, elem_id="run-body") as body:
                actions = RunActions.build(context)
                problem = gr.HTML(elem_id="run-problem", elem_classes="at-live")
                with gr.Column(visible=False, elem_id="run-results") as report_box:
                    report = gr.HTML(elem_id="run-report", elem_classes="at-grid")
                try_it = TryIt.build(context)
                verbs = RunVerbs.build(context)
                charts = RunCharts.build(context)
                samples = RunSamples.build(context)
                publish = PublishModel.build(context)
                with gr.Accordion("Log", open=False, elem_id="run-log-box"):
                    log = create_log(context.service, elem_id="run-log")
                with gr.Accordion("Settings as YAML", open=False, elem_id="run-yaml-box"):
                    yaml = gr.Code(language="yaml", interactive=False, show_label=False, elem_id="run-yaml")
        self = cls(
            context=context,
            viewed=viewed,
            box=box,
            back=back,
            status=status,
            body=body,
            actions=actions,
            problem=problem,
            report_box=report_box,
            report=report,
            try_it=try_it,
            verbs=verbs,
            charts=charts,
            samples=samples,
            publish=publish,
            log=log,
            yaml=yaml,
        )
        self._wire()
        return self

    def _wire(self) -> None:
        context = self.context
        inputs = [context.run, context.visitor, self.viewed, self.samples.evaluation]
        self.status.change(self.refresh, inputs, self.refresh_outputs(), **UNQUEUED)
        self.status.input(self.plot, context.run, self.charts.plots, **UNQUEUED)
        self.actions.wire(self.problem)
        self.samples.wire()
        self.publish.wire()

    def open_outputs(self) -> list[Any]:
        """Return the components that `open` sets."""
        return [self.box, self.status, self.log, self.body, self.actions.confirm_delete, self.problem]

    def refresh_outputs(self) -> list[Any]:
        """Return the components that `refresh` sets."""
        return [
            *(self.viewed, self.body, self.report_box, self.report, self.yaml),
            *self.actions.outputs(),
            *self.samples.outputs(),
            *self.charts.plots,
            *self.try_it.outputs(),
            *self.verbs.outputs(),
            *self.publish.outputs(),
        ]

    def open(self, run: Any) -> Updates:
        """Show a run, or hide the view; the body follows with the first status."""
        return {
            self.box: gr.Column(visible=bool(run)),
            self.status: run or "",
            self.log: run or "",
            self.body: gr.Column(visible=False),
            self.actions.confirm_delete: gr.Row(visible=False),
            self.problem: "",
        }

    def refresh(self, run: Any, visitor: Any, viewed: Any, evaluation: Any) -> Updates:
        """Update everything but the status: the run has changed its state, or has new results."""
        snapshot = self._snapshot(run)
        if snapshot is None:
            return {self.body: gr.Column(visible=False), self.viewed: {}}
        owned, task = self._is_owner(run, visitor), self._task(snapshot)
        can, report = snapshot["can"], snapshot.get("report")
        viewed = viewed or {}
        opened = viewed.get("run") != run
        has_model = bool(can.get("download"))
        emptied = opened or (has_model and not viewed.get("model"))
        count = len(snapshot.get("samples") or [])
        return {
            self.viewed: {"run": run, "samples": count, "model": has_model},
            self.body: gr.Column(visible=True),
            self.yaml: self._yaml(snapshot),
            self.report_box: gr.Column(visible=bool(report)),
            self.report: run_html.render_report(snapshot),
            **self.actions.update(
                can,
                reusable=task is not None and snapshot["state"] != "draft",
                kept=task.kept if task else "the weights",
                files="the files" if task and task.files_only else "the model",
                owned=owned,
                needs_token=bool(snapshot.get("needs_token")),
            ),
            **self.try_it.show(snapshot, task, emptied=emptied),
            **self.verbs.show(snapshot, emptied=emptied),
            **self.publish.update(owned and bool(can.get("download")), reset=opened),
            **self.samples.update(
                snapshot,
                task,
                shown_evaluations=0 if opened else int(viewed.get("samples") or 0),
                evaluation=evaluation,
            ),
            **dict(zip(self.charts.plots, self.charts.update(run, snapshot, task, styled=opened), strict=False)),
        }

    def plot(self, run: Any) -> list[Any]:
        """Update the charts with new points."""
        snapshot = self._snapshot(run)
        if snapshot is None:
            return [gr.skip() for _ in self.charts.plots]
        return self.charts.update(run, snapshot, self._task(snapshot), styled=False)

    def _snapshot(self, run: Any) -> dict[str, Any] | None:
        try:
            return self.context.service.snapshot(run) if run else None
        except UserError:
            return None  # the status shows the error

    def _task(self, snapshot: Mapping[str, Any]) -> Task | None:
        return next((t for t in self.context.service.tasks if t.name == snapshot["task"]), None)

    def _is_owner(self, run: Any, visitor: Any) -> bool:
        try:
            return self.context.service.owns(run, self.context.owner(visitor))
        except Forbidden:
            return False  # a browser that stores nothing can view runs

    def _yaml(self, snapshot: Mapping[str, Any]) -> str:
        try:
            return self.context.service.yaml(snapshot["spec"])
        except UserError as error:
            # A run of a task that is not installed any more can be viewed, but has no YAML.
            return f"# {error.message}"
