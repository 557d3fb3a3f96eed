"""Step 2: check the data, show the result, and check again after a correction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

import gradio as gr

from autotrain_gradio.core.errors import StateError, UserError
from autotrain_gradio.core.spec import RunSpec, slug
from autotrain_gradio.data.catalog import SAMPLE
from autotrain_gradio.data.declarations import Column, Source
from autotrain_gradio.ui import check_view, label_table, messages
from autotrain_gradio.ui.background_task import PartialResult, run_in_background
from autotrain_gradio.ui.check_result import CheckResult
from autotrain_gradio.ui.check_view import CheckView
from autotrain_gradio.ui.column_kinds import change_kinds
from autotrain_gradio.ui.page_context import CHECK_EVENT, UNQUEUED
from autotrain_gradio.ui.step_data import DataStep, SourceField
from autotrain_gradio.ui.task_form import SPLIT, Values, merge
from autotrain_gradio.ui.task_session import TaskSession

Updates = dict[Any, Any]

NO_DATA = "No data has been selected. Go back to step 1 and upload your files, or use the sample."
INTERRUPTED = "The check of this data was interrupted."
RUNNING = "The check of this data is still running."
READING = "Reading the data"
WRITING_ROWS = "Writing the rows for the training"


def data_name(data: Mapping[str, Any] | None, sources: Sequence[Source]) -> str:
    """Return a project name derived from the data: from the name that its source has for it, or its path."""
    given = (data or {}).get("options") or {}
    naming = [given.get(o.name) for source in sources for o in source.options if o.names_data]
    chosen = next((value for value in naming if value), None) or (data or {}).get("path") or ""
    path = str(chosen[0] if isinstance(chosen, list) else chosen)
    default = str(RunSpec.model_fields["project_name"].default)
    return slug(PurePath(path.split(" and ")[0]).stem) if path else default


def project_name(name: str, derived: str, former: str) -> str:
    """Return the project name for other data: the user's own, or the one that is derived from the data.

    derived, former: the names derived from the data, and from the data before.
    """
    return derived if name in {former, "", RunSpec.model_fields["project_name"].default} else name


@dataclass
class CheckStep:
    """The progress of a check, and its result.

    resume_timer: joins a check that was running when the page was loaded.
    """

    session: TaskSession
    data_step: DataStep
    status: gr.HTML
    resume_timer: gr.Timer
    check_now: gr.Button
    cancel: gr.Button
    result: CheckResult
    following: gr.Button
    _latest: dict[str, object] = field(default_factory=dict)
    """Draft → the latest check; earlier ones stop updating the page."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, session: TaskSession, data_step: DataStep) -> CheckStep:
        """Create the step's components, showing the stored check of the draft."""
        prefix, initial = session.prefix, session.initial
        view = check_view.view(session.task, initial.draft or "", initial.check)
        unfinished = bool(initial.draft and initial.data.get("source") and not view.checked)
        running = unfinished and initial.checking
        notice = messages.note(RUNNING) if running else messages.note(INTERRUPTED, level="warning")
        status = gr.HTML(notice if unfinished else "", elem_id=f"{prefix}-check-status", elem_classes="at-live")
        resume_timer = gr.Timer(0.3, active=running)
        check_now = gr.Button(
            "Check now",
            visible=unfinished and not running,
            elem_id=f"{prefix}-check-now",
            elem_classes="at-small-button",
        )
        cancel = gr.Button(
            "Cancel", size="sm", visible=False, elem_id=f"{prefix}-check-cancel", elem_classes="at-small-button"
        )
        result = CheckResult.build(session, view)
        with gr.Row(elem_classes="at-next"):
            following = gr.Button(
                "Continue to the model" if session.task.has_models else "Continue to the settings",
                variant="primary",
                size="lg",
                interactive=view.ready,
                elem_id=f"{prefix}-check-next",
            )
        return cls(session, data_step, status, resume_timer, check_now, cancel, result, following)

    def inputs(self) -> set[Any]:
        """Return the inputs of every event that checks."""
        session = self.session
        return {session.draft, session.context.visitor, session.token, *session.form.inputs()}

    def outputs(self) -> list[Any]:
        """Return the components that such an event may set."""
        session, data_step = self.session, self.data_step
        return [
            *(session.draft, session.form.data, *session.steps.outputs()),
            *(data_step.note, data_step.following),
            *(self.status, self.resume_timer, self.check_now, self.cancel, self.following),
            *self.result.outputs(),
            *(f.component for f in session.form.split),
        ]

    def wire(self) -> None:
        """Attach the events of this step, and those of the first step, which start a check."""
        session, result, steps = self.session, self.result, self.session.steps
        inputs, outputs = self.inputs(), self.outputs()
        self._wire_data_step(inputs, outputs)
        result.findings.click(self.apply_fix, {result.fixes, *inputs}, outputs, **CHECK_EVENT)
        for choice in result.columns:
            handler = self._choose_column(choice.column, choice.dropdown)
            choice.dropdown.input(handler, {choice.dropdown, *inputs}, outputs, **CHECK_EVENT)
        if result.format:
            result.format.input(self.switch_format, {result.format, *inputs}, outputs, **CHECK_EVENT)
        if result.kinds:
            result.kinds.wire()
            chosen = {result.kinds.selected, result.kinds.kind}
            result.kinds.apply.click(self.apply_kinds, {*chosen, *inputs}, outputs, **CHECK_EVENT)
        result.apply_labels.click(self.apply_labels, {result.labels, *inputs}, outputs, **CHECK_EVENT)
        result.apply_split.click(self.check_again, inputs, outputs, **CHECK_EVENT)
        self.check_now.click(self.check_again, inputs, outputs, **CHECK_EVENT)
        self.resume_timer.tick(self.resume, inputs, outputs, **CHECK_EVENT)
        self.cancel.click(self.cancel_check, [session.draft, session.context.visitor], None, **UNQUEUED)
        form = session.form
        derived_name = gr.State(data_name(session.initial.spec.get("data"), session.task.sources))

        def follow(data: Any, name: str, former: str) -> dict[Any, Any]:
            derived = data_name(data, session.task.sources)
            named = {form.project_name: project_name((name or "").strip(), derived, former), derived_name: derived}
            return {**session.go_to(steps.model), **named}

        self.following.click(
            follow,
            [form.data, form.project_name, derived_name],
            [steps.walkthrough, steps.model, form.project_name, derived_name],
            **UNQUEUED,
        )

    def _wire_data_step(self, inputs: set[Any], outputs: list[Any]) -> None:
        data_step, steps = self.data_step, self.session.steps
        if data_step.files is not None:
            data_step.files.upload(self.upload, {data_step.files, *inputs}, [data_step.files, *outputs], **CHECK_EVENT)
        for sample in data_step.samples:
            sample.button.click(self._use_sample(sample.name), inputs, outputs, **CHECK_EVENT)
        for source in data_step.sources:
            triggers = [source.button.click, source.path.submit]
            gr.on(triggers, self._use_source(source), {source.path, *inputs}, outputs, **CHECK_EVENT)
        for picker in data_step.pickers:
            picker.wire(self)
        data_step.following.click(
            lambda: self.session.go_to(steps.check), None, [steps.walkthrough, steps.check], **UNQUEUED
        )

    # -- events that check: each yields updates of `outputs`

    def upload(self, values: Values) -> Iterator[Updates]:
        """Move uploaded files into the draft, then check them."""
        session, files = self.session, self.data_step.files
        service, paths = session.context.service, list(values[files] or [])
        try:
            owner = session.context.owner(values[session.context.visitor])
            draft = self._ensure_draft(values[session.draft], owner)
            try:
                service.upload(draft, paths, owner)
            except StateError:
                # The draft was started in another window: these files go to a new one.
                draft = self._ensure_draft(None, owner)
                service.upload(draft, paths, owner)
            data = service.draft_state(draft, owner)["spec"]["data"]
        except UserError as error:
            yield {**self.data_step.refuse(messages.error(error)), files: None}
            return
        # The field is emptied, ready for files that replace these.
        yield {session.draft: draft, self.data_step.note: "", files: None}
        yield from self._check({"source": data["source"], "path": data["path"]}, {**values, session.draft: draft})

    def begin(self, data: Mapping[str, Any], values: Values) -> Iterator[Updates]:
        """Check other data; settings of the previous data (columns, labels, options) are dropped."""
        session = self.session
        try:
            owner = session.context.owner(values[session.context.visitor])
            draft = self._ensure_draft(values[session.draft], owner)
        except UserError as error:
            yield self.data_step.refuse(messages.error(error))
            return
        yield {session.draft: draft, self.data_step.note: ""}
        yield from self._check(dict(data), {**values, session.draft: draft})

    def check_again(self, values: Values) -> Iterator[Updates]:
        """Check the same data with the form's settings."""
        yield from self._check(self._data(values), values)

    def resume(self, values: Values) -> Iterator[Updates]:
        """Join the check that was running when the page was loaded, or show its result."""
        session = self.session
        draft, service = values[session.draft], session.context.service
        try:
            state = service.draft_state(draft, session.context.owner(values[session.context.visitor]))
        except UserError as error:
            yield {self.resume_timer: gr.Timer(active=False), self.status: messages.error(error)}
            return
        if state["check"] and not state["checking"]:
            view = check_view.view(session.task, draft, state["check"])
            yield {**self.show_result(view), self.resume_timer: gr.Timer(active=False)}
            return
        yield from self._check(self._data(values), values, join=True)

    def apply_fix(self, event: gr.EventData, values: Values) -> Iterator[Updates]:
        """Apply the fix of a finding, and check again."""
        change = self.result.change_of_fix(values[self.result.fixes], event)
        if not change:
            yield {self.status: ""}
            return
        # A setting that has a component is changed there, so that the form shows it.
        split = {f.component: f.show(change[f.name]) for f in self.session.form.split if f.name in change}
        yield {self.status: "", **split}
        data = merge(self._data(values), {k: v for k, v in change.items() if k not in SPLIT})
        yield from self._check(data, {**values, **split})

    def apply_labels(self, values: Values) -> Iterator[Updates]:
        """Apply the label table, and check again."""
        data = {**self._data(values), "labels": label_table.mapping(values[self.result.labels])}
        yield from self._check(data, values)

    def apply_kinds(self, values: Values) -> Iterator[Updates]:
        """Apply the chosen kind to the selected columns, and check again."""
        data, fields = self._data(values), self.result.kinds
        options = data.get("options") or {}
        kinds = fields and change_kinds(options.get("kinds"), values[fields.selected], values[fields.kind])
        if not kinds:
            yield {self.status: messages.note("Select columns and their kind first.", level="warning")}
            return
        yield from self._check({**data, "options": {**options, "kinds": kinds}}, values)

    def switch_format(self, values: Values) -> Iterator[Updates]:
        """Read the data in another format, and check again; columns that this format does not have are dropped."""
        data, name = self._data(values), values[self.result.format]
        roles = {c.role for f in self.session.task.formats if f.name == name for c in f.columns}
        columns = {role: column for role, column in (data.get("columns") or {}).items() if role in roles}
        yield from self._check({**data, "format": name, "columns": columns}, values)

    def cancel_check(self, draft: Any, visitor: Any) -> None:
        """Cancel the check that is running."""
        context = self.session.context
        if draft:
            context.service.cancel_check(draft, context.owner(visitor))

    # -- updates of the outputs

    def show_partial_result(self, view: CheckView, *, repeated: bool) -> Updates:
        """Show the findings while the rows are still being written. repeated: they are shown already."""
        return {
            **({} if repeated else self.show_result(replace(view, ready=False))),
            self.status: messages.busy(WRITING_ROWS, 0.97),
            self.cancel: gr.Button(visible=True),
        }

    def show_error(self, error: UserError) -> Updates:
        """Show why a check failed. The earlier result stays: the setting that caused it may be part of it."""
        steps = self.session.steps
        return {
            self.status: "",
            self.cancel: gr.Button(visible=False),
            self.check_now: gr.Button(visible=True),
            self.result.findings: messages.error(error),
            self.result.summary: "",
            self.following: gr.Button(interactive=False),
            steps.model: gr.Step(interactive=False),
            steps.train: gr.Step(interactive=False),
        }

    def show_end(self, view: CheckView) -> Updates:
        """Enable the next step if the data is ready."""
        steps = self.session.steps
        updates: Updates = {
            self.status: "",
            self.cancel: gr.Button(visible=False),
            self.check_now: gr.Button(visible=not view.checked),
            self.following: gr.Button(interactive=view.ready),
            steps.model: gr.Step(interactive=view.ready),
        }
        if not view.ready:
            updates[steps.train] = gr.Step(interactive=False)
        return updates

    def show_result(self, view: CheckView) -> Updates:
        """Show a completed check."""
        return {**self.show_end(view), **self.result.update(view)}

    # -- inner

    def _data(self, values: Values) -> dict[str, Any]:
        return dict(values[self.session.form.data] or {})

    def _use_sample(self, name: str) -> Callable[[Values], Iterator[Updates]]:
        def use(values: Values) -> Iterator[Updates]:
            yield from self.begin({"source": SAMPLE.name, "path": name}, values)

        return use

    def _use_source(self, field: SourceField) -> Callable[[Values], Iterator[Updates]]:
        def use(values: Values) -> Iterator[Updates]:
            path = (values[field.path] or "").strip()
            if not path:
                missing = f"Enter a value for '{field.source.title}'."
                yield self.data_step.refuse(messages.note(missing, level="error"))
                return
            yield from self.begin({"source": field.source.name, "path": path}, values)

        return use

    def _choose_column(self, column: Column, dropdown: gr.Dropdown) -> Callable[[Values], Iterator[Updates]]:
        def choose(values: Values) -> Iterator[Updates]:
            data = self._data(values)
            columns = {k: v for k, v in (data.get("columns") or {}).items() if k != column.role}
            if values[dropdown]:
                columns[column.role] = values[dropdown]
            yield from self._check({**data, "columns": columns}, values)

        return choose

    def _ensure_draft(self, draft: Any, owner: str) -> str:
        """Return the draft, or a new one if it was deleted, has expired or was started in another window."""
        service = self.session.context.service
        if draft and service.is_draft(draft, owner):
            return str(draft)
        return service.draft(self.session.task.name, owner)

    def _check(self, data: dict[str, Any], values: Values, *, join: bool = False) -> Iterator[Updates]:
        """Check data. join: wait for the check that is running instead of starting one."""
        session = self.session
        draft, token = values[session.draft], values[session.token] or None
        if not draft or not data.get("source"):
            yield {self.status: messages.note(NO_DATA, level="error")}
            return
        current = object()
        with self._lock:
            self._latest[draft] = current
        spec = session.form.spec({**values, session.form.data: data})
        yield {
            session.form.data: data,
            self.data_step.note: messages.in_use(str(data.get("path") or "")),
            self.data_step.following: gr.Button(visible=True),
            self.status: messages.busy(READING),
            self.resume_timer: gr.Timer(active=False),
            self.check_now: gr.Button(visible=False),
            self.cancel: gr.Button(visible=True),
            self.result.findings: "",
            self.following: gr.Button(interactive=False),
            **session.go_to(session.steps.check),
        }
        service, owner = session.context.service, session.context.owner(values[session.context.visitor])
        shown: Any = None
        for item in run_in_background(
            lambda reporter: service.check(
                draft, spec, owner, token=token, progress=reporter, found=reporter.partial, join=join
            ),
            first=(READING, 0.0),
            on_disconnect=lambda reporter: service.leave_check(draft, reporter),
        ):
            with self._lock:
                if self._latest.get(draft) is not current:
                    return  # a later check has replaced this one
            if isinstance(item, tuple):
                yield {self.status: messages.busy(*item)}
            elif isinstance(item, PartialResult):
                repeated, shown = item.value is shown, item.value
                view = check_view.view(session.task, draft, shown)
                yield self.show_partial_result(view, repeated=repeated)
            elif item.error:
                yield self.show_error(item.error)
            else:
                view = check_view.view(session.task, draft, item.value)
                updates = self.show_end(view) if item.value == shown else self.show_result(view)
                yield {**updates, **self._replace_source(data, item.value.get("source") or {})}

    def _replace_source(self, data: Mapping[str, Any], source: Mapping[str, Any]) -> Updates:
        """Return the updates for a source that has replaced the upload, whose files were removed."""
        in_draft = {source.name for source in self.session.task.sources if source.in_draft}
        if data["source"] not in in_draft or source.get("name") in (None, data["source"]):
            return {}
        replaced = {**data, "source": source["name"], "path": source["path"]}
        return {self.session.form.data: replaced, self.data_step.note: messages.in_use(source["path"])}
