"""What a model says to an input, as the page shows it: by the shape of the answer, not by the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from autotrain_gradio.core.text_format import format_value
from autotrain_gradio.ui import messages

NOTHING: Mapping[str, Any] = {}


def draw(answer: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the update of the label widget and the HTML beside it for one prediction.

    `{"label", "scores"}` goes to the widget; `{"labels", "scores"}`, `{"text", "segments"}` and all else are drawn.
    A `note` is told with each.
    """
    note = messages.note(str(answer["note"])) if answer.get("note") else ""
    scores = answer.get("scores")
    if isinstance(scores, dict) and scores and "labels" not in answer:
        return gr.Label(value={str(k): float(v) for k, v in scores.items()}, visible=True), note
    if isinstance(scores, dict) and scores:
        drawn = _labels(answer)
    elif isinstance(answer.get("values"), dict):
        drawn = _facts(answer["values"], answer.get("units") or {})
    elif isinstance(answer.get("targets"), dict):
        drawn = "".join(_target(str(name), told) for name, told in answer["targets"].items())
    elif "text" in answer:
        drawn = _transcript(answer)
    else:
        drawn = _facts({k: v for k, v in answer.items() if k != "note"})
    return gr.Label(value=None, visible=False), drawn + note


def download(url: str, name: str, rows: int, columns: Sequence[str]) -> str:
    """Draw a file of predictions that can be fetched. columns: those that were added."""
    shown = ", ".join(columns[:4]) + (f" and {len(columns) - 4} more" if len(columns) > 4 else "")
    return (
        f"<div class='at-answer'><p><strong>{rows:,} row{'s' if rows != 1 else ''} predicted.</strong> "
        f"Added to your columns: {escape(shown)}.</p>"
        f"<p><a class='at-submit' href='{escape(url, quote=True)}' download='{escape(name, quote=True)}'>"
        f"Download {escape(name)}</a></p></div>"
    )


def _target(name: str, told: Mapping[str, Any]) -> str:
    """Draw the answer for one of several targets: the three likeliest classes."""
    rows = "".join(
        f"<li class='{'at-given' if label == told['label'] else ''}'><b>{escape(str(label))}</b>"
        f"<i><u style='width:{float(score):.1%}'></u></i><span>{float(score):.1%}</span></li>"
        for label, score in list(told["scores"].items())[:3]
    )
    return f"<div class='at-answer'><h4>{escape(name)}</h4><ul class='at-scores'>{rows}</ul></div>"


def _transcript(answer: Mapping[str, Any]) -> str:
    """Draw what was heard; where it has several parts, each with its time."""
    text, segments = str(answer["text"]).strip(), answer.get("segments") or []
    heard = (
        f"<p class='at-heard' dir='auto'>{escape(text)}</p>" if text else "<p class='at-quiet'>Nothing was heard.</p>"
    )
    rows = "".join(
        f"<li><span>{_clock(part['start'])}–{_clock(part['end'])}</span>"
        f"<b dir='auto'>{escape(str(part['text']))}</b></li>"
        for part in segments
    )
    parts = f"<ol class='at-segments'>{rows}</ol>" if len(segments) > 1 else ""
    seconds = f"<p class='at-note'>{format_value(answer['seconds'])} s of audio.</p>" if answer.get("seconds") else ""
    return f"<div class='at-answer'>{heard}{parts}{seconds}</div>"


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return (
        f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
        if whole >= 3600
        else f"{whole // 60}:{seconds % 60:04.1f}"
    )


def _labels(answer: Mapping[str, Any]) -> str:
    """Draw an answer with any number of labels: those that are given, and every label's score beside its threshold."""
    given, limits = [str(label) for label in answer["labels"]], answer.get("thresholds") or {}
    chips = "".join(f"<li>{escape(label)}</li>" for label in given) or "<li class='at-none'>No label</li>"
    rows = []
    for label, score in answer["scores"].items():
        there = label in given
        mark = f"<s style='left:{float(limits[label]):.1%}'></s>" if label in limits else ""
        rows.append(
            f"<li class='{'at-given' if there else ''}'><b>{'✓ ' if there else ''}{escape(str(label))}</b>"
            f"<i><u style='width:{float(score):.1%}'></u>{mark}</i><span>{float(score):.1%}</span></li>"
        )
    legend = "<p class='at-note'>The line is the label's threshold: from there on it is given.</p>" if limits else ""
    lists = f"<ul class='at-chips'>{chips}</ul><ul class='at-scores'>{''.join(rows)}</ul>"
    return f"<div class='at-answer'>{lists}{legend}</div>"


def _facts(answer: Mapping[str, Any], units: Mapping[str, Any] = NOTHING) -> str:
    """Draw names with their values; units: name → what stands behind its number."""
    said = {k: " ".join(filter(None, (format_value(v), str(units.get(k, ""))))) for k, v in answer.items()}
    rows = "".join(f"<div><dt>{escape(str(k))}</dt><dd>{escape(v)}</dd></div>" for k, v in said.items())
    return f"<dl class='at-numbers'>{rows}</dl>"
