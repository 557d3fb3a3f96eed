"""Step 3: the model, its name, and the parameters; with a preview of the training inputs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any
from uuid import uuid4

import gradio as gr

from autotrain_gradio.core.errors import UserError, WorkerError
from autotrain_gradio.core.panels import RenderContext, render_all_html
from autotrain_gradio.core.text_format import format_value, pluralize
from autotrain_gradio.tasks.options import RESOURCE_GROUP
from autotrain_gradio.tasks.parameter_groups import ParameterGroup
from autotrain_gradio.ui import messages, models
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.files import link
from autotrain_gradio.ui.page_context import NO_PROGRESS, PRIVATE, UNQUEUED
from autotrain_gradio.ui.param_fields import render_fields
from autotrain_gradio.ui.spec_views import SpecViews
from autotrain_gradio.ui.step_train import TrainStep
from autotrain_gradio.ui.task_form import TaskForm, Values
from autotrain_gradio.ui.task_session import TaskSession

Updates = dict[Any, Any]


@dataclass
class Preview:
    """The preview of the training inputs, and its button.

    key: of the form's settings that the preview shows; empty until it was requested. See `ModelStep.preview_key`.
    """

    html: gr.HTML
    show: gr.Button
    key: gr.State

    @classmethod
    def build(cls, form: TaskForm, groups: dict[ParameterGroup, list[str]], *, prefix: str) -> Preview:
        """Create the components, with the parameters that the preview depends on. groups: those parameters."""
        titles = f" ({', '.join(g.title.lower() for g in groups)})" if groups else ""
        key = gr.State("")
        with gr.Accordion(f"Preview of the training inputs{titles}", open=False, elem_id=f"{prefix}-preview-box"):
            for names in groups.values():
                render_fields(form.params, names)
            show = gr.Button("Show preview", size="sm", elem_id=f"{prefix}-preview-show")
            html = gr.HTML(elem_id=f"{prefix}-preview", elem_classes="at-live")
        return cls(html, show, key)


@dataclass
class ModelStep:
    """The model, the parameters, and everything that is derived from the form's spec.

    probe: facts about the selected model.
    try_step, tried_step: try one training step with the settings of the form; what it needs.
    probed_model: the model that `probe` shows.
    unusable: `{model, html, final}` if the model cannot be loaded, as the probe found. Unless it is final, a token,
        which the last step takes, may help; training is then still offered.
    probe_id: identifies the place of `probe`; a later probe with the same id cancels the earlier one.
    preview: None if the task has none.
    """

    session: TaskSession
    probe: gr.HTML
    try_step: gr.Button
    tried_step: gr.HTML
    probed_model: gr.State
    unusable: gr.State
    problem: gr.HTML
    estimate: gr.HTML
    preview: Preview | None
    views: SpecViews
    following: gr.Button
    probe_id: str = field(default_factory=lambda: uuid4().hex)
    _latest_probe: object = None
    _tried: dict[str, Any] | None = None
    _latest_preview: object = None
    _reviewed: Any = None

    @classmethod
    def build(cls, session: TaskSession) -> ModelStep:
        """Create the step's components."""
        prefix, task, form, groups = session.prefix, session.task, session.form, session.form.groups()
        probed_model, unusable = gr.State(""), gr.State({})
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=300, visible=task.has_models):
                form.model.render()
                form.model_id.render()
            with gr.Column(scale=2, min_width=300):
                form.project_name.render()
                probe = gr.HTML(visible="probe" in task.can, elem_id=f"{prefix}-probe", elem_classes="at-live at-card")
        main = [g for g in groups if g.main]
        for group in main:
            gr.HTML(f"<h2>{escape(group.title)}</h2>")
            render_fields(form.params, groups[group])
        form.place.render()
        problem = gr.HTML(elem_id=f"{prefix}-problem", elem_classes="at-live")
        estimate = gr.HTML(elem_id=f"{prefix}-estimate", elem_classes="at-live")
        tries = "step" in task.can
        try_step = gr.Button("Try one step", visible=tries, size="sm", elem_id=f"{prefix}-try-step")
        tried_step = gr.HTML(visible=tries, elem_id=f"{prefix}-tried-step", elem_classes="at-live")
        preview, previewed = None, []
        if "preview" in task.can:
            previewed = [g for g in groups if g.previewed and not g.main]
            preview = Preview.build(form, {g: groups[g] for g in previewed}, prefix=prefix)
        with gr.Accordion("All parameters", open=False, elem_id=f"{prefix}-all"):
            for group, names in groups.items():
                if group not in (*main, *previewed):
                    gr.HTML(f"<h3>{escape(group.title)}</h3>")
                    render_fields(form.params, names)
            gr.HTML(f"<h3>{escape(RESOURCE_GROUP)}</h3>")
            render_fields(form.resources, [f.name for f in form.resources])
        views = SpecViews.build(prefix)
        with gr.Row(elem_classes="at-next"):
            following = gr.Button("Continue to training", variant="primary", size="lg", elem_id=f"{prefix}-model-next")
        return cls(
            session, probe, try_step, tried_step, probed_model, unusable, problem, estimate, preview, views, following
        )

    def wire(self, train_step: TrainStep) -> None:
        """Attach the step's events. train_step: shows the spec as well."""
        session, form, steps = self.session, self.session.form, self.session.steps
        inputs = {session.draft, session.context.visitor, self.unusable, *form.inputs()}
        components = [f.component for f in form.params]
        # First of the events of this change, so that the form shows the defaults of the model at once.
        defaults = gr.on(
            [form.model.change, form.model_id.submit, form.model_id.blur],
            form.apply_model,
            {form.model_defaults, form.model, form.model_id, *components},
            [form.model_id, form.model_defaults, *components],
            **UNQUEUED,
        )
        probed = gr.on(
            [form.model.change, form.model_id.submit, form.model_id.blur, steps.model.select],
            self.probe_model,
            {self.probed_model, session.token, *inputs},
            [self.probe, self.probed_model, self.unusable],
            trigger_mode="multiple",
            concurrency_limit=4,
            concurrency_id="probe",
            **PRIVATE,
            **NO_PROGRESS,
        )

        self.try_step.click(
            self.show_step,
            {session.token, *inputs},
            self.tried_step,
            concurrency_limit=4,
            concurrency_id="probe",
            **PRIVATE,
            **NO_PROGRESS,
        )

        def review_change(values: Values) -> Updates:
            if self._reviewed == self._review_key(values):
                return {self.problem: gr.skip()}
            return self.review(values, train_step)

        def review(values: Values) -> Updates:
            return self.review(values, train_step)

        reviewed = [
            self.problem,
            self.estimate,
            self.following,
            self.tried_step,
            *self.views.outputs(),
            *train_step.outputs(),
        ]
        kind: dict[str, Any] = {"trigger_mode": "always_last", **UNQUEUED}
        # The defaults of another model change several parameters; only the first of these events reviews the spec.
        form.place.backend.change(
            self.choose_place,
            {form.place.backend, form.place.flavor, form.place.max_cost.component, *form.inputs()},
            [form.place.row, form.place.flavor, form.place.max_cost.component],
            concurrency_limit=4,
            **PRIVATE,
            **NO_PROGRESS,
        )
        defaults.then(review_change, inputs, reviewed, **kind)
        edited = [c for c in (form.data, form.other_sections, *form.editable()) if c is not form.model]
        gr.on([c.change for c in edited], review_change, inputs, reviewed, **kind)
        # What the probe has found decides whether training is offered.
        probed.then(review_change, inputs, reviewed, **kind)
        gr.on([steps.model.select, steps.train.select], review, inputs, reviewed, **kind)  # after a check, too
        if self.preview is not None:
            self._wire_preview(self.preview, inputs, probed)
        self.views.wire(session)
        self.following.click(lambda: session.go_to(steps.train), None, [steps.walkthrough, steps.train], **UNQUEUED)

    def _wire_preview(self, preview: Preview, inputs: set[Any], probed: Any) -> None:
        """Attach the events of the preview. probed: the event that probes the model."""
        kind: dict[str, Any] = {
            **PRIVATE,
            **NO_PROGRESS,
            "concurrency_limit": 4,
            "concurrency_id": "preview",
        }
        outputs = [preview.html, preview.key]
        preview.show.click(self.show_preview, inputs, outputs, **kind)
        update = {"fn": self.update_preview, "inputs": {preview.key, *inputs}, "outputs": outputs, **kind}
        names = self.session.task.previewed_params()
        changes = [f.component.change for f in self.session.form.params if f.name in names]
        if changes:
            gr.on(changes, trigger_mode="always_last", **update)
        # The probe downloads what the preview of a model needs.
        probed.then(**update)

    def review(self, values: Values, train_step: TrainStep) -> Updates:
        """Resolve the form's spec once, and update everything that is derived from it."""
        session = self.session
        spec = session.form.spec(values)
        self._reviewed = self._review_key(values)
        stale: Updates = {}
        if self._tried is not None and self._tried != spec:  # the step that is shown, or tried, had other settings
            self._tried, stale = None, {self.tried_step: ""}
        try:
            owner = session.context.owner(values[session.context.visitor])
            reviewed = session.context.service.review(values[session.draft], spec, owner)
        except UserError as error:
            html = messages.error(error)
            return {
                **stale,
                self.problem: html,
                self.estimate: "",
                self.following: gr.Button(interactive=True),  # the last step shows the error, too
                **train_step.update(spec, "", html),
            }
        estimate = describe_steps(reviewed["estimate"]) + describe_price(reviewed["price"])
        found = self._unusable(values, spec["model"])
        blocked = bool(found.get("final"))
        return {
            **stale,
            self.problem: "",  # the probe shows what is wrong with the model
            self.estimate: estimate,
            self.following: gr.Button(interactive=not blocked),
            **self.views.update(reviewed),
            **train_step.update(spec, estimate, found.get("html", ""), blocked=blocked),
        }

    def _unusable(self, values: Values, model: str) -> dict[str, Any]:
        """Return what the probe has found to prevent the training of a model; empty if nothing is known."""
        found = values.get(self.unusable) or {}
        return dict(found) if found.get("model") == model else {}

    def _review_key(self, values: Values) -> Any:
        """Return what the result of a review depends on, apart from the check of the draft."""
        session, spec = self.session, self.session.form.spec(values)
        return values[session.draft], values[session.context.visitor], spec, self._unusable(values, spec["model"])

    def choose_place(self, values: Values) -> Updates:
        """Show the flavors of a newly chosen backend with their prices."""
        form, service = self.session.form, self.session.context.service
        try:
            flavors = service.flavors(values[form.place.backend])
        except UserError:
            flavors = []  # the review of this change reports it
        limit = (form.spec(values).get("resources") or {}).get("timeout")
        return form.place.choose(values, flavors, has_limit=bool(limit))

    def probe_model(self, values: Values) -> Iterator[Updates]:
        """Show facts about the selected model, unless they are shown already."""
        session = self.session
        spec, token = session.form.spec(values), values[session.token]
        model = spec["model"]
        if model == values[self.probed_model] and not token:
            yield {self.probed_model: model}
            return
        if not model or "probe" not in session.task.can:
            yield {self.probe: "", self.probed_model: "", self.unusable: {}}
            return
        current = self._latest_probe = object()
        yield {self.probe: messages.busy(f"Inspecting {model}"), self.probed_model: model}
        service, model_spec = session.context.service, {"task": spec["task"], "model": model}
        owner = session.context.owner(values[session.context.visitor])
        for item in run_in_background(
            lambda _: service.probe(model_spec, owner, token=token or None, place=self.probe_id)
        ):
            if self._latest_probe is not current:
                return  # another model has been selected
            if isinstance(item, Finished):
                html = messages.error(item.error) if item.error else models.facts(model, item.value)
                codes = {item.error.code} if item.error else models.error_codes(item.value)
                # A probe that was cancelled, or took too long, says nothing about the model.
                unusable = codes and not isinstance(item.error, WorkerError)
                final = not codes <= models.TOKEN_MAY_HELP
                yield {
                    self.probe: html,
                    # What was wrong may have been mended when the step is opened again: the Hub, a folder, a token.
                    self.probed_model: model if not codes else "",
                    self.unusable: {"model": model, "html": html, "final": final} if unusable else {},
                }

    def show_step(self, values: Values) -> Iterator[Updates]:
        """Estimate the memory of the training with the settings of the form, try one step, and show both."""
        session = self.session
        spec, draft = session.form.spec(values), values[session.draft]
        service, owner = session.context.service, session.context.owner(values[session.context.visitor])
        token, place = values[session.token] or None, f"{self.probe_id} step"
        self._tried = spec
        yield {self.tried_step: messages.busy("Trying one step on the longest batch, for a minute at most")}
        for item in run_in_background(
            lambda _: service.probe(spec, owner, token=token, place=place, step=True, draft=draft or "")
        ):
            if self._tried is not spec:
                return  # the settings have been changed, or another step is tried
            if isinstance(item, Finished):
                html = messages.error(item.error) if item.error else messages.findings(item.value["findings"])
                yield {self.tried_step: html}

    def show_preview(self, values: Values) -> Iterator[Updates]:
        """Show a few rows as the model will receive them in training."""
        assert self.preview is not None
        if not values[self.session.draft]:
            yield {self.preview.html: messages.note("No data has been selected for the preview.", level="warning")}
            return
        yield {self.preview.html: messages.busy("Preparing the preview")}
        yield from self._render_preview(self.preview, values, show_progress=True)

    def update_preview(self, values: Values) -> Iterator[Updates]:
        """Update a preview that is shown, if its settings have changed; until then the old one stays."""
        assert self.preview is not None
        key, draft = values[self.preview.key], values[self.session.draft]
        if key and draft and key != self.preview_key(draft, self.session.form.spec(values)):
            yield from self._render_preview(self.preview, values)
        else:
            yield {self.preview.html: gr.skip()}

    def preview_key(self, draft: str, spec: dict[str, Any]) -> str:
        """Return a key of everything that the preview depends on."""
        names = self.session.task.previewed_params()
        params = {name: value for name, value in spec["params"].items() if name in names}
        return json.dumps([draft, spec["model"], spec["data"], params], sort_keys=True, default=str)

    def _render_preview(self, preview: Preview, values: Values, *, show_progress: bool = False) -> Iterator[Updates]:
        session = self.session
        current = self._latest_preview = object()
        draft, spec = values[session.draft], session.form.spec(values)
        yield {preview.key: self.preview_key(draft, spec)}
        service, owner = session.context.service, session.context.owner(values[session.context.visitor])
        for item in run_in_background(lambda reporter: service.preview(draft, spec, {}, owner, progress=reporter)):
            if self._latest_preview is not current:
                return  # a later preview has been requested
            if isinstance(item, Finished):
                context = RenderContext(link=link(draft, str(time.time_ns())))
                failed = item.error
                yield {preview.html: messages.error(failed) if failed else render_all_html(item.value, context)}
            elif show_progress and isinstance(item, tuple):
                yield {preview.html: messages.busy(item[0])}


