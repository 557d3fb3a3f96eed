"""Findings and errors as HTML, shown in the place they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.errors import LEVELS, UserError

WORDS = {"error": "Must be mended", "warning": "Worth a look", "info": "Good to know"}
MARKS = {"error": "✗", "warning": "!", "info": "i"}
QUESTIONS = {"column-unclear"}
"""Codes of errors that are no mistake: only the person can know."""
PLACES = {
    "data.columns": "Columns",
    "data.options.kinds": "What the columns hold",
    "data.labels": "Labels",
    "data.valid_fraction": "Training and validation rows",
    "data.valid_split": "Training and validation rows",
    "data.train_split": "Training and validation rows",
}
"""Settings of the data by their names in a YAML → the part of the check where the page has them."""


def findings(found: Sequence[Mapping[str, Any]], *, fixes: bool = False) -> str:
    """Draw findings, the gravest first.

    fixes: also draw a button for each fix; its `data-fix` is the number of the finding.
    """
    order = sorted(range(len(found)), key=lambda n: LEVELS.index(found[n]["level"]))
    return "".join(_one(found[n], n if fixes else None) for n in order)


def error(problem: UserError) -> str:
    """Draw an error with all its findings."""
    return findings([f.to_dict() for f in problem.findings])


def note(text: str, *, level: str = "info") -> str:
    """Draw one sentence of ours."""
    return findings([{"level": level, "message": text}])


def in_use(path: str) -> str:
    """Say which data a form works on."""
    return note(f"In use: {path}. Whatever you choose here takes its place.")


def busy(text: str, fraction: float | None = None) -> str:
    """Draw work under way: what is being done, and how far it is (0 to 1) where that is known."""
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


def _one(finding: Mapping[str, Any], number: int | None) -> str:
    level = str(finding["level"])
    question = level == "error" and finding.get("code") in QUESTIONS
    where, hint, fix = finding.get("where"), finding.get("hint"), finding.get("fix")
    word = "A question" if question else WORDS[level]
    parts = [f"<p class='at-what'><span class='at-sr'>{word}: </span>{escape(str(finding['message']))}</p>"]
    if where and (place := _place(str(where))):
        parts.append(f"<p class='at-where'>{escape(place)}</p>")
    if hint:
        parts.append(f"<p class='at-hint'>{escape(str(hint))}</p>")
    if fix and number is not None:
        parts.append(f"<button type='button' class='at-fix' data-fix='{number}'>{escape(str(fix['label']))}</button>")
    code = escape(str(finding.get("code") or ""), quote=True)
    tone, mark = ("question", "?") if question else (level, MARKS[level])
    return (
        f"<div class='at-finding at-{tone}' data-code='{code}'>"
        f"<span class='at-mark' aria-hidden='true'>{mark}</span>"
        f"<div>{''.join(parts)}</div></div>"
    )


def _place(where: str) -> str:
    """Say where something is in the page's words: a setting that the page shows has a title there."""
    known = next((title for name, title in PLACES.items() if where == name or where.startswith(f"{name}.")), None)
    return f"under '{known}'" if known else where
