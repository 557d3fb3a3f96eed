"""The picker of the LiFE App in the first step: an export or a server → projects → script → dataset, with players.

What is read stays in the draft; what is shown of it is kept here, in the session of one browser. Passwords and tokens
come from their fields with every event, and are kept nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.data.declare import Source
from autotrain_gradio.data.sources.life import choices
from autotrain_gradio.errors import DataError, UserError
from autotrain_gradio.ui import messages, sounds
from autotrain_gradio.ui.files import link
from autotrain_gradio.ui.shell import QUICK, Done, follow
from autotrain_gradio.ui.step_check import CHECKING

if TYPE_CHECKING:
    from autotrain_gradio.ui.step_check import CheckStep
    from autotrain_gradio.ui.task_tab import Walk

Updates = dict[Any, Any]
EXPORT, SERVER = "Export file", "LiFE server (experimental)"
PERSON, TOKEN = "User name and password", "Token"
HELP = (
    "<p>Train on what was transcribed in the LiFE App. In LiFE, download the transcriptions of a project as JSON with"
    " the audio, and give the zip here; several zips are several projects. Names of speakers and annotators are"
    " replaced by numbers while the files are read, and kept nowhere.</p>"
)
SERVER_HELP = (
    "<p class='at-quiet'>Experimental. The app signs in as you, opens each of your projects for a moment to look at it,"
    " and then sets your active project back: do not work in LiFE meanwhile. Your login is kept in memory only. A token"
    " is for a LiFE that offers programs an interface; a stock LiFE does not.</p>"
)


def build(walk: Walk, source: Source) -> LifePicker:
    """Create the picker's widgets where the page is being built."""
    return LifePicker(walk, source)


@dataclass(frozen=True)
class Opened:
    """What a browser has opened: the answer of the source, and the place that it is of."""

    place: str
    projects: tuple[Mapping[str, Any], ...]
    layers: tuple[Mapping[str, Any], ...]
    catalogue: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, place: str, answer: Mapping[str, Any]) -> Opened:
        """Take over an answer."""
        return cls(place, *(tuple(answer[k]) for k in ("projects", "layers", "catalogue")))


