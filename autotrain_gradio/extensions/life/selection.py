"""The selection of the options: projects, script and dataset, and the filter of segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.extensions.life import catalog, server_import
from autotrain_gradio.extensions.life.catalog import LATEST, Selection
from autotrain_gradio.extensions.life.draft_store import RecordingStore, SegmentFilter

OTHER_SCRIPTS = 6
"""Maximum number of other scripts that are offered."""


def resolve_selection(store: RecordingStore, options: Mapping[str, Any]) -> tuple[Selection, list[Finding]]:
    """Return the selection of the options; findings report the defaults that were used for missing options.

    Raises:
        DataError: a project, script or layer does not exist.
    """
    projects = server_import.select_projects(store.list_projects(), as_list(options.get("projects")))
    ids = [p.id for p in projects]
    scripts = store.list_scripts(ids)
    default = catalog.default_selection(store.index["catalogue"], store.index["layers"], ids)
    if not default.script:
        raise DataError(
            "These projects have no transcripts.", "Choose other projects.", "data.options.projects", "life-no-text"
        )
    findings = []
    script = str(options.get("script") or "")
    if not script:
        script = default.script
        names = ", ".join(f"{s.script} ({s.segments:,})" for s in scripts[:6])
        text = f"No script was selected: '{script}' is used, which has the most segments. Scripts: {names}."
        findings.append(Finding("info", "life-script-taken", text, "Select one with --script.", "data.options.script"))
        for other in [s for s in scripts if s.script != script][:OTHER_SCRIPTS]:
            text = f"The script '{other.script}' is not used: {pluralize(other.segments, 'segment')}."
            fix = Fix(f"Use the script '{other.script}'", {"options": {"script": other.script}})
            findings.append(Finding("info", "life-script-other", text, where="data.options.script", fix=fix))
    elif script not in {s.script for s in scripts}:
        raise DataError(
            f"These projects have no script '{script}'.",
            did_you_mean(script, [s.script for s in scripts]),
            "data.options.script",
            "life-unknown-script",
        )
    layers = store.list_datasets(ids, script)
    dataset = str(options.get("dataset") or "")
    if not dataset:
        dataset = layers[0].id
        why = "the current transcripts" if dataset == LATEST else "'latest' has no text in this script"
        others = ", ".join(d.annotator for d in layers)
        text = f"No dataset was selected: '{layers[0].annotator}' is used, {why}. Datasets: {others}."
        findings.append(
            Finding("info", "life-dataset-taken", text, "Select one with --dataset.", "data.options.dataset")
        )
    else:
        known = {d.annotator: d.id for d in layers} | {d.id: d.id for d in layers}
        if dataset not in known:
            raise DataError(
                f"The script {script} has no dataset '{dataset}'.",
                did_you_mean(dataset, [d.id for d in layers]),
                "data.options.dataset",
                "life-unknown-dataset",
            )
        dataset = known[dataset]
    return Selection(tuple(ids), script, dataset), findings


def parse_segment_filter(options: Mapping[str, Any]) -> SegmentFilter:
    """Return the filter of segments of the options.

    Raises:
        DataError: a length is not a number of seconds.
    """
    default = SegmentFilter()
    numbers = {"min_segment": default.shortest, "max_segment": default.longest}
    for name in numbers:
        if options.get(name) is not None:
            try:
                numbers[name] = float(options[name])
            except (TypeError, ValueError):
                numbers[name] = -1.0
            if not 0 <= numbers[name] < float("inf"):
                raise DataError(
                    f"'{options[name]}' is not a valid duration in seconds.",
                    "Enter a number such as 0.5.",
                    f"data.options.{name}",
                    "invalid-setting",
                )
    silence = options.get("silence_tag")
    return SegmentFilter(
        default.silence if silence is None else str(silence), numbers["min_segment"], numbers["max_segment"]
    )


def as_list(value: Any) -> list[str]:
    """Return a list of texts for a list, or for a single value; empty for none."""
    return [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)] if value else []
