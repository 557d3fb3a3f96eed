"""The verbs that a run's task declares: a section each, with its inputs, a button, and the panels of its result."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.inputs import WidgetContext, shows_result
from autotrain_gradio.core.panels import render_all_html
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.core.verb_results import result_panels
from autotrain_gradio.tasks.verbs import Verb
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.alternating_render import create_alternating_render
from autotrain_gradio.ui.background_task import Finished, PartialResult, ProgressReporter, run_in_background
from autotrain_gradio.ui.input_widgets import InputGroup, create_inputs
from autotrain_gradio.ui.page_context import NO_PROGRESS, PRIVATE, UNQUEUED, PageContext

CALLING: dict[str, Any] = {
    "concurrency_limit": 4,
    "concurrency_id": "verb",
    **NO_PROGRESS,
    **PRIVATE,
}
"""Arguments of events that call a verb: they show their own progress."""
BYTES_PER_SECOND = 250_000
"""Limit of the HTML that a call sends to its browser: each update has all items, so long results come less often."""
RENDER_SHARE = 0.2
"""Limit of the share of a core that a call uses to render its result."""
UPDATE_SECONDS = 0.5
"""Minimum time between two updates: a browser on a slow machine draws no more, and would react to no click."""
DISPLAY_SECONDS = 0.1
"""Minimum time between two updates of a widget that shows the result itself: text that is being written."""
STREAM_CHARACTERS = 8_000
"""Maximum length, as JSON, of the items that are shown while others arrive; the result shows them all."""


@dataclass
class RunVerbs:
    """The sections of a run's view for the verbs of its task.

    opened: `<run>:<attempt>` of the run whose verbs are shown; a new value creates new, empty sections.
    """

    context: PageContext
    box: gr.Column
    opened: gr.Textbox

    @classmethod
    def build(cls, context: PageContext) -> RunVerbs:
        """Create the container, hidden and without sections."""
        with gr.Column(visible=False, elem_id="run-verbs") as box:
            opened = create_alternating_render("run-verbs", lambda shown: self._contents(shown.rpartition(":")[0]))
        self = cls(context, box, opened)
        return self

    def outputs(self) -> list[Any]:
        """Return all components that `show` may change."""
        return [self.box, self.opened]

    def show(self, snapshot: Mapping[str, Any], *, emptied: bool) -> dict[Any, Any]:
        """Return the updates for a run.

        emptied: another run was opened, or this run has a model now: earlier inputs and results are removed.
        """
        visible = bool(snapshot["can"].get("call"))
        updates: dict[Any, Any] = {self.box: gr.Column(visible=visible)}
        if emptied:
            updates[self.opened] = f"{snapshot['id']}:{snapshot.get('attempt') or 1}" if visible else ""
        return updates

    def _contents(self, run: str) -> None:
        """Build a section for each verb of a run."""
        service = self.context.service
        try:
            snapshot = service.snapshot(run) or {}
            task = service.tasks.get(snapshot["task"])
        except UserError as error:
            gr.HTML(messages.error(error))
            return
        context = WidgetContext(partial(service.model_json, run), pretrained=snapshot.get("model") != TINY)
        for verb in task.public_verbs():
            self._section(verb, context)

    def _section(self, verb: Verb, context: WidgetContext) -> None:
        """Build the heading, the inputs, the buttons and the result of a verb, and their events."""
        elem_id = f"verb-{verb.name}"
        text = f"<p class='at-quiet'>{escape(verb.help)}</p>" if verb.help and not verb.try_it else ""
        with gr.Column(elem_id=elem_id):
            gr.HTML(f"<h2>{escape(verb.label)}</h2>{text}")
            if len(verb.inputs) == 1 and shows_result(verb.inputs[0]):
                self._displayed(elem_id, verb, context)
                return
            with gr.Row(equal_height=False):
                with gr.Column(min_width=300):
                    try:
                        groups = create_inputs(verb.inputs, elem_id, context, button=verb.button or verb.label)
                    except UserError as error:
                        gr.HTML(messages.error(error))
                        return
                    cancel = gr.Button("Cancel", visible=False, elem_id=f"{elem_id}-cancel")
                with gr.Column(min_width=300):
                    result = gr.HTML(elem_id=f"{elem_id}-result", elem_classes="at-live")
        section = _VerbSection(self.context, verb)
        for group in groups:
            sent = [self.context.run, self.context.visitor, *group.components()]
            gr.on(group.triggers(), partial(section.call, group), sent, [result, cancel], **CALLING)
        cancel.click(section.cancel, None, cancel, **UNQUEUED)

    def _displayed(self, elem_id: str, verb: Verb, context: WidgetContext) -> None:
        """Build the contents of a section whose widget shows the result itself."""
        try:
            group = create_inputs(verb.inputs, elem_id, context, button=verb.button or verb.label)[0]
        except UserError as error:
            gr.HTML(messages.error(error))
            return
        display, ask = group.display, group.button
        assert display is not None and ask is not None
        with display.actions:
            stop = gr.Button("Stop", variant="stop", visible=False, elem_id=f"{elem_id}-cancel")
        with display.status:
            status = gr.HTML(elem_id=f"{elem_id}-result", elem_classes="at-live")
        section = _DisplayedVerbSection(self.context, verb)
        sent = [self.context.run, self.context.visitor, *group.components()]
        outputs = [status, ask, stop, *display.components]
        gr.on(group.triggers(), partial(section.call_displayed, group), sent, outputs, **CALLING)
        gr.on([stop.click, *group.cancels()], section.stop, None, None, **UNQUEUED)


class _VerbSection:
    """A verb's section in one browser, and its latest call."""

    def __init__(self, context: PageContext, verb: Verb) -> None:
        self._context = context
        self._verb = verb
        self._cancelled = threading.Event()
        self._report: ProgressReporter | None = None

    def cancel(self) -> Any:
        """Cancel the latest call; return the update of the button."""
        self._cancelled.set()
        return gr.Button(visible=False)

    def call(self, group: InputGroup, run: Any, visitor: Any, *values: Any) -> Iterator[tuple[str, Any]]:
        """Call the verb with the values of the widgets; yield the result as HTML, and the update of the button Cancel.

        Meanwhile the items of a streaming verb that have arrived are shown, or the latest partial result.
        """
        hidden = gr.Button(visible=False)
        try:
            context, owner = group.values(values), self._context.owner(visitor)
        except UserError as error:
            yield messages.note(error.message) if error.code == "missing-input" else messages.error(error), hidden
            return
        items: list[Any] = []
        arrived: list[Any] = []
        cancelled, done = threading.Event(), threading.Event()
        self._cancelled = cancelled

        def work(report: ProgressReporter) -> None:
            try:
                self._work(run, context, owner, items, cancelled, report)
            finally:
                done.set()

        for event in run_in_background(work, on_disconnect=lambda _: cancelled.set()):
            if isinstance(event, PartialResult):
                arrived = [event.value]
            began = time.perf_counter()
            running = isinstance(event, tuple | PartialResult)
            shown = self._shown(latest(items) if running and items else items or arrived, str(run))
            if isinstance(event, tuple | PartialResult):
                cancellable = self._verb.streams and not cancelled.is_set()
                activity = event[0] if isinstance(event, tuple) else "Partial result received"
                rendering = time.perf_counter() - began
                pause = max(len(shown) / BYTES_PER_SECOND, rendering / RENDER_SHARE, UPDATE_SECONDS)
                yield shown + messages.busy(activity), gr.Button(visible=cancellable)
                done.wait(pause)
            elif isinstance(event, Finished) and event.error is not None:
                yield shown + messages.error(event.error), hidden
            elif isinstance(event, Finished) and cancelled.is_set():
                yield shown + messages.note(f"Cancelled after {pluralize(len(items), 'item')}."), hidden
            elif isinstance(event, Finished):
                yield shown or messages.note("The result is empty."), hidden

    def _work(
        self,
        run: str,
        context: Mapping[str, Any],
        owner: str,
        items: list[Any],
        cancelled: threading.Event,
        report: ProgressReporter,
    ) -> None:
        """Call the verb; add its items, or its result, to `items`."""
        service, name = self._context.service, self._verb.name
        if not self._verb.streams:
            items.append(service.call(run, name, context, owner, progress=report, on_found=report.partial))
            return
        with contextlib.closing(service.stream(run, name, context, owner, progress=report)) as stream:
            for item in stream:
                if cancelled.is_set():
                    return
                items.append(item)
                report(f"{pluralize(len(items), 'item')} received", 0.0)

    def _shown(self, items: Sequence[Any], run: str) -> str:
        panels = render_all_html(result_panels(items), self._context.render_context(run))
        return f"<div class='at-prediction'>{panels}</div>" if panels else ""


