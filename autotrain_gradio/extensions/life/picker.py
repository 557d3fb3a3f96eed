"""The LiFE picker on the data step: an export or a server → projects → script → dataset, with audio players.

Imported data is in the draft; its summary is in the state of the browser session. Passwords and tokens are sent with
each event and not stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.panels.audio_player import players
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.extensions.life import catalog, picker_login
from autotrain_gradio.extensions.life.picker_login import LoginFields
from autotrain_gradio.extensions.life.picker_selection import OpenedExport, SelectionFields
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.background_task import Finished, run_in_background
from autotrain_gradio.ui.files import link
from autotrain_gradio.ui.page_context import CHECK_EVENT, UNQUEUED

if TYPE_CHECKING:
    from autotrain_gradio.ui.step_check import CheckStep
    from autotrain_gradio.ui.task_session import TaskSession

Updates = dict[Any, Any]
EXPORT, SERVER = "Export file", "LiFE server (experimental)"
HELP = (
    "<p>Train on transcriptions of the LiFE App. In LiFE, download the transcriptions of a project as JSON with the"
    " audio, and upload the zip here; upload several zips for several projects. Names of speakers and annotators are"
    " replaced by numbers during the import and are not stored.</p>"
)


def build(session: TaskSession, source: Source) -> LifePicker:
    """Create the picker's components in the current Blocks context."""
    return LifePicker(session, source)


