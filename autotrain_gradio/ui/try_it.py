"""Try the model: the inputs that the run's task declares, and the panels of a prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from autotrain_gradio.core import inputs
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import Input, Widget, WidgetContext
from autotrain_gradio.core.panels import RenderContext, render_all_html
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.examples import example_values
from autotrain_gradio.ui.files import link
from autotrain_gradio.ui.page_context import PRIVATE, UNQUEUED, PageContext

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
            # Not a gr.State: its change event fires for queued events only, and runs are opened by unqueued ones.
            opened = gr.Textbox(elem_id="try-it-opened", elem_classes="at-hidden")
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    fields = gr.Column()
                with gr.Column(min_width=300):
                    prediction = gr.HTML(elem_id="try-it-prediction", elem_classes="at-live")
            self = cls(context, box, opened, prediction)
            with fields:
                slots = [self._slot(number) for number in range(2)]
        opened.change(_alternate, [opened, *slots], slots, **UNQUEUED)
        return self

    def _slot(self, number: int) -> gr.Textbox:
        """Create a slot for the widgets of a run; its field has the run that it shows, or is empty."""
        shown = gr.Textbox(elem_id=f"try-it-slot-{number}", elem_classes="at-hidden")

        @gr.render(inputs=[shown], triggers=[shown.change], queue=False, show_progress="hidden")
        def contents(shown: str | None) -> None:
            if shown:
                self._contents(shown.rpartition(":")[0])

        return shown

    def outputs(self) -> list[Any]:
        """Return all components that `show` may change."""
        return [self.box, self.opened, self.prediction]

    def show(self, snapshot: Mapping[str, Any], task: Task | None, *, emptied: bool) -> dict[Any, Any]:
        """Return the updates for a run of a task.

        emptied: another run was opened, or this run has a model now: earlier inputs and predictions are removed.
        """
        visible = bool(snapshot["can"].get("predict")) and task is not None
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
            run_context = WidgetContext(partial(service.model_json, run))
            joint = [i for i in task.inputs if not inputs.is_alternative(i)]
            for declared in task.inputs:
                if declared not in joint:
                    self._wire([declared], [_widget(declared, run_context)], alone=True)
            if joint:
                widgets = [_widget(declared, run_context) for declared in joint]
                button = gr.Button("Predict", variant="primary", elem_id="try-it-ask")
                self._wire(joint, widgets, alone=len(joint) == 1, button=button)
                # A path as an example would be a file of the server: only texts, which are no paths, are offered.
                if len(task.inputs) == 1 and inputs.is_text(joint[0]):
                    self._offer(example_values(snapshot, joint[0]), joint[0], widgets[0])
        except UserError as error:
            gr.HTML(messages.error(error))

    def _wire(
        self, declared: Sequence[Input], widgets: Sequence[Widget], *, alone: bool, button: Any | None = None
    ) -> None:
        """Run the model on a click, and automatically if the model has a single input."""
        events = [*([button.click] if button else []), *(e for w in widgets for e in w.events if alone)]
        components = [c for w in widgets for c in w.components]
        ask = partial(self.predict, declared, widgets)
        gr.on(events, ask, [self.context.run, self.context.visitor, *components], self.prediction, **PREDICTING)

    def _offer(self, values: Sequence[str], declared: Input, widget: Widget) -> None:
        """Add a button for each example; it fills the input and runs the model."""
        if not values:
            return
        gr.HTML("<p class='at-note'>Or an example from the validation split:</p>")
        for number, value in enumerate(values):
            button = gr.Button(value, size="sm", elem_id=f"try-it-example-{number}", elem_classes="at-example")
            ask = _filled(value, partial(self.predict, [declared], [widget]))
            asking = [self.context.run, self.context.visitor]
            button.click(ask, asking, [widget.components[0], self.prediction], **PREDICTING)

    def predict(
        self, declared: Sequence[Input], widgets: Sequence[Widget], run: Any, visitor: Any, *values: Any
    ) -> str:
        """Apply the run's model to the values of the widgets; return the prediction as HTML."""
        rest, given = list(values), {}
        for item, widget in zip(declared, widgets, strict=True):
            own, rest = rest[: len(widget.components)], rest[len(widget.components) :]
            given[item.name] = widget.value(*own)
            if given[item.name] is None:
                return messages.note(f"An input is missing: {item.title[0].lower()}{item.title[1:]}.")
        try:
            prediction = self.context.service.predict(run, [given], self.context.owner(visitor))[0]
        except UserError as error:
            return messages.error(error)
        context = RenderContext(link=link(str(run)), download=lambda path: self.context.tickets.issue(Path(path)))
        return f"<div class='at-prediction'>{render_all_html(prediction['panels'], context)}</div>"


def _alternate(opened: str | None, first: str | None, second: str | None) -> tuple[str, str]:
    """Return the runs of both slots: the opened one goes to the slot that is empty, and the other one is emptied.

    Gradio reuses components of one render in the next by their position: a file field had the value of a button.
    """
    return ("", opened or "") if first else (opened or "", "")


def _widget(declared: Input, context: WidgetContext) -> Widget:
    module = inputs.KINDS.get(declared.kind).load()
    widget: Widget = module.widget(declared, f"try-it-{declared.name}", context)
    return widget


def _filled(value: str, predict: Callable[..., str]) -> Callable[[Any, Any], tuple[str, str]]:
    """Return a handler that returns the example and its prediction."""
    return lambda run, visitor: (value, predict(run, visitor, value))