def describe_steps(estimate: dict[str, Any]) -> str:
    """Render the number of training steps, epochs and rows. estimate: see `Service.estimate`; may be empty."""
    if not estimate:
        return ""
    held_out = estimate.get("validation_rows") or 0
    validation = f"validation on {pluralize(held_out, 'row')}" if held_out else "no validation rows"
    rows, examples = estimate["train_rows"], estimate["examples"]
    made = f", of which about {pluralize(examples, 'training example')} are made" if examples != rows else ""
    uncounted = f" {estimate['uncounted']} A preview counts the training examples." if estimate["uncounted"] else ""
    epochs = estimate["epochs"]
    text = (
        f"{'About ' if made or uncounted else ''}{pluralize(estimate['steps'], 'training step')}: "
        f"{pluralize(epochs, 'epoch') if isinstance(epochs, int) else f'{format_value(epochs)} epochs'} of "
        f"{pluralize(rows, 'row')}{made} "
        f"({format_value(estimate['steps_per_epoch'])} steps per epoch), {validation}.{uncounted}"
    )
    return f"<p class='at-estimate'>{escape(text)}</p>"


def describe_price(price: str) -> str:
    """Render price and limits. price: see `Service.price`; may be empty."""
    return f"<p class='at-estimate'>{escape(price)}</p>" if price else ""
