"""What the page shows of a check: the values of the second step's widgets, made of `check.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from autotrain_gradio.core.errors import Finding, count_by_level
from autotrain_gradio.core.panels import RenderContext, find_panel, panel_id, render_all_html
from autotrain_gradio.core.text_format import format_value, join_examples
from autotrain_gradio.tasks.base import Task
from autotrain_gradio.ui import kinds_table, label_table, messages
from autotrain_gradio.ui.files import link

OVERVIEW = "overview"
"""Id of the panel of counts, which the page shows above all others."""


@dataclass(frozen=True)
class CheckView:
    """Ready for the widgets; an empty one is what they show before any check.

    columns: role → (choices, value) of its dropdown, for the columns of the format that is used.
    format: name of that format. format_note: why it was chosen, and what others would need.
    asks: a column is to be chosen before the data can be looked at.
    features: the columns of a table that are learnt from, and what each was found to hold.
    fixes: for each finding, in the order of the check, the change of its fix or None.
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
    fixes: list[dict[str, Any] | None] = field(default_factory=list)
    features: list[dict[str, Any]] = field(default_factory=list)


def view(task: Task, draft: str, check: Mapping[str, Any] | None) -> CheckView:
    """Make the view of a draft's check."""
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
        summary=_summary(check, found),
        profile=render_all_html([p for p in profile if panel_id(p) not in (OVERVIEW, kinds_table.PANEL)], context),
        gallery=render_all_html(check.get("gallery") or [], context),
        labels=label_table.rows(check.get("raw_labels") or []),
        columns=columns,
        format=format.name if format else "",
        format_note=_format_note(used) if format else "",
        features=kinds_table.features(check),
        fixes=[(f.get("fix") or {}).get("change") for f in found],
    )


def _summary(check: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    layout = check.get("layout") or {}
    counts = count_by_level([Finding.from_dict(dict(f)) for f in found])
    questions = sum(_asks(f) for f in found)
    tone = ""
    if counts["error"]:
        tone = " at-asking" if counts["error"] == questions else " at-blocked"
    if questions and counts["error"] == questions:
        head = f"? {'One question' if questions == 1 else f'{questions} questions'} first: which column is which"
    elif counts["error"]:
        head = f"✗ {counts['error']} thing{'s' if counts['error'] > 1 else ''} must be mended before the training"
    elif counts["warning"]:
        head = "✓ Ready to train, with something worth a look"
    else:
        head = "✓ All good: ready to train"
    overview = find_panel(check.get("profile"), OVERVIEW) or {}
    figures = {i["label"]: i["value"] for i in overview.get("items") or [] if i["value"]}
    figures["Rows"] = check.get("rows")  # those that are left out as well
    items = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{escape(format_value(v))}</dd></div>"
        for k, v in figures.items()
        if v is not None
    )
    told = " ".join(f"{str(t).rstrip('.')}." for t in (layout.get("reason"), check.get("split_how")) if t)
    dropped = sum(int(d.get("count", 0)) for d in check.get("dropped") or [])
    left_out = f" {dropped:,} row{'s were' if dropped != 1 else ' was'} left out: see below." if dropped else ""
    return (
        f"<div class='at-recognised{tone}'><h2>{escape(head)}</h2>"
        f"<p>{_strong(str(layout.get('title') or ''))}<span class='at-quiet'>"
        f"{escape(told)}{escape(left_out)}</span></p><dl class='at-numbers'>{items}</dl></div>"
    )


def _format_note(format: Mapping[str, Any]) -> str:
    """Return why a format was chosen, and which columns each other one would need."""
    lacking = [f"{o['title']} needs {join_examples(o['missing'])}" for o in format.get("others") or [] if o["missing"]]
    reason = str(format.get("reason") or "")
    return f"{reason[:1].upper()}{reason[1:]}. {'; '.join(lacking)}{'.' if lacking else ''}".strip()


def _asks(finding: Mapping[str, Any]) -> bool:
    return finding.get("level") == "error" and finding.get("code") in messages.QUESTIONS


def _strong(text: str) -> str:
    return f"<strong>{escape(text)}.</strong> " if text else ""
