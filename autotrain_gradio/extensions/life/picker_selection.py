"""The selection fields of the LiFE picker: projects → script → dataset, with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.extensions.life import catalog
from autotrain_gradio.ui import messages

Updates = dict[Any, Any]


@dataclass(frozen=True)
class OpenedExport:
    """The opened export of a browser session: the answer of the source, and its path."""

    place: str
    projects: tuple[Mapping[str, Any], ...]
    layers: tuple[Mapping[str, Any], ...]
    catalogue: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, place: str, answer: Mapping[str, Any]) -> OpenedExport:
        """Create one from an answer."""
        return cls(place, *(tuple(answer[k]) for k in ("projects", "layers", "catalogue")))


def create_dropdown(label: str, elem_id: str, *, info: str | None = None, multiselect: bool = False) -> gr.Dropdown:
    """Create a dropdown whose choices are known when an export has been opened."""
    return gr.Dropdown(
        [], label=label, info=info, multiselect=multiselect, min_width=300, interactive=True, elem_id=elem_id
    )


class SelectionFields:
    """Three dependent dropdowns, and a summary."""

    def __init__(self, prefix: str) -> None:
        self.projects = create_dropdown("Projects", f"{prefix}-projects", info="One or several.", multiselect=True)
        with gr.Row():
            about = "Writing system of the transcripts."
            self.script = create_dropdown("Script", f"{prefix}-script", info=about)
            about = "Annotation layer: the current transcripts (latest), or those of one annotator."
            self.dataset = create_dropdown("Dataset", f"{prefix}-dataset", info=about)
        self.summary = gr.HTML("", elem_id=f"{prefix}-summary", elem_classes="at-live")
        with gr.Row():
            self.listen = gr.Button("Listen to clips", elem_id=f"{prefix}-listen")
            self.use = gr.Button("Use this selection", variant="primary", elem_id=f"{prefix}-use")
        self.preview = gr.HTML("", elem_id=f"{prefix}-preview")

    def fields(self) -> list[Any]:
        """Return the inputs of an event that needs the selection: projects, script, dataset."""
        return [self.projects, self.script, self.dataset]

    def offer(self, opened: OpenedExport, ids: list[str], script: Any, dataset: Any) -> Updates:
        """Return the updates of the dependent dropdowns; a value that is still valid is kept."""
        scripts = catalog.list_scripts(opened.catalogue, ids)
        known = [s.script for s in scripts]
        script = script if script in known else (known[0] if known else None)
        layers = catalog.list_datasets(opened.catalogue, opened.layers, ids, script) if script else []
        offered = [d.id for d in layers]
        dataset = dataset if dataset in offered else (offered[0] if offered else None)
        names = {p["id"]: p["name"] for p in opened.projects}
        return {
            self.projects: gr.Dropdown(
                choices=[(_project(opened, p), p["id"]) for p in opened.projects], value=ids, multiselect=True
            ),
            self.script: gr.Dropdown(
                choices=[(f"{s.script} · {_counts_text(s)}{_coverage(s, ids, names)}", s.script) for s in scripts],
                value=script,
            ),
            self.dataset: gr.Dropdown(
                choices=[(f"{'⚠ ' if d.machine else ''}{d.annotator} · {_counts_text(d)}", d.id) for d in layers],
                value=dataset,
            ),
            self.summary: _summary(next((d for d in layers if d.id == dataset), None), script, len(ids)),
        }


def project_title(project: Mapping[str, Any]) -> str:
    """Return a project's name with its languages."""
    spoken = ", ".join(project.get("languages") or ())
    return f"{project['name']} ({spoken})" if spoken else str(project["name"])


def _project(opened: OpenedExport, project: Mapping[str, Any]) -> str:
    scripts = catalog.list_scripts(opened.catalogue, [project["id"]])
    counts = ", ".join(f"{s.script} {s.segments:,}" for s in scripts[:4])
    return f"{project_title(project)} · {counts or 'no transcripts'}"


def _counts_text(found: catalog.Script | catalog.Layer) -> str:
    return catalog.format_counts(found.segments, found.hours, found.speakers)


def _coverage(script: catalog.Script, ids: Sequence[str], names: Mapping[str, str]) -> str:
    if len(script.projects) == len(ids) or len(ids) < 2:
        return ""
    return f" · only in {', '.join(names[p] for p in script.projects)}"


def _summary(layer: catalog.Layer | None, script: Any, projects: int) -> str:
    if layer is None:
        return messages.note("Select at least one project with transcripts.", level="warning")
    summary = {
        "Segments": f"{layer.segments:,}",
        "Length": f"{layer.hours:.1f} h" if layer.hours >= 1 else f"{layer.hours * 60:.1f} min",
        "Speakers": f"{layer.speakers:,}" if layer.speakers else "unknown",
        "Projects": f"{projects:,}",
    }
    items = "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in summary.items())
    warning = (
        messages.note(
            "These transcripts are output of a model: training on them reproduces its errors.", level="warning"
        )
        if layer.machine
        else ""
    )
    return f"<dl class='at-numbers at-small' aria-label='{escape(str(script), quote=True)}'>{items}</dl>{warning}"
