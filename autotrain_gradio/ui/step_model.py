"""Step 3: the model, its name, and the parameters; with a preview of what the training will see."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import uuid4

import gradio as gr

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.panels import RenderContext, render_all_html
from autotrain_gradio.core.spec import ResourceSpec, RunSpec
from autotrain_gradio.core.text_format import format_value
from autotrain_gradio.tasks.options import RESOURCE_GROUP
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.ui import form as widgets
from autotrain_gradio.ui import messages, models
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.files import link
from autotrain_gradio.ui.page_context import PRIVATE, UNQUEUED
from autotrain_gradio.ui.spec_views import SpecViews
from autotrain_gradio.ui.step_train import TrainStep
from autotrain_gradio.ui.task_session import TaskSession

Updates = dict[Any, Any]
NO_GPU = "No GPU was found here: those that want one take very long."


@dataclass
class ModelStep:
    """Everything about the model and how it is trained."""

    session: TaskSession
    probed: gr.State
    probe: Any = None
    other_box: Any = None
    preview: Any = None
    show: Any = None
    shown: gr.State | None = None
    """What the preview shows, or will in a moment: see `_key`; empty: it was not asked for."""
    problem: Any = None
    estimate: Any = None
    views: Any = None
    looking: object = None
    place: str = field(default_factory=lambda: uuid4().hex)
    """Where the answer of a probe is shown: a later one for the same place ends the earlier."""
    drawing: object = None
    following: Any = None

    @classmethod
    def build(cls, session: TaskSession) -> ModelStep:
        """Create the step's widgets, showing the seed's spec."""
        prefix, task, form = session.prefix, session.task, session.form
        spec = session.initial.spec
        gpu = session.context.service.accelerated()
        model = str(spec.get("model") or task.first_model(gpu=gpu))
        usual = form.defaults(model)
        form.usual = gr.State(usual)
        params = {**usual, **(spec.get("params") or {})}
        groups = task.groups()
        self = cls(session, gr.State(""))
        choice, other = models.split(task, model)
        folders = not session.context.service.settings.shared
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=300):
                form.choice = gr.Radio(
                    choices=models.choices(task, folders=folders, gpu=gpu),
                    value=choice,
                    label="Models to try" if task.listed else "Start from",
                    info=NO_GPU if not gpu and any(m.gpu for m in task.models) else None,
                    interactive=True,
                    elem_id=f"{prefix}-model",
                    elem_classes="at-cards",
                )
                form.other = gr.Textbox(
                    value=other,
                    label=models.other_label(task, folders=folders),
                    placeholder=models.other_example(task),
                    max_lines=1,
                    visible=choice == models.OTHER,
                    interactive=True,
                    elem_id=f"{prefix}-model-other",
                )
            with gr.Column(scale=2, min_width=300):
                form.name = gr.Textbox(
                    value=str(spec.get("project_name") or RunSpec.model_fields["project_name"].default),
                    label="Project name",
                    info="What your model will be called.",
                    max_lines=1,
                    interactive=True,
                    elem_id=f"{prefix}-project-name",
                )
                self.probe = gr.HTML(
                    visible="probe" in task.can, elem_id=f"{prefix}-probe", elem_classes="at-live at-card"
                )
        made: dict[ParameterGroup, list[widgets.Field]] = {}
        for group in [g for g in groups if g.main]:
            gr.HTML(f"<h2>{escape(group.title)}</h2>")
            made[group] = widgets.widgets(task.params, groups[group], params, prefix=prefix)
        self.problem = gr.HTML(elem_id=f"{prefix}-problem", elem_classes="at-live")
        self.estimate = gr.HTML(elem_id=f"{prefix}-estimate", elem_classes="at-live")
        if "preview" in task.can:
            made |= self._preview(groups, params)
        with gr.Accordion("All parameters", open=False, elem_id=f"{prefix}-all"):
            for group, names in groups.items():
                if group not in made:
                    gr.HTML(f"<h3>{escape(group.title)}</h3>")
                    made[group] = widgets.widgets(task.params, names, params, prefix=prefix)
            gr.HTML(f"<h3>{escape(RESOURCE_GROUP)}</h3>")
            names = ["processes", "gpus", "timeout"] if "distributed" in task.can else ["timeout"]
            resources = spec.get("resources") or {}
            form.resources = widgets.widgets(ResourceSpec, names, resources, prefix=f"{prefix}-resources")
        order = {name: field for fields in made.values() for name, field in ((f.name, f) for f in fields)}
        form.params = [order[name] for name in task.params.model_fields]
        self.views = SpecViews.build(prefix)
        with gr.Row(elem_classes="at-next"):
            self.following = gr.Button(
                "Continue to training", variant="primary", size="lg", elem_id=f"{prefix}-model-next"
            )
        return self

    def wire(self, train_step: TrainStep) -> None:
        """Attach the step's events.

        train_step: the last step, which shows the spec as well.
        """
        session, form = self.session, self.session.form
        inputs = [session.draft, session.context.visitor, *form.inputs()]
        form.choice.change(
            lambda choice: gr.Textbox(visible=choice == models.OTHER), form.choice, form.other, **UNQUEUED
        )
        form.choice.change(
            form.follow_model,
            [form.usual, form.choice, form.other, *(f.widget for f in form.params)],
            [form.usual, *(f.widget for f in form.params)],
            **UNQUEUED,
        )
        looked = [self.probed, session.context.visitor, session.token, *form.inputs()]
        looking = gr.on(
            [form.choice.change, form.other.submit, form.other.blur, session.steps.model.select],
            self.look,
            looked,
            [self.probe, self.probed],
            trigger_mode="multiple",
            show_progress="hidden",
            concurrency_limit=4,
            concurrency_id="probe",
            **PRIVATE,
        )
        changes = [c.change for c in (form.data, form.other_sections, *form.visible())]
        kept = [self.problem, self.estimate, *self.views.outputs(), *train_step.outputs()]

        def sync(draft: Any, visitor: Any, *values: Any) -> Updates:
            return self.sync(draft, visitor, values, train_step)

        gr.on(
            [*changes, session.steps.model.select, session.steps.train.select],
            sync,
            inputs,
            kept,
            trigger_mode="always_last",
            **UNQUEUED,
        )
        if self.show is not None:
            drawn = [self.preview, self.shown]
            kind: dict[str, Any] = {
                **PRIVATE,
                "show_progress": "hidden",
                "concurrency_limit": 4,
                "concurrency_id": "preview",
            }
            self.show.click(self.draw_preview, inputs, drawn, **kind)
            again = {"fn": self.redraw, "inputs": [self.shown, *inputs], "outputs": drawn, **kind}
            followed = session.task.previewed_params()
            switched = [f.widget.change for f in form.params if f.name in followed]
            if switched:
                gr.on(switched, trigger_mode="always_last", **again)
            # Not before the model was looked at: that fetches what its preview is made with.
            looking.then(**again)
        self.views.wire(session)
        self.following.click(
            lambda: session.go_to(session.steps.train),
            None,
            [session.steps.walkthrough, session.steps.train],
            **UNQUEUED,
        )

    def look(self, probed: str, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Probe the chosen model, unless that was the last one looked at."""
        spec = self.session.form.spec(values)
        model = spec["model"]
        if model == probed and not token:
            yield {self.probed: probed}
            return
        if not model or "probe" not in self.session.task.can:
            yield {self.probe: "", self.probed: ""}
            return
        mine = self.looking = object()
        yield {self.probe: messages.busy(f"Looking at {model}"), self.probed: model}
        service, only_model = self.session.context.service, {"task": spec["task"], "model": model}
        owner = self.session.context.owner(visitor)
        for item in run_in_background(
            lambda _: service.probe(only_model, owner, token=token or None, place=self.place)
        ):
            if self.looking is not mine:
                return  # another model was chosen meanwhile
            if isinstance(item, Finished):
                html = messages.error(item.error) if item.error else models.facts(model, item.value)
                yield {self.probe: html, self.probed: model if not item.error else ""}

    def sync(self, draft: Any, visitor: Any, values: Any, train_step: TrainStep) -> Updates:
        """Bring all that is made of the form up to date with it."""
        service, spec = self.session.context.service, self.session.form.spec(values)
        try:
            # The views need a valid spec: what is wrong with it is said in their place.
            views = self.views.update(service, spec)
            owner = self.session.context.owner(visitor)
            estimate = service.estimate(draft, spec, owner) if draft else {}
            if draft and service.is_draft(draft, owner):
                service.save(draft, spec, owner)
        except UserError as error:
            told = messages.error(error)
            return {self.problem: told, self.estimate: "", **train_step.update(spec, "", told)}
        html = describe_steps(estimate)
        return {self.problem: "", self.estimate: html, **views, **train_step.update(spec, html, "")}

    def draw_preview(self, draft: Any, visitor: Any, *values: Any) -> Iterator[Updates]:
        """Show a few rows as the training will see them."""
        if not draft:
            yield {self.preview: messages.note("There is no data to show yet.", level="warning")}
            return
        yield {self.preview: messages.busy("Asking for a preview of your own data")}
        yield from self._drawn(draft, visitor, values, told=True)

    def redraw(self, shown: str, draft: Any, visitor: Any, *values: Any) -> Iterator[Updates]:
        """Follow what was changed, where the preview is shown already; until the new one is there the old one stays."""
        if shown and draft and shown != self._key(draft, values):
            yield from self._drawn(draft, visitor, values)
        else:
            yield {self.preview: gr.skip()}

    def _drawn(self, draft: str, visitor: Any, values: Any, *, told: bool = False) -> Iterator[Updates]:
        """Draw it; told: what is being done stands in its place until then."""
        mine = self.drawing = object()
        spec = self.session.form.spec(values)
        yield {self.shown: self._key(draft, values)}
        service, owner = self.session.context.service, self.session.context.owner(visitor)
        for item in run_in_background(lambda tell: service.preview(draft, spec, {}, owner, progress=tell)):
            if self.drawing is not mine:
                return  # what is shown would be older than what was asked for since
            if isinstance(item, Finished):
                context = RenderContext(link=link(draft, str(time.time_ns())))
                failed = item.error
                yield {self.preview: messages.error(failed) if failed else render_all_html(item.value, context)}
            elif told and isinstance(item, tuple):
                yield {self.preview: messages.busy(item[0])}

    def _key(self, draft: str, values: Any) -> str:
        """Return all that a preview depends on, so that it is drawn once for the same."""
        spec, task = self.session.form.spec(values), self.session.task
        followed = task.previewed_params()
        params = {name: value for name, value in spec["params"].items() if name in followed}
        return json.dumps([draft, spec["model"], spec["data"], params], sort_keys=True, default=str)

    def _preview(
        self, groups: dict[ParameterGroup, list[str]], params: dict[str, Any]
    ) -> dict[ParameterGroup, list[widgets.Field]]:
        prefix, task, made = self.session.prefix, self.session.task, {}
        previewed = [g for g in groups if g.previewed]
        named = f" ({', '.join(g.title.lower() for g in previewed)})" if previewed else ""
        title = f"What the training will see{named}"
        self.shown = gr.State("")
        with gr.Accordion(title, open=False, elem_id=f"{prefix}-preview-box"):
            for group in previewed:
                made[group] = widgets.widgets(task.params, groups[group], params, prefix=prefix)
            self.show = gr.Button("Show me on my data", size="sm", elem_id=f"{prefix}-preview-show")
            self.preview = gr.HTML(elem_id=f"{prefix}-preview", elem_classes="at-live")
        return made


def describe_steps(estimate: dict[str, Any]) -> str:
    """Say how much work a training is, in a sentence."""
    if not estimate:
        return ""
    rows, held = format_value(estimate["train_rows"]), estimate.get("validation_rows") or 0
    tested = (
        f", measured on {format_value(held)} {'row' if held == 1 else 'rows'} kept aside"
        if held
        else ", without rows to measure it on"
    )
    text = (
        f"{format_value(estimate['steps'])} steps: {format_value(estimate['epochs'])} times through {rows} rows, "
        f"{format_value(estimate['steps_per_epoch'])} steps each{tested}."
    )
    return f"<p class='at-estimate'>{escape(text)}</p>"
