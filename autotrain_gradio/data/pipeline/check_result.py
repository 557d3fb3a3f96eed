"""The state of a check and its result: counts, overview panels, `check.json`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.panels import Panel, panel_id, slug
from autotrain_gradio.core.text_format import format_bytes, in_sentence
from autotrain_gradio.data.files.encoding import merge_findings
from autotrain_gradio.data.pipeline.column_mapping import Mapping
from autotrain_gradio.data.pipeline.format_detection import FormatChoice
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Context, Progress, Rows
from autotrain_gradio.data.values.labels import canonical_mapping

TRAIN, VALIDATION = "train", "validation"
_REASONS = """
label-missing: no label; label-left-out: label excluded by your mapping; text-empty: no text; number-missing: no number;
number-not-finite: infinite or not a number; number-unreadable: not a number; over-max-samples: beyond max_samples;
split-unused: in a split that is not used; file-outside: file outside the folder; time-unreadable: invalid time;
image-empty: empty file; image-missing: file missing; image-unreadable: file cannot be opened;
image-unknown: not an image; image-corrupt: image damaged; audio-empty: empty file; audio-missing: file missing;
audio-unreadable: file cannot be opened; audio-unknown: no audio; audio-corrupt: audio damaged;
audio-no-decoder: format that needs ffmpeg; audio-zero: audio without samples; audio-cut: audio truncated;
audio-short: audio too short; audio-silent: only silence; part-backwards: end before the start;
part-outside: times outside the file; part-short: part too short; text-no-letters: text without letters;
conversation-empty: no messages; conversation-unreadable: no list of messages; conversation-role-unknown: unknown role;
conversation-cut: truncated messages; conversation-no-content: message without content;
conversation-images: images, audio or files; conversation-no-answer: no answer; answer-empty: empty answer;
prompt-empty: empty prompt; tools-unreadable: invalid tools;
document-binary: no text; document-empty: empty document;
document-scanned: PDF without text; document-encrypted: encrypted; document-damaged: damaged document;
document-too-large: document too large
"""
REASONS = dict(entry.strip().split(": ") for entry in _REASONS.split(";"))
"""Code of a reason → its text; a module of a kind or check may have others in `SKIPPED`."""
ORDER = {"error": 0, "warning": 1, "info": 2}


class CheckResult(TypedDict):
    """What `check.json` holds; see docs/architecture.md."""

    layout: dict[str, str] | None
    format: dict[str, Any] | None
    source: dict[str, Any]
    rows: int
    columns: list[dict[str, Any]]
    mapping: dict[str, list[str]]
    labels: list[dict[str, Any]]
    raw_labels: list[dict[str, Any]]
    splits: dict[str, int]
    found_splits: dict[str, int]
    split_how: str
    dropped: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    profile: list[Panel]
    gallery: list[Panel]
    key: str
    seconds: float


@dataclass
class State:
    """Results so far; after an error the rest stays empty."""

    draft: Path
    request: Request
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    layout: dict[str, str] | None = None
    format: dict[str, Any] | None = None
    source: dict[str, Any] = field(default_factory=dict)
    total: int = 0
    mapping: Mapping = field(default_factory=Mapping)
    rows: Rows | None = None
    unused: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    found: dict[str, int] = field(default_factory=dict)
    how: str = ""
    profile: list[Panel] = field(default_factory=list)
    gallery: list[Panel] = field(default_factory=list)

    def choose(self, choice: FormatChoice) -> Request:
        """Go on with a format and the mapping of its columns; return the request for it."""
        self.format, self.mapping = choice.entry, choice.mapping
        self.request = self.request.with_format(choice.format)
        return self.request


def add_panels(state: State, rows: Rows, contexts: dict[str, Context]) -> None:
    """Add the panels: counts, skipped rows with reasons, and the panels of each kind of column."""
    items: dict[str, Any] = {"Files" if state.request.files_only else "Rows": rows.count()}
    if classes := rows.classes():
        items["Classes"] = len(classes[1].labels.names)
    texts = dict(REASONS)
    for declared in (*rows.kinds.values(), *state.request.checks):
        texts |= getattr(declared.load(), "SKIPPED", {})
    reasons = [[texts.get(d["code"], d["code"].replace("-", " ")), d["count"]] for d in dropped(state)]
    if not state.request.files_only:
        items |= {"Training": rows.count(TRAIN), "Validation": rows.count(VALIDATION)}
        items["Skipped"] = sum(count for _, count in reasons)
    sizes = [c.facts["bytes"] for c in rows.cells.values() if "bytes" in c.facts]
    size = sum(bytes_[i] for bytes_ in sizes for i in rows.indices().tolist())
    if size and state.request.files_only:
        items["Size"] = format_bytes(size)
    elif size:
        items["Megabytes"] = round(size / 1e6, 1)
    state.profile.append(panels.numbers("Overview", items, note=state.how, id="overview"))
    if reasons:
        state.profile.append(panels.table("Skipped rows", ["Reason", "Rows"], reasons))
    if not rows.count():
        return
    shown = set()
    profiles: list[tuple[str, Panel]] = []
    galleries: list[tuple[str, Panel]] = []
    for role, context in contexts.items():
        module = rows.kinds[role].load()
        if hasattr(module, "overview") and module.__name__ not in shown:
            of_kind = {r: c for r, c in contexts.items() if rows.kinds[r].load() is module}
            profiles += [("", panel) for panel in module.overview(rows, of_kind)]
            shown.add(module.__name__)
        if hasattr(module, "profile"):
            profiles += [(context.title, panel) for panel in module.profile(rows, role, context)]
        if hasattr(module, "gallery"):
            galleries += [(context.title, panel) for panel in module.gallery(rows, role, context)]
    state.profile += distinct_titles(profiles)
    state.gallery += distinct_titles(galleries)


def distinct_titles(found: Sequence[tuple[str, Panel]]) -> list[Panel]:
    """Return the panels of columns; where several have one title, it begins with the title of the column."""
    counts = Counter(str(panel["title"]) for _, panel in found)
    named = []
    for column, panel in found:
        title = str(panel["title"])
        if column and counts[title] > 1:
            by_title = panel_id(panel) == slug(title)
            title = f"{column}: {in_sentence(title)}"
            panel = {**panel, "title": title, **({"id": slug(title)} if by_title else {})}
        named.append(panel)
    return named


def dropped(state: State) -> list[dict[str, Any]]:
    """Return `{code, count}` of every reason why rows were skipped, the most frequent first."""
    counts = (
        (state.rows.dropped() if state.rows else Counter()) + state.skipped + Counter({"split-unused": state.unused})
    )
    return [{"code": code, "count": count} for code, count in counts.most_common()]


def result(state: State, began: float) -> CheckResult:
    """Return all that is known. began: when the check did, by `time.monotonic`."""
    rows = state.rows
    splits = {n: c for n in (TRAIN, VALIDATION) if rows is not None and (c := rows.count(n))}
    labels = []
    if rows is not None and (classes := rows.classes()):
        cells = classes[1]
        trained, validated = (rows.label_counts(cells.labels, n) for n in (TRAIN, VALIDATION))
        labels = [
            {"name": n, "rows": t + v, "train": t, "validation": v}
            for n, t, v in zip(cells.labels.names, trained, validated, strict=True)
        ]
    mapped = canonical_mapping(state.request.spec.labels)
    # Those of the first column that has some: classes, or labels inside its cells, such as those of boxes.
    columns = rows.cells.values() if rows is not None else ()
    raw = next((cells.raw for cells in columns if cells.raw), Counter[str]())
    raw_labels = [{"name": n, "rows": c, "to": mapped.get(n, n)} for n, c in sorted(raw.items())]
    findings = sorted(merge_findings(state.findings), key=lambda f: ORDER[f.level])
    return CheckResult(
        layout=state.layout,
        format=state.format,
        source=state.source,
        rows=state.total,
        columns=state.mapping.columns,
        mapping=state.mapping.roles,
        labels=labels,
        raw_labels=raw_labels,
        splits=splits,
        found_splits=state.found,
        split_how=state.how,
        dropped=dropped(state),
        findings=[f.to_dict() for f in findings],
        profile=state.profile,
        gallery=state.gallery,
        key=state.request.key(),
        seconds=round(time.monotonic() - began, 3),
    )
