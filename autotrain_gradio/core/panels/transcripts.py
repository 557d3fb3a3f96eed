"""Reference transcripts beside predicted ones, with their differences marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels.audio_player import player
from autotrain_gradio.core.panels.folded_list import folded_list
from autotrain_gradio.core.panels.panel import Panel, RenderContext, new_panel
from autotrain_gradio.core.panels.text_table import cell_text, more_lines

ROWS_SHOWN = 200
EMPTY = "<span class='at-quiet'>(empty)</span>"
LEGEND = (
    "<p class='at-note at-differences'>Marked: <del class='at-missing'>deleted</del> "
    "<ins class='at-extra'>inserted</ins> <mark class='at-swap'><u>substituted</u></mark></p>"
)


def transcripts(title: str, rows: Sequence[Mapping[str, Any]], *, note: str = "", id: str = "") -> Panel:
    """Return references and predictions; their word alignment is computed here, once.

    rows: each has `reference` and `prediction`, and may have `file` (shown as a player), `wer` and `cer` (fractions,
    not percentages) and `caption` (a short line, such as the speaker).
    """
    from autotrain_gradio.core import text_alignment

    aligned = []
    for row in rows:
        parts: list[dict[str, Any]] = []
        for operation, reference, prediction in text_alignment.words(str(row["reference"]), str(row["prediction"])):
            part: dict[str, Any] = {"is": operation, "reference": reference, "prediction": prediction}
            if operation == "swap":
                part["characters"] = text_alignment.characters(reference, prediction)
            parts.append(part)
        aligned.append({**row, "parts": parts})
    return new_panel("transcripts", title, id=id, note=note, rows=aligned)


def html(panel: Panel, context: RenderContext) -> str:
    """Return rows of reference and prediction; differences are marked by elements, not by colour alone."""
    if not panel["rows"]:
        return "" if panel.get("note") else "<p class='at-note'>None.</p>"
    rows = [_row(row, context) for row in panel["rows"][:ROWS_SHOWN]]
    return LEGEND + folded_list("at-transcripts", rows, not_included=len(panel["rows"]) - ROWS_SHOWN)


def _row(row: Mapping[str, Any], context: RenderContext) -> str:
    facts = [f"<bdi>{escape(str(row['caption']))}</bdi>"] if row.get("caption") else []
    facts += _error_rates(row)
    foot = f"<p class='at-detail'>{' · '.join(facts)}</p>" if facts else ""
    clip = player(str(row["file"]), context.link, str(row["reference"])) if row.get("file") else ""
    return (
        f"<li><dl><dt>Reference</dt><dd dir='auto'>{_side(row['parts'], 'reference')}</dd>"
        f"<dt>Prediction</dt><dd dir='auto'>{_side(row['parts'], 'prediction')}</dd></dl>"
        f"{foot}{clip}</li>"
    )


def _error_rates(row: Mapping[str, Any]) -> list[str]:
    return [f"{n.upper()} {float(row[n]):.0%}" for n in ("wer", "cer") if row.get(n) is not None]


def _side(parts: Sequence[Mapping[str, Any]], side: str) -> str:
    """Return one text with what the other one lacks marked. side: `reference` or `prediction`."""
    index, own, tag = (1, "missing", "del") if side == "reference" else (2, "extra", "ins")
    words = []
    for part in parts:
        word = escape(part[side])
        if part["is"] == own:
            words.append(f"<{tag} class='at-{own}'>{word}</{tag}>")
        elif part["is"] == "swap":
            words.append(f"<mark class='at-swap'>{_marked(part['characters'], index, own)}</mark>")
        elif word:
            words.append(word)
    return " ".join(words) or EMPTY


def _marked(characters: Sequence[Sequence[str]], index: int, own: str) -> str:
    """Mark the characters that the other word lacks. No padding: letters that join stay joined."""
    return "".join(
        f"<u>{escape(part[index])}</u>" if part[0] in {"swap", own} and part[index] else escape(part[index])
        for part in characters
    )


def text(panel: Panel, context: RenderContext) -> str:
    """Return one line for each row: `[-deleted-]`, `{+inserted+}` and `[-old-]{+new+}`, as wdiff writes them."""
    lines = []
    for row in panel["rows"][: context.rows]:
        facts = [str(row[n]) for n in ("file", "caption") if row.get(n)] + _error_rates(row)
        lines.append("  " + " ".join(_wdiff(part) for part in row["parts"]))
        if facts:
            lines.append("    " + " · ".join(facts))
    return "\n".join(lines) + more_lines(len(panel["rows"]), context.rows)


def _wdiff(part: Mapping[str, Any]) -> str:
    if part["is"] == "same":
        return cell_text(part["reference"])
    return "".join(
        form.format(cell_text(part[side]))
        for side, form in (("reference", "[-{}-]"), ("prediction", "{{+{}+}}"))
        if part[side]
    )
