"""Try the model: the inputs that the run's task declares, and the panels of a prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import WidgetContext, is_text
from autotrain_gradio.core.panels import render_all_html
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.alternating_render import create_alternating_render
from autotrain_gradio.ui.examples import example_values
from autotrain_gradio.ui.input_widgets import InputGroup, create_inputs
from autotrain_gradio.ui.page_context import PRIVATE, PageContext

PREDICTING: dict[str, Any] = {
    "concurrency_limit": 4,
    "concurrency_id": "predict",
    "show_progress": "minimal",
    **PRIVATE,
}
"""Arguments of events that run a model."""


@dataclass
class TryIt:
    """The section of a run's view for predictions with its model.

    The input widgets are created when a run with a model is opened; the initial page has none.

    opened: `<run>:<attempt>` of the run whose inputs are shown; a new value creates new, empty widgets.
    prediction: the panels of the latest prediction.
    """

    context: PageContext
    box: gr.Column
    opened: gr.Textbox
    prediction: gr.HTML

    @classmethod
    def build(cls, context: PageContext) -> TryIt:
        """Create the section, hidden and without inputs."""
        with gr.Column(visible=False, elem_id="try-it") as box:
            gr.HTML("<h2>Try the model</h2>")
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    fields = gr.Column()
                with gr.Column(min_width=300):
                    prediction = gr.HTML(elem_id="try-it-prediction", elem_classes="at-live")
            with fields:
                opened = create_alternating_render("try-it", lambda shown: self._contents(shown.rpartition(":")[0]))
        self = cls(context, box, opened, prediction)
        return self

    def outputs(self) -> list[Any]:
        """Return all components that `show` may change."""
        return [self.box, self.opened, self.prediction]

    def show(self, snapshot: Mapping[str, Any], task: Task | None, *, emptied: bool) -> dict[Any, Any]:
        """Return the updates for a run of a task.

        emptied: another run was opened, or this run has a model now: earlier inputs and predictions are removed.
        """
        visible = bool(snapshot["can"].get("predict")) and task is not None
        if task is not None and any(verb.try_it for verb in task.public_verbs()):
            visible = False  # `RunVerbs` shows that verb
        updates: dict[Any, Any] = {self.box: gr.Column(visible=visible)}
        if emptied:
            updates[self.opened] = f"{snapshot['id']}:{snapshot.get('attempt') or 1}" if visible else ""
            updates[self.prediction] = ""
        return updates

    def _contents(self, run: str) -> None:
        """Build the widgets of a run's inputs, and their events."""
        service = self.context.service
        try:
            snapshot = service.snapshot(run) or {}
            task = service.tasks.get(snapshot["task"])
            context = WidgetContext(partial(service.model_json, run))
            for group in create_inputs(task.inputs, "try-it", context, button="Predict"):
                predict = partial(self.predict, group)
                sent = [self.context.run, self.context.visitor, *group.components()]
                gr.on(group.triggers(), predict, sent, self.prediction, **PREDICTING, show_progress_on=self.prediction)
                # A path as an example would be a file of the server: only texts, which are not paths, are offered.
                if group.declared and all(is_text(item) for item in group.declared):
                    self._offer(example_values(snapshot, group.declared), group)
        except UserError as error:
            gr.HTML(messages.error(error))

    def _offer(self, examples: Sequence[tuple[str, ...]], group: InputGroup) -> None:
        """Add a button for each example, named by its shortest text; it fills the inputs and runs the model."""
        if not examples:
            return
        gr.HTML("<p class='at-note'>Or an example from the validation split:</p>")
        for number, values in enumerate(examples):
            title = min(values, key=len)
            button = gr.Button(title, size="sm", elem_id=f"try-it-example-{number}", elem_classes="at-example")
            predict = _filled(values, partial(self.predict, group))
            sent = [self.context.run, self.context.visitor]
            outputs = [*group.components(), self.prediction]
            button.click(predict, sent, outputs, **PREDICTING, show_progress_on=self.prediction)

    def predict(self, group: InputGroup, run: Any, visitor: Any, *values: Any) -> str:
        """Apply the run's model to the values of the widgets; return the prediction as HTML."""
        try:
            given = group.values(values)
        except UserError as missing:
            return messages.note(missing.message)
        try:
            prediction = self.context.service.predict(run, [given], self.context.owner(visitor))[0]
        except UserError as error:
            return messages.error(error)
        panels = render_all_html(prediction["panels"], self.context.render_context(str(run)))
        warnings = "".join(messages.note(text, level="warning") for text in prediction.get("warnings", ()))
        return f"<div class='at-prediction'>{warnings}{panels}</div>"


def _filled(values: tuple[str, ...], predict: Callable[..., str]) -> Callable[[Any, Any], tuple[str, ...]]:
    """Return a handler that returns the example and its prediction."""
    return lambda run, visitor: (*values, predict(run, visitor, *values))
