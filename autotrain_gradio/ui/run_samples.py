"""The sample predictions of a run: of the latest evaluation, or of an earlier one chosen by a slider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages, run_html
from autotrain_gradio.ui.page_context import UNQUEUED, PageContext


@dataclass
class RunSamples:
    """The heading, the slider and the predictions."""

    context: PageContext
    box: gr.Column
    heading: gr.HTML
    evaluation: gr.Slider
    predictions: gr.HTML

    @classmethod
    def build(cls, context: PageContext) -> RunSamples:
        """Create the components, hidden."""
        with gr.Column(visible=False, elem_id="run-samples-box") as box:
            heading = gr.HTML(elem_id="run-samples-heading")
            evaluation = gr.Slider(
                1, 2, value=2, step=1, label="Evaluation", visible=False, interactive=True, elem_id="run-sample"
            )
            predictions = gr.HTML(elem_id="run-samples")
        return cls(context, box, heading, evaluation, predictions)

    def outputs(self) -> list[Any]:
        """Return the components that `update` sets."""
        return [self.box, self.heading, self.evaluation, self.predictions]

    def update(
        self, snapshot: Mapping[str, Any], task: Task | None, *, shown_evaluations: int, evaluation: Any
    ) -> dict[Any, Any]:
        """Return the updates for a run: the latest evaluation, unless the viewer has chosen an earlier one.

        shown_evaluations: how many the viewer could choose from until now; evaluation: which one is shown, from 1.
        """
        count = len(snapshot.get("samples") or [])
        if shown_evaluations > 1 and evaluation is not None and int(evaluation) < shown_evaluations:
            return {self.evaluation: gr.Slider(maximum=max(2, count), visible=count > 1)}
        label = task.unit.capitalize() if task and task.unit != "step" else "Evaluation"
        return {
            self.box: gr.Column(visible=count > 0),
            self.heading: f"<h2>{escape(task.samples_title)}</h2>" if task else "",
            self.evaluation: gr.Slider(maximum=max(2, count), value=max(1, count), visible=count > 1, label=label),
            self.predictions: run_html.render_samples(snapshot, count - 1),
        }

    def wire(self) -> None:
        """Attach the event of the slider."""
        self.evaluation.release(self.show_evaluation, [self.context.run, self.evaluation], self.predictions, **UNQUEUED)

    def show_evaluation(self, run: Any, evaluation: Any) -> str:
        """Render the predictions of an evaluation, counted from 1."""
        try:
            snapshot = self.context.service.snapshot(run)
        except UserError as error:
            return messages.error(error)
        return run_html.render_samples(snapshot or {}, int(evaluation) - 1)
