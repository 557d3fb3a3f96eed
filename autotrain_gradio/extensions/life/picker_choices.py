"""The LiFE picker's choices among what was opened: projects → script → dataset, with figures of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.extensions.life import choices
from autotrain_gradio.ui import messages

Updates = dict[Any, Any]


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


class LifeChoices:
    """The three dropdowns, each offering what the one before it leaves, and a summary."""

    def __init__(self, prefix: str) -> None:
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

    def fields(self) -> list[Any]:
        """Return the inputs of an event that needs the choice: projects, script, dataset."""
        return [self.projects, self.script, self.dataset]

    def offer(self, opened: Opened, ids: list[str], script: Any, dataset: Any) -> Updates:
        """Return the updates that offer what the choice above leaves; a choice that is still there is kept."""
        scripts = choices.list_scripts(opened.catalogue, ids)
        known = [s.script for s in scripts]
        script = script if script in known else (known[0] if known else None)
        layers = choices.list_datasets(opened.catalogue, opened.layers, ids, script) if script else []
        offered = [d.id for d in layers]
        dataset = dataset if dataset in offered else (offered[0] if offered else None)
        names = {p["id"]: p["name"] for p in opened.projects}
        return {
            self.projects: gr.Dropdown(choices=[(_project(opened, p), p["id"]) for p in opened.projects], value=ids),
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


def titled(project: Mapping[str, Any]) -> str:
    """Return a project's name with its languages."""
    spoken = ", ".join(project.get("languages") or ())
    return f"{project['name']} ({spoken})" if spoken else str(project["name"])


def _project(opened: Opened, project: Mapping[str, Any]) -> str:
    scripts = choices.list_scripts(opened.catalogue, [project["id"]])
    said = ", ".join(f"{s.script} {s.segments:,}" for s in scripts[:4])
    return f"{titled(project)} · {said or 'nothing transcribed'}"


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
