"""Predicted classes or labels with their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import cell_text, more_lines
from autotrain_gradio.core.text_format import is_number

SCORES_SHOWN = 8
"""Number of classes that are shown, the most likely ones; multi-label predictions show all."""
BAR_CHARACTERS = 24
NO_LABEL = "No label"
LEGEND = "<p class='at-note'>The line is the threshold: a label is predicted if its score is at least that high.</p>"
NO_THRESHOLDS: Mapping[str, float] = {}


def scores(
    title: str,
    scores: Mapping[str, float],
    *,
    predicted: Sequence[str] | None = None,
    thresholds: Mapping[str, float] = NO_THRESHOLDS,
    note: str = "",
    id: str = "",
) -> Panel:
    """Return a prediction: class → score from 0 to 1, the most likely first.

    predicted: (multi-label) the labels that are predicted, perhaps none; by default the class with the highest score.
    thresholds: (multi-label) label → minimum score at which it is predicted.
    """
    multi_label = predicted is not None
    best = (
        list(predicted)
        if predicted is not None
        else sorted((n for n in scores if is_number(scores[n])), key=lambda n: -scores[n])[:1]
    )
    fields = {"scores": dict(scores), "predicted": best, "multi_label": multi_label, "thresholds": dict(thresholds)}
    return new_panel("scores", title, id=id, note=note, **fields)


def html(panel: Panel, context: RenderContext) -> str:
    """Return the predicted labels, and a bar for each score with a line at its threshold."""
    predicted, thresholds = [str(n) for n in panel["predicted"]], panel.get("thresholds") or {}
    labels = "".join(f"<li>{escape(n)}</li>" for n in predicted) or f"<li class='at-none'>{NO_LABEL}</li>"
    shown = _shown(panel)
    rows = []
    for name, score in shown:
        chosen = name in predicted
        line = f"<s style='left:{float(thresholds[name]):.1%}'></s>" if thresholds.get(name) is not None else ""
        rows.append(
            f"<li class='{'at-given' if chosen else ''}'><b>{'✓ ' if chosen else ''}{escape(name)}</b>"
            f"<i><u style='width:{score:.1%}'></u>{line}</i><span>{score:.1%}</span></li>"
        )
    more = len(_known(panel)) - len(shown)
    tail = f"<p class='at-note'>and {more:,} more</p>" if more > 0 else ""
    legend = LEGEND if thresholds else ""
    return (
        f"<div class='at-answer'><ul class='at-chips'>{labels}</ul><ul class='at-scores'>{''.join(rows)}</ul>"
        f"{tail}{legend}</div>"
    )


def text(panel: Panel, context: RenderContext) -> str:
    """Return one line for each score; predicted ones have a check mark."""
    predicted = [str(n) for n in panel["predicted"]]
    shown = _shown(panel)[: context.rows]
    width = max((len(cell_text(name)) for name, _ in shown), default=0)
    lines = [] if predicted else [f"  {NO_LABEL}"]
    for name, score in shown:
        mark, bar = "✓" if name in predicted else " ", "█" * round(BAR_CHARACTERS * score)
        lines.append(f"  {mark} {cell_text(name).ljust(width)}  {bar} {score:.1%}")
    return "\n".join(lines) + more_lines(len(_known(panel)), len(shown))


def summary(panel: Panel) -> str:
    """Return the predicted labels with their scores: "good 97.3%"."""
    named = _known(panel)
    chosen = [f"{cell_text(n)} {named[n]:.1%}" if n in named else cell_text(n) for n in panel["predicted"]]
    return ", ".join(chosen) or NO_LABEL.lower()


def _shown(panel: Panel) -> list[tuple[str, float]]:
    """Return the scores that are shown, the highest first."""
    found = sorted(_known(panel).items(), key=lambda s: -s[1])
    return found if panel.get("multi_label") else found[:SCORES_SHOWN]


def _known(panel: Panel) -> dict[str, float]:
    """Return the scores that have a value."""
    scores = ((str(name), score) for name, score in panel["scores"].items())
    return {name: float(score) for name, score in scores if is_number(score)}
