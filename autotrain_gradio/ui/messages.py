"""Render findings, errors and progress as HTML."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.errors import LEVELS, UserError

LEVEL_NAMES = {"error": "Error", "warning": "Warning", "info": "Note"}
MARKS = {"error": "✗", "warning": "!", "info": "i"}
QUESTIONS = {"column-unclear"}
"""Codes of errors that ask the user for a decision."""
PAGE_TITLES = {
    "data.columns": "Columns",
    "data.options.kinds": "Column kinds",
    "data.labels": "Labels",
    "data.valid_fraction": "Training and validation split",
    "data.valid_split": "Training and validation split",
    "data.train_split": "Training and validation split",
}
"""Setting of the data → title of the section of the page that has it."""


def findings(found: Sequence[Mapping[str, Any]], *, fixes: bool = False) -> str:
    """Render findings, the most severe first.

    fixes: also render a button for each fix; its `data-fix` is the index of its change in `changes_of_fixes`.
    """
    numbers = itertools.count()
    rendered = [(LEVELS.index(f["level"]), _render_finding(f, numbers if fixes else None)) for f in found]
    return "".join(html for _, html in sorted(rendered, key=lambda r: r[0]))


def changes_of_fixes(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the change of each fix and alternative, in the order of the findings."""
    return [dict(fix["change"]) for finding in found for fix in _fixes(finding)]


def _fixes(finding: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [fix for fix in (finding.get("fix"), *(finding.get("alternatives") or ())) if fix]


def error(problem: UserError) -> str:
    """Render an error with all its findings."""
    return findings([f.to_dict() for f in problem.findings])


def note(text: str, *, level: str = "info") -> str:
    """Render a message."""
    return findings([{"level": level, "message": text}])


def in_use(path: str) -> str:
    """Render which data is in use."""
    return note(f"In use: {path}. Data that you choose here replaces it.")


def busy(text: str, fraction: float | None = None) -> str:
    """Render running work. fraction: its progress from 0 to 1, if it is known."""
    if fraction is None:
        return (
            f"<div class='at-busy' role='status'><span class='at-spin' aria-hidden='true'></span>{escape(text)}</div>"
        )
    percent = max(0.0, min(1.0, fraction)) * 100
    return (
        f"<div class='at-busy' role='status'><span class='at-spin' aria-hidden='true'></span>{escape(text)}</div>"
        f"<div class='at-progress' role='progressbar' aria-label='{escape(text, quote=True)}' aria-valuemin='0'"
        f" aria-valuemax='100' aria-valuenow='{percent:.0f}'><i style='width:{percent:.1f}%'></i></div>"
    )


def _render_finding(finding: Mapping[str, Any], numbers: Iterator[int] | None) -> str:
    """Render a finding. numbers: of the buttons for its fixes; None: without buttons."""
    level = str(finding["level"])
    question = level == "error" and finding.get("code") in QUESTIONS
    where, hint = finding.get("where"), finding.get("hint")
    word = "Question" if question else LEVEL_NAMES[level]
    parts = [f"<p class='at-what'><span class='at-sr'>{word}: </span>{escape(str(finding['message']))}</p>"]
    if where and (place := _location(str(where))):
        parts.append(f"<p class='at-where'>{escape(place)}</p>")
    if hint:
        parts.append(f"<p class='at-hint'>{escape(str(hint))}</p>")
    for fix in _fixes(finding):
        if note := fix.get("note"):
            parts.append(f"<p class='at-hint'>{escape(str(note))}</p>")
        if numbers is not None:
            label = escape(str(fix["label"]))
            parts.append(f"<button type='button' class='at-fix' data-fix='{next(numbers)}'>{label}</button>")
    code = escape(str(finding.get("code") or ""), quote=True)
    tone, mark = ("question", "?") if question else (level, MARKS[level])
    return (
        f"<div class='at-finding at-{tone}' data-code='{code}'>"
        f"<span class='at-mark' aria-hidden='true'>{mark}</span>"
        f"<div>{''.join(parts)}</div></div>"
    )


def _location(where: str) -> str:
    """Return where something is; a setting that the page shows by the title of its section."""
    known = next((title for name, title in PAGE_TITLES.items() if where == name or where.startswith(f"{name}.")), None)
    return f"under '{known}'" if known else where
