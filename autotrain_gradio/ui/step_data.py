"""Step 1: where the data comes from."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from autotrain_gradio.data.declarations import Source
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.step_check import CHECK_EVENT
from autotrain_gradio.ui.task_session import TaskSession

if TYPE_CHECKING:
    from autotrain_gradio.ui.step_check import CheckStep

UPLOAD, SAMPLE, HUB = "upload", "sample", "hub"
PLACEHOLDERS = {HUB: "user/dataset", "path": "/home/me/data"}


@dataclass
class DataStep:
    """The drop zone, the samples, and one field for each other source that the task names."""

    session: TaskSession
    files: Any
    samples: list[tuple[str, Any]]
    places: list[tuple[Source, Any, Any]]
    note: Any
    following: Any
    pickers: list[Any] = field(default_factory=list)
    """Of sources that bring one: what `build(session, source)` of their module has returned; it has `wire(check)`."""

    @classmethod
    def build(cls, session: TaskSession) -> DataStep:
        """Create the step's widgets."""
        task, shared = session.task, session.context.service.settings.shared
        sources = {s.name: s for s in task.sources}
        files, samples, places = None, [], []
        old = session.initial.data.get("path") if session.initial.draft else None
        note = gr.HTML(
            messages.in_use(old) if old else "", elem_id=f"{session.prefix}-data-note", elem_classes="at-live"
        )
        with gr.Row(equal_height=False):
            if UPLOAD in sources:
                with gr.Column(scale=3, min_width=300, elem_classes="at-drop-place"):
                    files = gr.File(
                        label="Drop a zip or your files here",
                        file_count="multiple",
                        height=230,
                        interactive=True,
                        elem_id=f"{session.prefix}-files",
                        elem_classes="at-drop",
                    )
            with gr.Column(scale=2, min_width=300):
                if SAMPLE in sources and task.samples:
                    with gr.Column(elem_classes="at-card"):
                        gr.HTML(
                            "<h2>No data at hand?</h2>"
                            "<p>See the whole way with a small set that comes with the app.</p>"
                        )
                        for number, sample in enumerate(task.samples):
                            gr.HTML(f"<p class='at-quiet'>{escape(sample.title)}. {escape(sample.help)}</p>")
                            name = "Use the sample" if len(task.samples) == 1 else f"Use {sample.title}"
                            samples.append(
                                (
                                    sample.name,
                                    gr.Button(
                                        name, variant="primary", size="lg", elem_id=f"{session.prefix}-sample-{number}"
                                    ),
                                )
                            )
                with gr.Accordion("Data somewhere else", open=False, elem_id=f"{session.prefix}-elsewhere"):
                    for source in task.sources:
                        if source.name in (UPLOAD, SAMPLE) or source.picker or (source.local_only and shared):
                            continue
                        box = gr.Textbox(
                            label=source.title,
                            info=source.help,
                            placeholder=PLACEHOLDERS.get(source.name),
                            max_lines=1,
                            interactive=True,
                            elem_id=f"{session.prefix}-from-{source.name}",
                        )
                        button = gr.Button(f"Use this {'dataset' if source.name == HUB else 'place'}", size="sm")
                        places.append((source, box, button))
                    session.token = gr.Textbox(
                        label="Access token",
                        info="Only for private or gated datasets and models. It is kept in memory and never stored.",
                        type="password",
                        max_lines=1,
                        interactive=True,
                        elem_id=f"{session.prefix}-token",
                    )
        pickers = [importlib.import_module(s.picker).build(session, s) for s in task.sources if s.picker]
        with gr.Accordion("Which files can I use?", open=False, elem_id=f"{session.prefix}-formats"):
            gr.HTML(_formats(session))
        with gr.Row(elem_classes="at-next"):
            following = gr.Button(
                "Continue to the check",
                variant="primary",
                size="lg",
                visible=bool(old),
                elem_id=f"{session.prefix}-data-next",
            )
        return cls(session, files, samples, places, note, following, pickers)

    def wire(self, check: CheckStep) -> None:
        """Begin a check whenever data arrives."""
        inputs, outputs = [*check.inputs()], check.outputs()
        if self.files is not None:
            self.files.upload(check.upload, [self.files, *inputs], [self.files, *outputs], **CHECK_EVENT)
        for name, button in self.samples:
            button.click(_named(check, SAMPLE, name), inputs, outputs, **CHECK_EVENT)
        for source, box, button in self.places:
            handler = _typed(check, source)
            gr.on([button.click, box.submit], handler, [box, *inputs], outputs, **CHECK_EVENT)
        for picker in self.pickers:
            picker.wire(check)


def _named(check: CheckStep, source: str, path: str) -> Any:
    def use(*values: Any) -> Any:
        yield from check.begin({"source": source, "path": path}, *values)

    return use


def _typed(check: CheckStep, source: Source) -> Any:
    def use(text: str, *values: Any) -> Any:
        text = (text or "").strip()
        if not text:
            yield check.refused(f"Say which {source.title.lower()} to use.")
            return
        yield from check.begin({"source": source.name, "path": text}, *values)

    return use


def _formats(session: TaskSession) -> str:
    columns = "".join(
        f"<li><strong>{escape(c.title)}</strong>{'' if c.required else ' (optional)'}: {escape(c.help)}</li>"
        for c in session.task.columns
    )
    layouts = "".join(
        f"<div class='at-format'><h3>{escape(layout.title)}</h3><pre>{escape(layout.example)}</pre></div>"
        for layout in session.task.layouts
    )
    return (
        f"<p>What is needed:</p><ul class='at-list'>{columns}</ul><p>Any of these will be recognised:</p>"
        f"<div class='at-formats'>{layouts}</div>"
    )