class _DisplayedVerbSection(_VerbSection):
    """The section of a streaming verb whose widget shows the result itself, such as a chat."""

    def stop(self) -> None:
        """Cancel the latest call, and show that at once: the worker responds after its next item."""
        self._cancelled.set()
        if self._report is not None:
            self._report("Stopping", 0.0)

    def call_displayed(self, group: InputGroup, run: Any, visitor: Any, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Call the verb; yield the status as HTML, the updates of the buttons, and the values of the widget's display.

        While the verb runs, the button that calls it is replaced by Stop.
        """
        display = group.display
        assert display is not None
        idle = (gr.Button(visible=True), gr.Button(visible=False))
        running = (gr.Button(visible=False), gr.Button(visible=True))
        unchanged = [gr.skip() for _ in display.components]
        try:
            owner = self._context.owner(visitor)
            context = group.values(values)
        except UserError as error:
            text = messages.note(error.message) if error.code == "missing-input" else messages.error(error)
            yield text, *idle, *unchanged
            return
        items: list[Any] = []
        cancelled = threading.Event()
        self._cancelled = cancelled

        def work(report: ProgressReporter) -> None:
            self._report = report
            self._work(run, context, owner, items, cancelled, report)

        for event in run_in_background(work, on_disconnect=lambda _: cancelled.set()):
            stopped = cancelled.is_set()
            if isinstance(event, Finished) or stopped:
                # A thread may still add items: what is shown is what the conversation continues with.
                values = tuple(display.show(list(items), False))
                failed = event.error if isinstance(event, Finished) and not stopped else None
                text = messages.error(failed) if failed else messages.note("Stopped.") if stopped else ""
                yield text, *idle, *values
                return
            activity = event[0] if isinstance(event, tuple) else ""
            busy = "" if activity.endswith(" received") else messages.busy(activity)
            began = time.perf_counter()
            values = tuple(display.show(list(items), True))
            pause = max(DISPLAY_SECONDS, (time.perf_counter() - began) / RENDER_SHARE)
            yield busy, *running, *values
            cancelled.wait(pause)


def latest(items: Sequence[Any]) -> list[Any]:
    """Return the last items, at least one, of at most `STREAM_CHARACTERS` in all."""
    found: list[Any] = []
    left = STREAM_CHARACTERS
    for item in reversed(items):
        left -= len(json.dumps(item, ensure_ascii=False))
        if left < 0 and found:
            break
        found.append(item)
    return found[::-1]
