"""Step 1: the source of the data."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol

import gradio as gr

from autotrain_gradio.data.catalog import SAMPLE
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.ui import messages
from autotrain_gradio.ui.task_session import TaskSession


class Picker(Protocol):
    """Return type of `build(session, source)` in the module `Source.picker`: components that select the data."""

    def wire(self, check: Any) -> None:
        """Attach the events. check: the `CheckStep`, whose `begin` checks the chosen data."""


@dataclass(frozen=True)
class SampleButton:
    """A sample of the task, and the button that uses it."""

    name: str
    button: gr.Button


@dataclass(frozen=True)
class SourceField:
    """A source whose data is named in a text field, for instance a path or a dataset id."""

    source: Source
    path: gr.Textbox
    button: gr.Button


@dataclass
class DataStep:
    """The file upload, the samples, and a field for each other source of the task.

    note: which data is in use, or why it was refused.
    files: None if the task has no uploads.
    """

    session: TaskSession
    note: gr.HTML
    files: gr.File | None
    samples: list[SampleButton]
    sources: list[SourceField]
    pickers: list[Picker]
    following: gr.Button

    @classmethod
    def build(cls, session: TaskSession) -> DataStep:
        """Create the step's components."""
        task, prefix, initial = session.task, session.prefix, session.initial
        path = initial.data.get("path") if initial.draft else None
        note = gr.HTML(messages.in_use(path) if path else "", elem_id=f"{prefix}-data-note", elem_classes="at-live")
        with gr.Row(equal_height=False):
            files = _build_upload(prefix) if any(source.in_draft for source in task.sources) else None
            with gr.Column(scale=2, min_width=300):
                samples = _build_samples(session) if SAMPLE in task.sources and task.samples else []
                with gr.Accordion("Other sources", open=False, elem_id=f"{prefix}-elsewhere"):
                    sources = _build_sources(session)
                    session.token = gr.Textbox(
                        label="Access token",
                        info="Only for private or gated datasets and models. It is never stored on disk.",
                        type="password",
                        max_lines=1,
                        interactive=True,
                        elem_id=f"{prefix}-token",
                    )
        pickers = [importlib.import_module(s.picker).build(session, s) for s in task.sources if s.picker]
        with gr.Accordion("Supported file formats", open=False, elem_id=f"{prefix}-formats"):
            gr.HTML(_describe_formats(session))
        with gr.Row(elem_classes="at-next"):
            following = gr.Button(
                "Continue to the check",
                variant="primary",
                size="lg",
                visible=bool(path),
                elem_id=f"{prefix}-data-next",
            )
        return cls(session, note, files, samples, sources, pickers, following)

    def refuse(self, html: str) -> dict[Any, Any]:
        """Return the updates that show why data was refused."""
        return {self.note: html}


def _build_upload(prefix: str) -> gr.File:
    with gr.Column(scale=3, min_width=300, elem_classes="at-drop-place"):
        return gr.File(
            label="Drop a zip or your files here",
            file_count="multiple",
            height=230,
            interactive=True,
            elem_id=f"{prefix}-files",
            elem_classes="at-drop",
        )


def _build_samples(session: TaskSession) -> list[SampleButton]:
    samples = session.task.samples
    buttons = []
    with gr.Column(elem_classes="at-card"):
        heading = "<h2>No data yet?</h2><p>Try all steps with a small sample dataset that comes with the app.</p>"
        for number, sample in enumerate(samples):
            help_text = f"<p class='at-quiet'>{escape(sample.title)}. {escape(sample.help)}</p>"
            gr.HTML(f"{'' if number else heading}{help_text}")
            label = "Use the sample" if len(samples) == 1 else f"Use {sample.title}"
            button = gr.Button(label, variant="primary", size="lg", elem_id=f"{session.prefix}-sample-{number}")
            buttons.append(SampleButton(sample.name, button))
    return buttons


def _build_sources(session: TaskSession) -> list[SourceField]:
    shared = session.context.service.settings.shared
    fields = []
    for source in session.task.sources:
        if source.in_draft or source == SAMPLE or source.picker or (source.local_only and shared):
            continue
        path = gr.Textbox(
            label=source.title,
            info=source.help,
            placeholder=source.placeholder or None,
            max_lines=1,
            interactive=True,
            elem_id=f"{session.prefix}-from-{source.name}",
        )
        button = gr.Button("Use this dataset" if source.local_path == "never" else "Use this path", size="sm")
        fields.append(SourceField(source, path, button))
    return fields


def _describe_formats(session: TaskSession) -> str:
    columns = "".join(
        f"<li><strong>{escape(c.title)}</strong>{'' if c.required else ' (optional)'}: {escape(c.help)}</li>"
        for c in session.task.columns
    )
    layouts = "".join(
        f"<div class='at-format'><h3>{escape(layout.title)}</h3><pre>{escape(layout.example)}</pre></div>"
        for layout in session.task.layouts
    )
    described = "" if session.task.files_only else f"<p>Columns:</p><ul class='at-list'>{columns}</ul>"
    detected = "<p>Any of these formats is detected:</p>" if len(session.task.layouts) > 1 else ""
    return f"{described}{detected}<div class='at-formats'>{layouts}</div>"
