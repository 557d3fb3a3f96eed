"""View model of a check: the values of the components of step 2, derived from `check.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from autotrain_gradio.core.errors import Finding, count_by_level
from autotrain_gradio.core.panels import RenderContext, find_panel, panel_id, render_all_html
from autotrain_gradio.core.text_format import format_value, join_examples, pluralize
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import column_kinds, label_table, messages
from autotrain_gradio.ui.files import link

OVERVIEW = "overview"
"""Id of the panel of counts, which are part of the summary."""


@dataclass(frozen=True)
class CheckView:
    """Values of the components; the default one is shown before any check.

    ready: the data can be used for training.
    asks: the user has to select a column before the data can be checked further.
    columns: role → (choices, value) of its dropdown, for the columns of the format in use.
    format: name of that format. format_note: why it was chosen, and what the others need.
    features: the feature columns of a table with their kinds; see `column_kinds.feature_columns`.
    fixes: the changes of all fixes (`messages.changes_of_fixes`).
    """

    ready: bool = False
    checked: bool = False
    asks: bool = False
    findings: str = ""
    summary: str = ""
    profile: str = ""
    gallery: str = ""
    labels: list[list[Any]] = field(default_factory=list)
    columns: dict[str, tuple[list[tuple[str, str]], Any]] = field(default_factory=dict)
    format: str = ""
    format_note: str = ""
    fixes: list[dict[str, Any]] = field(default_factory=list)
    features: list[dict[str, Any]] = field(default_factory=list)


def view(task: Task, draft: str, check: Mapping[str, Any] | None) -> CheckView:
    """Return the view of a check of a draft."""
    if not check:
        return CheckView()
    found = [dict(f) for f in check.get("findings") or []]
    context = RenderContext(link=link(draft, str(check.get("key") or "")[:12]))
    names = [(str(c["name"]), str(c["name"])) for c in check.get("columns") or []]
    mapping = check.get("mapping") or {}
    columns: dict[str, tuple[list[tuple[str, str]], Any]] = {}
    used = check.get("format") or {}
    format = next((f for f in task.formats if f.name == used.get("name")), None)
    for column in format.columns if format else task.columns:
        chosen = [str(c) for c in mapping.get(column.role) or []]
        value: Any = chosen if column.many else (chosen[0] if chosen else None)
        columns[column.role] = (names if column.required else [("(none)", ""), *names], value)
    profile = check.get("profile") or []
    return CheckView(
        ready=not any(f["level"] == "error" for f in found),
        checked=True,
        asks=any(_asks(f) for f in found),
        findings=messages.findings(found, fixes=True),
        summary=_render_summary(check, found, noun="Files" if task.files_only else "Rows"),
        profile=render_all_html([p for p in profile if panel_id(p) not in (OVERVIEW, column_kinds.PANEL)], context),
        gallery=render_all_html(check.get("gallery") or [], context),
        labels=label_table.rows(check.get("raw_labels") or []),
        columns=columns,
        format=format.name if format else "",
        format_note=_format_note(used) if format else "",
        features=column_kinds.feature_columns(check),
        fixes=messages.changes_of_fixes(found),
    )


def _render_summary(check: Mapping[str, Any], found: Sequence[Mapping[str, Any]], *, noun: str) -> str:
    """Render the result in short. noun: what is counted."""
    layout = check.get("layout") or {}
    counts = count_by_level([Finding.from_dict(dict(f)) for f in found])
    questions = sum(_asks(f) for f in found)
    tone = ""
    if counts["error"]:
        tone = " at-asking" if counts["error"] == questions else " at-blocked"
    if questions and counts["error"] == questions:
        head = f"? {pluralize(questions, 'column')} to select first"
    elif counts["error"]:
        head = f"✗ {pluralize(counts['error'], 'error')} to fix before training"
    elif counts["warning"]:
        head = f"✓ Ready to train, with {pluralize(counts['warning'], 'warning')}"
    else:
        head = "✓ Ready to train"
    overview = find_panel(check.get("profile"), OVERVIEW) or {}
    counted = {i["label"]: i["value"] for i in overview.get("items") or [] if i["value"]}
    counted[noun] = check.get("rows")  # dropped rows included
    items = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{escape(format_value(v))}</dd></div>"
        for k, v in counted.items()
        if v is not None
    )
    facts = " ".join(f"{str(t).rstrip('.')}." for t in (layout.get("reason"), check.get("split_how")) if t)
    dropped = sum(int(d.get("count", 0)) for d in check.get("dropped") or [])
    if dropped:
        facts += f" {pluralize(dropped, 'row')} dropped: see below."
    return (
        f"<div class='at-detected{tone}'><h2>{escape(head)}</h2>"
        f"<p>{_strong(str(layout.get('title') or ''))}<span class='at-quiet'>"
        f"{escape(facts)}</span></p><dl class='at-numbers'>{items}</dl></div>"
    )


def _format_note(format: Mapping[str, Any]) -> str:
    """Return why a format was chosen, and which columns each of the others needs."""
    missing = [f"{o['title']} needs {join_examples(o['missing'])}" for o in format.get("others") or [] if o["missing"]]
    reason = str(format.get("reason") or "")
    return f"{reason[:1].upper()}{reason[1:]}. {'; '.join(missing)}{'.' if missing else ''}".strip()


def _asks(finding: Mapping[str, Any]) -> bool:
    return finding.get("level") == "error" and finding.get("code") in messages.QUESTIONS


def _strong(text: str) -> str:
    return f"<strong>{escape(text)}.</strong> " if text else ""