class LifePicker:
    """The components and their event handlers."""

    def __init__(self, session: TaskSession, source: Source) -> None:
        self.session, self.source, prefix = session, source, f"{session.prefix}-life"
        used = (session.initial.spec.get("data") or {}).get("source") == source.name and bool(session.initial.draft)
        with gr.Accordion(source.title, open=used, elem_id=prefix):
            gr.HTML(HELP)
            self.opened = gr.State(None)
            self.again = gr.Button("Change the selection", visible=used, size="sm", elem_id=f"{prefix}-again")
            self.mode = gr.Radio(
                [EXPORT, SERVER], value=EXPORT, label="Read from", interactive=True, elem_id=f"{prefix}-mode"
            )
            with gr.Row(equal_height=True) as self.export:
                self.files = gr.File(
                    label="Drop the export here",
                    file_count="multiple",
                    height=150,
                    scale=3,
                    interactive=True,
                    elem_id=f"{prefix}-files",
                    elem_classes="at-drop",
                )
                with gr.Column(scale=2, min_width=240):
                    gr.HTML("<p class='at-quiet'>No export yet? The sample has three synthetic voices.</p>")
                    self.sample = gr.Button("Open the sample export", elem_id=f"{prefix}-sample")
            with gr.Column(visible=False) as self.server:
                self.login = LoginFields(prefix)
            self.status = gr.HTML("", elem_id=f"{prefix}-status", elem_classes="at-live")
            with gr.Column(visible=False, elem_id=f"{prefix}-choices") as self.box:
                self.choices = SelectionFields(prefix)

    def wire(self, check: CheckStep) -> None:
        """Attach the events.

        check: the second step, which begins when something was picked.
        """
        session = self.session
        who = [session.draft, session.context.visitor]
        login, selection = self.login, self.choices
        chosen = [self.opened, *selection.fields()]
        shown = [
            session.draft,
            self.status,
            self.opened,
            self.box,
            self.again,
            *chosen[1:],
            selection.summary,
            self.choices.preview,
        ]
        self.mode.change(self._switch, [self.mode, self.opened], [self.export, self.server, self.box], **UNQUEUED)
        login.wire()
        self.files.upload(self._open_files, [self.files, *who], [self.files, *shown], **CHECK_EVENT)
        self.sample.click(self._open_sample, who, shown, **CHECK_EVENT)
        self.again.click(self._open_again, who, shown, **CHECK_EVENT)
        listing = [session.draft, self.status, login.listed, login.remote]
        gr.on(
            [login.list.click, login.address.submit, login.password.submit, login.token.submit],
            self._list,
            [*who, *login.fields()],
            listing,
            **CHECK_EVENT,
        )
        login.read.click(self._read, [login.remote, *who, *login.fields()], shown, **CHECK_EVENT)
        for box in selection.fields():
            box.input(self._cascade, chosen, [*chosen[1:], selection.summary, self.choices.preview], **UNQUEUED)
        selection.listen.click(
            self._listen,
            [*chosen, *who, *login.fields()],
            [session.draft, self.status, self.choices.preview],
            **CHECK_EVENT,
        )
        selection.use.click(
            self._use_handler(check),
            {*chosen, *login.fields(), *check.inputs()},
            [self.status, *check.outputs()],
            **CHECK_EVENT,
        )

    # -- events

    def _switch(self, mode: str, opened: OpenedExport | None) -> Any:
        of_server = opened is not None and catalog.is_url(opened.place)
        offered = opened is not None and of_server == (mode == SERVER)
        return gr.Row(visible=mode == EXPORT), gr.Column(visible=mode == SERVER), gr.Column(visible=offered)

    def _open_files(self, files: Sequence[str] | None, draft: Any, visitor: Any) -> Iterator[Updates]:
        paths = [Path(f) for f in files or []]
        place = catalog.name_upload([p.name for p in paths], time.strftime("%H:%M:%S"))
        yield from self._open(place, {"action": "open"}, draft, visitor, files=paths, also={self.files: None})

    def _open_sample(self, draft: Any, visitor: Any) -> Iterator[Updates]:
        yield from self._open(catalog.SAMPLE, {"action": "open"}, draft, visitor)

    def _open_again(self, draft: Any, visitor: Any) -> Iterator[Updates]:
        try:
            state = self.session.context.service.draft_state(draft, self.session.context.owner(visitor))
        except UserError as error:
            yield {self.status: messages.error(error)}
            return
        data = state["spec"].get("data") or {}
        yield from self._open(
            str(data.get("path") or ""), {"action": "reopen"}, draft, visitor, chosen=data.get("options")
        )

    def _list(self, draft: Any, visitor: Any, address: str, *login: Any) -> Iterator[Updates]:
        try:
            place = catalog.parse_address(address or "")
            secrets = picker_login.secrets(*login)
        except UserError as error:
            yield {self.status: messages.error(error)}
            return

        def show(answer: Mapping[str, Any]) -> Updates:
            return {self.status: messages.findings(answer["findings"]), **self.login.show(answer["projects"])}

        yield from self._browse(place, {"action": "projects"}, draft, visitor, "Signing in", show, secrets=secrets)

    def _read(self, wanted: Any, draft: Any, visitor: Any, address: str, *login: Any) -> Iterator[Updates]:
        try:
            place = catalog.parse_address(address or "")
            secrets = picker_login.secrets(*login)
            if not wanted:
                raise DataError("No project is selected.", "Select one or several.", code="life-no-project")
        except UserError as error:
            yield {self.status: messages.error(error)}
            return
        yield from self._open(place, {"action": "open", "projects": list(wanted)}, draft, visitor, secrets=secrets)

    def _cascade(self, opened: OpenedExport | None, projects: Any, script: Any, dataset: Any) -> Updates:
        """Update the options that depend on the changed selection; a value that is still valid is kept."""
        return (
            {**self.choices.offer(opened, list(projects or []), script, dataset), self.choices.preview: ""}
            if opened
            else {}
        )

    def _listen(
        self,
        opened: OpenedExport | None,
        projects: Any,
        script: Any,
        dataset: Any,
        draft: Any,
        visitor: Any,
        *login: Any,
    ) -> Iterator[Updates]:
        question = self._question("preview", opened, projects, script, dataset)
        if question is None or opened is None:
            yield {self.status: messages.note("Select a project, a script and a dataset.", level="error")}
            return

        def show(answer: Mapping[str, Any]) -> Updates:
            rows = [{"file": r["file"], "caption": r["text"], "detail": r["detail"]} for r in answer["rows"]]
            left_out = f"<p class='at-note'>Skipped: {escape(answer['left_out'])}.</p>" if answer["left_out"] else ""
            none = "" if rows else messages.note("None of these segments is usable.", level="error")
            return {self.status: "", self.choices.preview: f"{players(rows, link(draft))}{left_out}{none}"}

        yield from self._browse(
            opened.place,
            question,
            draft,
            visitor,
            "Preparing clips",
            show,
            secrets=picker_login.secrets(*login[1:]),
        )

    def _use_handler(self, check: CheckStep) -> Callable[..., Iterator[Updates]]:
        def use(values: Mapping[Any, Any]) -> Iterator[Updates]:
            opened, session = values[self.opened], self.session
            projects, script, dataset = (values[field] for field in self.choices.fields())
            login = [values[field] for field in self.login.fields()]
            draft, visitor = values[session.draft], values[session.context.visitor]
            question = self._question("download", opened, projects, script, dataset)
            if question is None or opened is None:
                yield {self.status: messages.note("Select a project, a script and a dataset.", level="error")}
                return
            if catalog.is_url(opened.place):
                what, secrets = "Downloading the audio", picker_login.secrets(*login[1:])
                done = yield from self._browse(
                    opened.place, question, draft, visitor, what, lambda answer: {self.status: ""}, secrets=secrets
                )
                if not done:
                    return
            names = {p["id"]: p["name"] for p in opened.projects}
            unique = len(set(names.values())) == len(names)
            options = {
                "projects": [names[p] if unique else p for p in question["projects"]],
                "script": script,
                "dataset": dataset,
            }
            data = {"source": self.source.name, "path": opened.place, "options": options}
            yield from check.begin(data, values)

        return use

    # -- inner

    def _open(
        self,
        place: str,
        question: Mapping[str, Any],
        draft: Any,
        visitor: Any,
        *,
        files: Sequence[Path] = (),
        secrets: Mapping[str, str] | None = None,
        chosen: Mapping[str, Any] | None = None,
        also: Updates | None = None,
    ) -> Iterator[Updates]:
        """Let the source import a path, then show the options."""

        def show(answer: Mapping[str, Any]) -> Updates:
            opened, given = OpenedExport.of(place, answer), chosen or {}
            wanted = given.get("projects") or []
            ids = [p["id"] for p in opened.projects if not wanted or p["name"] in wanted or p["id"] in wanted]
            default = catalog.default_selection(opened.catalogue, opened.layers, ids)
            if not default.script:
                problem = messages.note("The export has no transcripts.", level="error")
                return {self.status: problem, self.box: gr.Column(visible=False)}
            status = f"<p>Detected format: {escape(answer['format'])}.</p>{messages.findings(answer['findings'])}"
            script, dataset = given.get("script") or default.script, given.get("dataset") or default.dataset
            return {
                self.status: status,
                self.opened: opened,
                self.box: gr.Column(visible=True),
                self.again: gr.Button(visible=False),
                **self.choices.offer(opened, ids, script, dataset),
            }

        first = {**(also or {}), self.choices.preview: "", self.box: gr.Column(visible=False), self.opened: None}
        yield from self._browse(
            place, question, draft, visitor, "Importing", show, files=files, secrets=secrets, first=first
        )

    def _browse(
        self,
        place: str,
        question: Mapping[str, Any],
        draft: Any,
        visitor: Any,
        what: str,
        show: Callable[[Mapping[str, Any]], Updates],
        *,
        files: Sequence[Path] = (),
        secrets: Mapping[str, str] | None = None,
        first: Updates | None = None,
    ) -> Generator[Updates, None, bool]:
        """Call the source in a worker; yield progress, then the updates of `show(answer)`, or the error.

        Returns whether it succeeded.
        """
        context, task = self.session.context, self.session.task.name
        service = context.service
        try:
            owner = context.owner(visitor)
            draft = draft if draft and service.is_draft(draft, owner) else service.draft(task, owner)
        except UserError as error:
            yield {self.status: messages.error(error)}
            return False
        yield {**(first or {}), self.session.draft: draft, self.status: messages.busy(what)}
        spec = {"task": task, "data": {"source": self.source.name, "path": place}}
        for item in run_in_background(
            lambda tell: service.browse(
                draft, spec, question, owner, files=list(files), secrets=secrets, progress=tell
            ),
            first=(what, 0.0),
        ):
            if isinstance(item, tuple):
                yield {self.status: messages.busy(*item)}
            elif isinstance(item, Finished) and item.error:
                yield {self.status: messages.error(item.error)}
            elif isinstance(item, Finished):
                yield show(item.value)
                return True
        return False

    def _question(
        self, action: str, opened: OpenedExport | None, projects: Any, script: Any, dataset: Any
    ) -> dict[str, Any] | None:
        if opened is None or not projects or not script or not dataset:
            return None
        return {"action": action, "projects": list(projects), "script": script, "dataset": dataset}
