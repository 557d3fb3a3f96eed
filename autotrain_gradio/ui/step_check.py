"""Step 2: what was recognised, what is wrong, and what can be corrected."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.core.errors import StateError, UserError
from autotrain_gradio.core.spec import DataSpec, RunSpec, slug
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.ui import check_updates, check_view, kinds_table, label_table, messages, theme
from autotrain_gradio.ui import form as widgets
from autotrain_gradio.ui.background_task import PartialResult, run_in_background
from autotrain_gradio.ui.page_context import PRIVATE, UNQUEUED
from autotrain_gradio.ui.task_form import SPLIT, merge
from autotrain_gradio.ui.task_session import TaskSession

if TYPE_CHECKING:
    from autotrain_gradio.ui.step_data import DataStep

Updates = dict[Any, Any]
CHECK_EVENT: dict[str, Any] = {**PRIVATE, "show_progress": "hidden", "concurrency_limit": 8, "concurrency_id": "check"}
"""Of every event that checks: it lasts, and shows its progress itself."""

NOTHING_YET = "No data yet. Go back to the first step, and drop your files or use the sample."
UNFINISHED = "This data was not checked to the end."
GOES_ON = "This data is still being checked."


def project_name(data: Mapping[str, Any] | None, name: str) -> str:
    """Name the project after its data, unless the user gave it a name."""
    # What was picked says more than where it was picked from.
    picked = ((data or {}).get("options") or {}).get("projects") or []
    path = str(picked[0] if isinstance(picked, list) and picked else (data or {}).get("path") or "")
    usual = str(RunSpec.model_fields["project_name"].default)
    return slug(PurePath(path.split(" and ")[0]).stem) if path and name == usual else name


@dataclass
class CheckStep:
    """Shows a check, and checks again after a correction."""

    session: TaskSession
    view: check_view.CheckView
    fixes: gr.State
    status: Any = None
    cancel: Any = None
    findings: Any = None
    summary: Any = None
    result: Any = None
    columns_box: Any = None
    format: Any = None
    columns: list[tuple[Column, Any]] = field(default_factory=list)
    labels_box: Any = None
    labels: Any = None
    relabelled: Any = None
    kinds_box: Any = None
    kinds: Any = None
    features: Any = None
    split_again: Any = None
    returned: Any = None
    check_now: Any = None
    profile: Any = None
    gallery: Any = None
    following: Any = None
    data_step: Any = None
    _latest: dict[str, object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, session: TaskSession) -> CheckStep:
        """Create the step's widgets, showing the check that the draft has from an earlier visit."""
        prefix, task, initial = session.prefix, session.task, session.initial
        data = initial.data
        view = check_view.view(task, initial.draft or "", initial.check)
        self = cls(session, view, gr.State(view.fixes))
        unfinished = bool(initial.draft and data.get("source") and not view.checked)
        going = unfinished and initial.checking
        told = messages.note(GOES_ON) if going else messages.note(UNFINISHED, level="warning")
        started = told if unfinished else ""
        self.status = gr.HTML(started, elem_id=f"{prefix}-check-status", elem_classes="at-live")
        # One that went on while the page was away is shown at once.
        self.returned = gr.Timer(0.3, active=going)
        self.check_now = gr.Button(
            "Check it now",
            visible=unfinished and not going,
            elem_id=f"{prefix}-check-now",
            elem_classes="at-small-button",
        )
        self.cancel = gr.Button(
            "Cancel", size="sm", visible=False, elem_id=f"{prefix}-check-cancel", elem_classes="at-small-button"
        )
        self.summary = gr.HTML(view.summary, elem_id=f"{prefix}-recognised", elem_classes="at-live")
        self.findings = gr.HTML(view.findings, js_on_load=theme.script("findings"), elem_id=f"{prefix}-findings")
        with gr.Column(visible=view.checked, elem_id=f"{prefix}-checked") as self.result:
            with gr.Accordion("Columns", open=view.asks, elem_id=f"{prefix}-columns") as self.columns_box:
                gr.HTML("<p class='at-quiet'>Which column of your data means what. A change is checked at once.</p>")
                self.format = gr.Radio(
                    [(f.title, f.name) for f in task.formats],
                    value=view.format or None,
                    label="Format",
                    info=view.format_note,
                    visible=len(task.formats) > 1,
                    elem_id=f"{prefix}-format",
                )
                with gr.Row(elem_classes="at-fields"):
                    self.columns = [(c, self._dropdown(c)) for c in task.columns]
            with gr.Accordion(
                "What the columns hold", open=True, visible=bool(view.features), elem_id=f"{prefix}-kinds"
            ) as self.kinds_box:
                self.kinds = gr.HTML(
                    kinds_table.html(view.features),
                    js_on_load=theme.script("column_kinds"),
                    elem_id=f"{prefix}-kinds-table",
                )
            self.features = gr.State(view.features)
            with gr.Accordion(
                "Labels", open=False, visible=bool(view.labels), elem_id=f"{prefix}-labels"
            ) as self.labels_box:
                gr.HTML(label_table.HELP)
                self.labels = label_table.create(view.labels, elem_id=f"{prefix}-label-table")
                self.relabelled = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-labels-apply")
            with gr.Accordion("Training and validation rows", open=False, elem_id=f"{prefix}-split"):
                session.form.split = widgets.widgets(DataSpec, SPLIT, data, prefix=prefix)
                self.split_again = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-split-apply")
            self.profile = gr.HTML(view.profile, elem_id=f"{prefix}-profile", elem_classes="at-grid")
            self.gallery = gr.HTML(view.gallery, elem_id=f"{prefix}-gallery")
        with gr.Row(elem_classes="at-next"):
            self.following = gr.Button(
                "Continue to the model",
                variant="primary",
                size="lg",
                interactive=view.ready,
                elem_id=f"{prefix}-check-next",
            )
        return self

    def inputs(self) -> list[Any]:
        """Return the inputs of every event that checks: see `begin`."""
        session = self.session
        return [session.draft, session.context.visitor, session.token, *session.form.inputs()]

    def outputs(self) -> list[Any]:
        """Return all that such an event may change."""
        session = self.session
        return [
            *(session.draft, session.form.data, *session.steps.outputs()),
            *(
                self.data_step.note,
                self.data_step.following,
                self.fixes,
                self.status,
                self.returned,
                self.check_now,
                self.cancel,
            ),
            *(self.findings, self.summary),
            *(
                self.result,
                self.columns_box,
                self.format,
                *(w for _, w in self.columns),
                self.labels_box,
                self.labels,
                self.profile,
                self.gallery,
            ),
            *(self.kinds_box, self.kinds, self.features),
            *(self.following, *(f.widget for f in session.form.split)),
        ]

    def wire(self, data_step: DataStep) -> None:
        """Attach the step's events.

        data_step: the first step, which shows the data in use, or why it was refused.
        """
        self.data_step = data_step
        session, inputs, outputs = self.session, self.inputs(), self.outputs()
        self.findings.click(self._fixer(), [self.fixes, *inputs], outputs, **CHECK_EVENT)
        for column, dropdown in self.columns:
            dropdown.input(self._chooser(column), [dropdown, *inputs], outputs, **CHECK_EVENT)
        self.format.input(self.switch_format, [self.format, *inputs], outputs, **CHECK_EVENT)
        self.kinds.submit(self.rekind, [self.features, *inputs], outputs, **CHECK_EVENT)
        self.relabelled.click(self.relabel, [self.labels, *inputs], outputs, **CHECK_EVENT)
        self.split_again.click(self.again, inputs, outputs, **CHECK_EVENT)
        self.check_now.click(self.again, inputs, outputs, **CHECK_EVENT)
        self.returned.tick(self.resume, inputs, outputs, **CHECK_EVENT)
        self.cancel.click(self.stop, [session.draft, session.context.visitor], None, **UNQUEUED)
        self.following.click(
            lambda data, name: {**session.go_to(session.steps.model), session.form.name: project_name(data, name)},
            [session.form.data, session.form.name],
            [session.steps.walkthrough, session.steps.model, session.form.name],
            **UNQUEUED,
        )
        data_step.following.click(
            lambda: session.go_to(session.steps.check),
            None,
            [session.steps.walkthrough, session.steps.check],
            **UNQUEUED,
        )

    # -- events that check: each yields updates of `outputs`

    def upload(self, files: Sequence[str], draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Take uploaded files into the draft, then check them."""
        service = self.session.context.service
        try:
            owner = self.session.context.owner(visitor)
            draft, made = self._draft(draft, owner)
            try:
                service.upload(draft, list(files or []), owner)
            except StateError:
                # This tab's draft was started in another window: what comes now belongs to a new one.
                draft, made = self._draft(None, owner)
                service.upload(draft, list(files or []), owner)
            data = service.draft_state(draft, owner)["spec"]["data"]
        except UserError as error:
            yield {**self.refused(error), self.data_step.files: None}
            return
        # The drop zone is emptied: it is ready for what may take the place of these files.
        yield {**made, self.data_step.files: None}
        yield from self._check({"source": "upload", "path": data["path"]}, draft, visitor, token, values)

    def begin(self, data: Mapping[str, Any], draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Check other data than before: what was chosen for the earlier data is forgotten."""
        try:
            draft, made = self._draft(draft, self.session.context.owner(visitor))
        except UserError as error:
            yield self.refused(error)
            return
        yield made
        yield from self._check(dict(data), draft, visitor, token, values)

    def again(self, draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Check once more, with the form as it stands."""
        yield from self._check(dict(values[0] or {}), draft, visitor, token, values)

    def resume(self, draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Show the check that is under way since an earlier visit, or what it has found meanwhile."""
        service = self.session.context.service
        try:
            state = service.draft_state(draft, self.session.context.owner(visitor))
        except UserError as error:
            yield {self.returned: gr.Timer(active=False), self.status: messages.error(error)}
            return
        if state["check"] and not state["checking"]:
            shown = check_updates.shown(self, check_view.view(self.session.task, draft, state["check"]))
            yield {**shown, self.returned: gr.Timer(active=False)}
            return
        yield from self._check(dict(values[0] or {}), draft, visitor, token, values, join=True)

    def relabel(self, table: Any, draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Take over the label table, and check again."""
        data = {**(values[0] or {}), "labels": label_table.mapping(table)}
        yield from self._check(data, draft, visitor, token, values)

    def rekind(
        self, event: gr.EventData, features: Any, draft: Any, visitor: Any, token: Any, *values: Any
    ) -> Iterator[Updates]:
        """Take over what a column holds, and check again."""
        data = dict(values[0] or {})
        options = data.get("options") or {}
        kinds = kinds_table.change(features or [], options.get("kinds"), event._data)
        if kinds is None:
            yield {self.status: ""}
            return
        data["options"] = {**options, "kinds": kinds}
        yield from self._check(data, draft, visitor, token, values)

    def switch_format(self, name: str, draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Read the data as another format, and check again; columns that this format does not have are forgotten."""
        data = dict(values[0] or {})
        roles = {c.role for f in self.session.task.formats if f.name == name for c in f.columns}
        columns = {role: column for role, column in (data.get("columns") or {}).items() if role in roles}
        yield from self._check({**data, "format": name, "columns": columns}, draft, visitor, token, values)

    def stop(self, draft: Any, visitor: Any) -> None:
        """End the check that is under way."""
        if draft:
            self.session.context.service.cancel_check(draft, self.session.context.owner(visitor))

    def refused(self, problem: UserError | str) -> Updates:
        """Say on the first step that the data was not taken."""
        html = messages.error(problem) if isinstance(problem, UserError) else messages.note(problem, level="error")
        return {self.data_step.note: html}

    # -- inner

    def _taken_over(self, data: Mapping[str, Any], source: Mapping[str, Any]) -> Updates:
        """Let the form name the source that took over the upload, whose files are not there any more."""
        if data["source"] != "upload" or source.get("name") in (None, "upload"):
            return {}
        taken = {**data, "source": source["name"], "path": source["path"]}
        return {self.session.form.data: taken, self.data_step.note: messages.in_use(source["path"])}

    def _fixer(self) -> Any:
        def fix(event: gr.EventData, fixes: Any, draft: Any, visitor: Any, token: Any, *values: Any) -> Any:
            number = event._data.get("fix") if isinstance(event._data, dict) else None
            change = fixes[number] if isinstance(number, int) and 0 <= number < len(fixes or []) else None
            if not change:
                yield {self.status: ""}
                return
            given = list(values)
            shown: Updates = {}
            for offset, item in enumerate(self.session.form.split):
                if item.name in change:
                    # A setting that has a widget is changed there: the form keeps saying what is done.
                    given[5 + offset] = shown[item.widget] = item.show(change[item.name])
            yield {self.status: "", **shown}
            data = merge(given[0] or {}, {k: v for k, v in change.items() if k not in SPLIT})
            yield from self._check(data, draft, visitor, token, given)

        return fix

    def _chooser(self, column: Column) -> Any:
        def choose(value: Any, draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
            data = dict(values[0] or {})
            chosen = {k: v for k, v in (data.get("columns") or {}).items() if k != column.role}
            if value:
                chosen[column.role] = value
            yield from self._check({**data, "columns": chosen}, draft, visitor, token, values)

        return choose

    def _dropdown(self, column: Column) -> Any:
        choices, value = self.view.columns.get(column.role, ([], None))
        return gr.Dropdown(
            choices=choices,
            value=value,
            label=column.title,
            info=column.help,
            multiselect=column.many,
            visible=column.role in self.view.columns or not self.view.checked,
            interactive=True,
            elem_id=f"{self.session.prefix}-column-{column.role}",
        )

    def _draft(self, draft: Any, owner: str) -> tuple[str, Updates]:
        session = self.session
        # One that is no draft any more was swept, deleted, or started in another window.
        if not draft or not session.context.service.is_draft(draft, owner):
            draft = session.context.service.draft(session.task.name, owner)
        return draft, {session.draft: draft, self.data_step.note: ""}

    def _check(
        self,
        data: dict[str, Any],
        draft: Any,
        visitor: Any,
        token: Any,
        values: Sequence[Any],
        *,
        join: bool = False,
    ) -> Iterator[Updates]:
        session = self.session
        if not draft or not data.get("source"):
            yield {self.status: messages.note(NOTHING_YET, level="error")}
            return
        mine = object()
        with self._lock:
            self._latest[draft] = mine
        spec = session.form.spec([data, *values[1:]])
        yield {
            session.form.data: data,
            self.data_step.note: messages.in_use(str(data.get("path") or "")),
            self.data_step.following: gr.Button(visible=True),
            self.status: messages.busy("Opening the data"),
            self.returned: gr.Timer(active=False),
            self.check_now: gr.Button(visible=False),
            self.cancel: gr.Button(visible=True),
            self.findings: "",
            self.following: gr.Button(interactive=False),
            **session.go_to(session.steps.check),
        }
        service, owner = session.context.service, session.context.owner(visitor)
        shown: Any = None
        for item in run_in_background(
            lambda tell: service.check(
                draft, spec, owner, token=token or None, progress=tell, found=tell.partial, join=join
            ),
            on_disconnect=lambda tell: service.leave_check(draft, tell),
        ):
            with self._lock:
                if self._latest.get(draft) is not mine:
                    return  # a later check has taken the place of this one, and talks from now on
            if isinstance(item, tuple):
                yield {self.status: messages.busy(*item)}
            elif isinstance(item, PartialResult):
                again, shown = item.value is shown, item.value
                yield check_updates.found(self, check_view.view(session.task, draft, shown), again=again)
            elif item.error:
                yield check_updates.failed(self, item.error)
            else:
                view = check_view.view(session.task, draft, item.value)
                updates = (check_updates.ended if item.value == shown else check_updates.shown)(self, view)
                yield {**self._taken_over(data, item.value["source"]), **updates}
