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
from autotrain_gradio.ui import check_updates, check_view, kinds_table, label_table, messages
from autotrain_gradio.ui import form as widgets
from autotrain_gradio.ui.shell import PRIVATE, QUICK, Found, follow
from autotrain_gradio.ui.task_form import SPLIT, merge

if TYPE_CHECKING:
    from autotrain_gradio.ui.task_tab import Walk

Updates = dict[Any, Any]
CHECKING: dict[str, Any] = {**PRIVATE, "show_progress": "hidden", "concurrency_limit": 8, "concurrency_id": "check"}
"""Of every event that checks: it lasts, and shows its progress itself."""

FIX_SCRIPT = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-fix]');
  if (button) trigger('click', {fix: Number(button.dataset.fix)});
});
"""
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

    walk: Walk
    view: check_view.CheckView
    fixes: gr.State
    status: Any = None
    cancel: Any = None
    findings: Any = None
    summary: Any = None
    result: Any = None
    columns_box: Any = None
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
    data_note: Any = None
    data_next: Any = None
    files: Any = None
    _latest: dict[str, object] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def build(cls, walk: Walk) -> CheckStep:
        """Create the step's widgets, showing the check that the draft has from an earlier visit."""
        prefix, task, seed = walk.prefix, walk.task, walk.start
        data = seed["spec"].get("data") or {}
        view = check_view.view(task, seed["draft"] or "", seed.get("check"))
        self = cls(walk, view, gr.State(view.fixes))
        unfinished = bool(seed["draft"] and data.get("source") and not view.checked)
        going = unfinished and bool(seed.get("checking"))
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
        self.findings = gr.HTML(view.findings, js_on_load=FIX_SCRIPT, elem_id=f"{prefix}-findings")
        with gr.Column(visible=view.checked, elem_id=f"{prefix}-checked") as self.result:
            with gr.Accordion("Columns", open=view.asks, elem_id=f"{prefix}-columns") as self.columns_box:
                gr.HTML("<p class='at-quiet'>Which column of your data means what. A change is checked at once.</p>")
                with gr.Row(elem_classes="at-fields"):
                    self.columns = [(c, self._dropdown(c)) for c in task.columns]
            with gr.Accordion(
                "What the columns hold", open=True, visible=bool(view.features), elem_id=f"{prefix}-kinds"
            ) as self.kinds_box:
                self.kinds = gr.HTML(
                    kinds_table.html(view.features), js_on_load=kinds_table.SCRIPT, elem_id=f"{prefix}-kinds-table"
                )
            self.features = gr.State(view.features)
            with gr.Accordion(
                "Labels", open=False, visible=bool(view.labels), elem_id=f"{prefix}-labels"
            ) as self.labels_box:
                gr.HTML(label_table.HELP)
                self.labels = label_table.create(view.labels, elem_id=f"{prefix}-label-table")
                self.relabelled = gr.Button("Apply and check again", size="sm", elem_id=f"{prefix}-labels-apply")
            with gr.Accordion("Training and validation rows", open=False, elem_id=f"{prefix}-split"):
                walk.form.split = widgets.widgets(DataSpec, SPLIT, data, prefix=prefix)
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
        walk = self.walk
        return [walk.draft, walk.shell.visitor, walk.token, *walk.form.inputs()]

    def outputs(self) -> list[Any]:
        """Return all that such an event may change."""
        walk = self.walk
        return [
            *(walk.draft, walk.form.data, walk.steps, *walk.step.values()),
            *(self.data_note, self.data_next, self.fixes, self.status, self.returned, self.check_now, self.cancel),
            *(self.findings, self.summary),
            *(
                self.result,
                self.columns_box,
                *(w for _, w in self.columns),
                self.labels_box,
                self.labels,
                self.profile,
                self.gallery,
            ),
            *(self.kinds_box, self.kinds, self.features),
            *(self.following, *(f.widget for f in walk.form.split)),
        ]

    def wire(self, data_note: Any, data_next: Any, files: Any) -> None:
        """Attach the step's events.

        data_note: where the first step says which data was taken, or why not.
        data_next: its button that leads here, shown once there is data.
        files: its drop zone, if it has one.
        """
        self.data_note, self.data_next, self.files = data_note, data_next, files
        walk, inputs, outputs = self.walk, self.inputs(), self.outputs()
        self.findings.click(self._fixer(), [self.fixes, *inputs], outputs, **CHECKING)
        for column, dropdown in self.columns:
            dropdown.input(self._chooser(column), [dropdown, *inputs], outputs, **CHECKING)
        self.kinds.submit(self.rekind, [self.features, *inputs], outputs, **CHECKING)
        self.relabelled.click(self.relabel, [self.labels, *inputs], outputs, **CHECKING)
        self.split_again.click(self.again, inputs, outputs, **CHECKING)
        self.check_now.click(self.again, inputs, outputs, **CHECKING)
        self.returned.tick(self.resume, inputs, outputs, **CHECKING)
        self.cancel.click(self.stop, [walk.draft, walk.shell.visitor], None, **QUICK)
        self.following.click(
            lambda data, name: {**walk.go(3), walk.form.name: project_name(data, name)},
            [walk.form.data, walk.form.name],
            [walk.steps, walk.step[3], walk.form.name],
            **QUICK,
        )
        data_next.click(lambda: walk.go(2), None, [walk.steps, walk.step[2]], **QUICK)

    # -- events that check: each yields updates of `outputs`

    def upload(self, files: Sequence[str], draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Take uploaded files into the draft, then check them."""
        service = self.walk.shell.service
        try:
            owner = self.walk.shell.owner(visitor)
            draft, made = self._draft(draft, owner)
            try:
                service.upload(draft, list(files or []), owner)
            except StateError:
                # This tab's draft was started in another window: what comes now belongs to a new one.
                draft, made = self._draft(None, owner)
                service.upload(draft, list(files or []), owner)
            data = service.draft_state(draft, owner)["spec"]["data"]
        except UserError as error:
            yield {**self.refused(error), self.files: None}
            return
        # The drop zone is emptied: it is ready for what may take the place of these files.
        yield {**made, self.files: None}
        yield from self._check({"source": "upload", "path": data["path"]}, draft, visitor, token, values)

    def begin(self, data: Mapping[str, Any], draft: Any, visitor: Any, token: Any, *values: Any) -> Iterator[Updates]:
        """Check other data than before: what was chosen for the earlier data is forgotten."""
        try:
            draft, made = self._draft(draft, self.walk.shell.owner(visitor))
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
        service = self.walk.shell.service
        try:
            state = service.draft_state(draft, self.walk.shell.owner(visitor))
        except UserError as error:
            yield {self.returned: gr.Timer(active=False), self.status: messages.error(error)}
            return
        if state["check"] and not state["checking"]:
            shown = check_updates.shown(self, check_view.view(self.walk.task, draft, state["check"]))
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

    def stop(self, draft: Any, visitor: Any) -> None:
        """End the check that is under way."""
        if draft:
            self.walk.shell.service.cancel_check(draft, self.walk.shell.owner(visitor))

    def refused(self, problem: UserError | str) -> Updates:
        """Say on the first step that the data was not taken."""
        html = messages.error(problem) if isinstance(problem, UserError) else messages.note(problem, level="error")
        return {self.data_note: html}

    # -- inner

    def _taken_over(self, data: Mapping[str, Any], source: Mapping[str, Any]) -> Updates:
        """Let the form name the source that took over the upload, whose files are not there any more."""
        if data["source"] != "upload" or source.get("name") in (None, "upload"):
            return {}
        taken = {**data, "source": source["name"], "path": source["path"]}
        return {self.walk.form.data: taken, self.data_note: messages.in_use(source["path"])}

    def _fixer(self) -> Any:
        def fix(event: gr.EventData, fixes: Any, draft: Any, visitor: Any, token: Any, *values: Any) -> Any:
            number = event._data.get("fix") if isinstance(event._data, dict) else None
            change = fixes[number] if isinstance(number, int) and 0 <= number < len(fixes or []) else None
            if not change:
                yield {self.status: ""}
                return
            given = list(values)
            shown: Updates = {}
            for offset, item in enumerate(self.walk.form.split):
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
            interactive=True,
            elem_id=f"{self.walk.prefix}-column-{column.role}",
        )

    def _draft(self, draft: Any, owner: str) -> tuple[str, Updates]:
        walk = self.walk
        # One that is no draft any more was swept, deleted, or started in another window.
        if not draft or not walk.shell.service.is_draft(draft, owner):
            draft = walk.shell.service.draft(walk.task.name, owner)
        return draft, {walk.draft: draft, self.data_note: ""}

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
        walk = self.walk
        if not draft or not data.get("source"):
            yield {self.status: messages.note(NOTHING_YET, level="error")}
            return
        mine = object()
        with self._lock:
            self._latest[draft] = mine
        spec = walk.form.spec([data, *values[1:]])
        yield {
            walk.form.data: data,
            self.data_note: messages.in_use(str(data.get("path") or "")),
            self.data_next: gr.Button(visible=True),
            self.status: messages.busy("Opening the data"),
            self.returned: gr.Timer(active=False),
            self.check_now: gr.Button(visible=False),
            self.cancel: gr.Button(visible=True),
            self.findings: "",
            self.following: gr.Button(interactive=False),
            **walk.go(2),
        }
        service, owner = walk.shell.service, walk.shell.owner(visitor)
        shown: Any = None
        for item in follow(
            lambda tell: service.check(
                draft, spec, owner, token=token or None, progress=tell, found=tell.found, join=join
            ),
            left=lambda tell: service.leave_check(draft, tell),
        ):
            with self._lock:
                if self._latest.get(draft) is not mine:
                    return  # a later check has taken the place of this one, and talks from now on
            if isinstance(item, tuple):
                yield {self.status: messages.busy(*item)}
            elif isinstance(item, Found):
                again, shown = item.value is shown, item.value
                yield check_updates.found(self, check_view.view(walk.task, draft, shown), again=again)
            elif item.error:
                yield check_updates.failed(self, item.error)
            else:
                view = check_view.view(walk.task, draft, item.value)
                yield self._taken_over(data, item.value["source"])
                yield (check_updates.ended if item.value == shown else check_updates.shown)(self, view)