class LifePicker:
    """The widgets and their events."""

    def __init__(self, walk: Walk, source: Source) -> None:
        self.walk, self.source, prefix = walk, source, f"{walk.prefix}-life"
        used = (walk.start["spec"].get("data") or {}).get("source") == source.name and bool(walk.start["draft"])
        with gr.Accordion(source.title, open=used, elem_id=prefix):
            gr.HTML(HELP)
            self.opened = gr.State(None)
            self.again = gr.Button(
                "Choose again from what was opened", visible=used, size="sm", elem_id=f"{prefix}-again"
            )
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
                    gr.HTML("<p class='at-quiet'>No export at hand? Three invented voices tell of their village.</p>")
                    self.sample = gr.Button("Open the sample export", elem_id=f"{prefix}-sample")
            with gr.Column(visible=False) as self.server:
                self._build_server(prefix)
            self.status = gr.HTML("", elem_id=f"{prefix}-status", elem_classes="at-live")
            with gr.Column(visible=False, elem_id=f"{prefix}-choices") as self.choices:
                self._build_choices(prefix)

    def _build_server(self, prefix: str) -> None:
        gr.HTML(SERVER_HELP)
        with gr.Row(elem_classes="at-fields"):
            self.address = gr.Textbox(
                label="Address",
                placeholder="https://life.example.org",
                max_lines=1,
                interactive=True,
                elem_id=f"{prefix}-address",
            )
            self.way = gr.Radio(
                [PERSON, TOKEN], value=PERSON, label="Sign in with", interactive=True, elem_id=f"{prefix}-way"
            )
            self.username = gr.Textbox(label="User name", max_lines=1, interactive=True, elem_id=f"{prefix}-username")
            self.password = gr.Textbox(
                label="Password", type="password", max_lines=1, interactive=True, elem_id=f"{prefix}-password"
            )
            self.token = gr.Textbox(
                label="Token", type="password", max_lines=1, visible=False, interactive=True, elem_id=f"{prefix}-token"
            )
        self.list = gr.Button("Show my projects", elem_id=f"{prefix}-list")
        with gr.Column(visible=False) as self.listed:
            self.remote = gr.Dropdown(
                [], multiselect=True, label="Projects on the server", elem_id=f"{prefix}-remote", interactive=True
            )
            self.read = gr.Button("Read their transcripts", variant="primary", elem_id=f"{prefix}-read")

    def _build_choices(self, prefix: str) -> None:
        self.projects = gr.Dropdown(
            [],
            multiselect=True,
            label="Projects",
            info="One or several.",
            interactive=True,
            elem_id=f"{prefix}-projects",
        )
        with gr.Row():
            self.script = gr.Dropdown(
                [],
                label="Script",
                info="The writing system that the model shall write.",
                min_width=300,
                interactive=True,
                elem_id=f"{prefix}-script",
            )
            self.dataset = gr.Dropdown(
                [],
                label="Dataset",
                info="Whose transcripts: as they stand at present, or one annotator's.",
                min_width=300,
                interactive=True,
                elem_id=f"{prefix}-dataset",
            )
        self.summary = gr.HTML("", elem_id=f"{prefix}-summary", elem_classes="at-live")
        with gr.Row():
            self.listen = gr.Button("Listen to a few", elem_id=f"{prefix}-listen")
            self.use = gr.Button("Use these", variant="primary", elem_id=f"{prefix}-use")
        self.preview = gr.HTML("", elem_id=f"{prefix}-preview")

    def wire(self, check: CheckStep) -> None:
        """Attach the events.

        check: the second step, which begins when something was picked.
        """
        walk = self.walk
        who = [walk.draft, walk.shell.visitor]
        login = [self.address, self.way, self.username, self.password, self.token]
        chosen = [self.opened, self.projects, self.script, self.dataset]
        shown = [
            walk.draft,
            self.status,
            self.opened,
            self.choices,
            self.again,
            *chosen[1:],
            self.summary,
            self.preview,
        ]
        self.mode.change(self._switch, [self.mode, self.opened], [self.export, self.server, self.choices], **QUICK)
        self.way.change(
            lambda way: [gr.Textbox(visible=way == PERSON)] * 2 + [gr.Textbox(visible=way == TOKEN)],
            self.way,
            [self.username, self.password, self.token],
            **QUICK,
        )
        self.files.upload(self._open_files, [self.files, *who], [self.files, *shown], **CHECKING)
        self.sample.click(self._open_sample, who, shown, **CHECKING)
        self.again.click(self._open_again, who, shown, **CHECKING)
        listing = [walk.draft, self.status, self.listed, self.remote]
        gr.on(
            [self.list.click, self.address.submit, self.password.submit, self.token.submit],
            self._list,
            [*who, *login],
            listing,
            **CHECKING,
        )
        self.read.click(self._read, [self.remote, *who, *login], shown, **CHECKING)
        for box in (self.projects, self.script, self.dataset):
            box.input(self._cascade, chosen, [*chosen[1:], self.summary, self.preview], **QUICK)
        self.listen.click(self._listen, [*chosen, *who, *login], [walk.draft, self.status, self.preview], **CHECKING)
        self.use.click(
            self._user(check), [*chosen, *login, *check.inputs()], [self.status, *check.outputs()], **CHECKING
        )

    # -- events

    def _switch(self, mode: str, opened: Opened | None) -> Any:
        of_server = opened is not None and choices.is_address(opened.place)
        offered = opened is not None and of_server == (mode == SERVER)
        return gr.Row(visible=mode == EXPORT), gr.Column(visible=mode == SERVER), gr.Column(visible=offered)

    def _open_files(self, files: Sequence[str] | None, draft: Any, visitor: Any) -> Iterator[Updates]:
        paths = [Path(f) for f in files or []]
        place = choices.uploaded([p.name for p in paths], time.strftime("%H:%M:%S"))
        yield from self._open(place, {"do": "open"}, draft, visitor, files=paths, also={self.files: None})

    def _open_sample(self, draft: Any, visitor: Any) -> Iterator[Updates]:
        yield from self._open(choices.SAMPLE, {"do": "open"}, draft, visitor)

    def _open_again(self, draft: Any, visitor: Any) -> Iterator[Updates]:
        try:
            state = self.walk.shell.service.draft_state(draft, self.walk.shell.owner(visitor))
        except UserError as error:
            yield {self.status: messages.error(error)}
            return
        data = state["spec"].get("data") or {}
        yield from self._open(str(data.get("path") or ""), {"do": "again"}, draft, visitor, chosen=data.get("options"))

    def _list(self, draft: Any, visitor: Any, address: str, *login: Any) -> Iterator[Updates]:
        try:
            place = choices.address(address or "")
            secrets = _secrets(*login)
        except UserError as error:
            yield {self.status: messages.error(error)}
            return

        def show(answer: Mapping[str, Any]) -> Updates:
            names = [(_titled(p), p["id"]) for p in answer["projects"]]
            only = [names[0][1]] if len(names) == 1 else []
            return {
                self.status: messages.findings(answer["findings"]),
                self.listed: gr.Column(visible=True),
                self.remote: gr.Dropdown(choices=names, value=only),
            }

        yield from self._ask(place, {"do": "projects"}, draft, visitor, "Signing in", show, secrets=secrets)

    def _read(self, wanted: Any, draft: Any, visitor: Any, address: str, *login: Any) -> Iterator[Updates]:
        try:
            place = choices.address(address or "")
            secrets = _secrets(*login)
            if not wanted:
                raise DataError("No project is chosen.", "Choose one or several.", code="life-no-project")
        except UserError as error:
            yield {self.status: messages.error(error)}
            return
        yield from self._open(place, {"do": "open", "projects": list(wanted)}, draft, visitor, secrets=secrets)

    def _cascade(self, opened: Opened | None, projects: Any, script: Any, dataset: Any) -> Updates:
        """Offer what the choice above leaves, keeping the choice below where it is still there."""
        return {**self._offered(opened, list(projects or []), script, dataset), self.preview: ""} if opened else {}

    def _listen(
        self, opened: Opened | None, projects: Any, script: Any, dataset: Any, draft: Any, visitor: Any, *login: Any
    ) -> Iterator[Updates]:
        question = self._question("preview", opened, projects, script, dataset)
        if question is None or opened is None:
            yield {self.status: messages.note("Choose a project, a script and a dataset.", level="error")}
            return

        def show(answer: Mapping[str, Any]) -> Updates:
            rows = [{"file": r["file"], "caption": r["text"], "detail": r["detail"]} for r in answer["rows"]]
            left_out = f"<p class='at-note'>Left out: {escape(answer['left_out'])}.</p>" if answer["left_out"] else ""
            none = "" if rows else messages.note("None of these segments can be used.", level="error")
            return {self.status: "", self.preview: f"{sounds.players(rows, link(draft))}{left_out}{none}"}

        yield from self._ask(
            opened.place, question, draft, visitor, "Cutting a few segments", show, secrets=_secrets(*login[1:])
        )

    def _user(self, check: CheckStep) -> Callable[..., Iterator[Updates]]:
        def use(opened: Opened | None, projects: Any, script: Any, dataset: Any, *more: Any) -> Iterator[Updates]:
            login, (draft, visitor, token, *values) = more[:5], more[5:]
            question = self._question("take", opened, projects, script, dataset)
            if question is None or opened is None:
                yield {self.status: messages.note("Choose a project, a script and a dataset.", level="error")}
                return
            if choices.is_address(opened.place):
                what, secrets = "Downloading the audio", _secrets(*login[1:])
                done = yield from self._ask(
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
            yield from check.begin(data, draft, visitor, token, *values)

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
        """Let the source read a place, then show what can be chosen of it."""

        def show(answer: Mapping[str, Any]) -> Updates:
            opened, given = Opened.of(place, answer), chosen or {}
            wanted = given.get("projects") or []
            ids = [p["id"] for p in opened.projects if not wanted or p["name"] in wanted or p["id"] in wanted]
            usual = choices.default(opened.catalogue, opened.layers, ids)
            if not usual.script:
                problem = messages.note("Nothing is transcribed in what was opened.", level="error")
                return {self.status: problem, self.choices: gr.Column(visible=False)}
            told = f"<p>Recognised: {escape(answer['form'])}.</p>{messages.findings(answer['findings'])}"
            script, dataset = given.get("script") or usual.script, given.get("dataset") or usual.dataset
            return {
                self.status: told,
                self.opened: opened,
                self.choices: gr.Column(visible=True),
                self.again: gr.Button(visible=False),
                **self._offered(opened, ids, script, dataset),
            }

        first = {**(also or {}), self.preview: "", self.choices: gr.Column(visible=False), self.opened: None}
        yield from self._ask(
            place, question, draft, visitor, "Reading", show, files=files, secrets=secrets, first=first
        )

    def _ask(
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
        """Ask the source in a worker; yield progress, then what `show` makes of the answer, or the error.

        Returns whether it answered.
        """
        shell, task = self.walk.shell, self.walk.task.name
        service = shell.service
        try:
            owner = shell.owner(visitor)
            draft = draft if draft and service.is_draft(draft, owner) else service.draft(task, owner)
        except UserError as error:
            yield {self.status: messages.error(error)}
            return False
        yield {**(first or {}), self.walk.draft: draft, self.status: messages.busy(what)}
        spec = {"task": task, "data": {"source": self.source.name, "path": place}}
        for item in follow(
            lambda tell: service.browse(draft, spec, question, owner, files=list(files), secrets=secrets, progress=tell)
        ):
            if not isinstance(item, Done):
                yield {self.status: messages.busy(*item)}
            elif item.error:
                yield {self.status: messages.error(item.error)}
            else:
                yield show(item.value)
                return True
        return False

    def _question(
        self, do: str, opened: Opened | None, projects: Any, script: Any, dataset: Any
    ) -> dict[str, Any] | None:
        if opened is None or not projects or not script or not dataset:
            return None
        return {"do": do, "projects": list(projects), "script": script, "dataset": dataset}

    def _offered(self, opened: Opened, ids: list[str], script: Any, dataset: Any) -> Updates:
        scripts = choices.list_scripts(opened.catalogue, ids)
        known = [s.script for s in scripts]
        script = script if script in known else (known[0] if known else None)
        layers = choices.list_datasets(opened.catalogue, opened.layers, ids, script) if script else []
        offered = [d.id for d in layers]
        dataset = dataset if dataset in offered else (offered[0] if offered else None)
        names = {p["id"]: p["name"] for p in opened.projects}
        return {
            self.projects: gr.Dropdown(
                choices=[(self._project(opened, p), p["id"]) for p in opened.projects], value=ids
            ),
            self.script: gr.Dropdown(
                choices=[(f"{s.script} · {_figures(s)}{_coverage(s, ids, names)}", s.script) for s in scripts],
                value=script,
            ),
            self.dataset: gr.Dropdown(
                choices=[(f"{'⚠ ' if d.machine else ''}{d.annotator} · {_figures(d)}", d.id) for d in layers],
                value=dataset,
            ),
            self.summary: _summary(next((d for d in layers if d.id == dataset), None), script, len(ids)),
        }

    def _project(self, opened: Opened, project: Mapping[str, Any]) -> str:
        scripts = choices.list_scripts(opened.catalogue, [project["id"]])
        said = ", ".join(f"{s.script} {s.segments:,}" for s in scripts[:4])
        return f"{_titled(project)} · {said or 'nothing transcribed'}"


def _titled(project: Mapping[str, Any]) -> str:
    spoken = ", ".join(project.get("languages") or ())
    return f"{project['name']} ({spoken})" if spoken else str(project["name"])


def _figures(found: choices.Script | choices.Layer) -> str:
    return choices.figures(found.segments, found.hours, found.speakers)


def _coverage(script: choices.Script, ids: Sequence[str], names: Mapping[str, str]) -> str:
    if len(script.projects) == len(ids) or len(ids) < 2:
        return ""
    return f" · only in {', '.join(names[p] for p in script.projects)}"


def _summary(layer: choices.Layer | None, script: Any, projects: int) -> str:
    if layer is None:
        return messages.note("Choose at least one project with transcripts.", level="warning")
    figures = {
        "Segments": f"{layer.segments:,}",
        "Length": f"{layer.hours:.1f} h" if layer.hours >= 1 else f"{layer.hours * 60:.1f} min",
        "Speakers": f"{layer.speakers:,}" if layer.speakers else "not known",
        "Projects": f"{projects:,}",
    }
    items = "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in figures.items())
    warning = (
        messages.note("A model wrote these transcripts: its mistakes would be learned as if right.", level="warning")
        if layer.machine
        else ""
    )
    return f"<dl class='at-numbers at-small' aria-label='{escape(str(script), quote=True)}'>{items}</dl>{warning}"


def _secrets(way: str, username: str, password: str, token: str) -> dict[str, str]:
    if way == TOKEN:
        return {"token": (token or "").strip()}
    return {"username": (username or "").strip(), "password": password or ""}
