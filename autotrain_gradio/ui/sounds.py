"""Players, and transcripts beside what was recognised, as HTML. Everything from a panel is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from autotrain_gradio.core.panels import AUDIO, Panel

Link = Callable[[str], str]
ROWS_SHOWN = 200

_LEGEND = (
    "<p class='at-note at-differences'>Marked: <del class='at-missing'>missing</del> "
    "<ins class='at-extra'>added</ins> <mark class='at-swap'><u>replaced</u></mark></p>"
)


def is_sound(file: str) -> bool:
    """Say whether a file of a panel is shown as a player."""
    return file.lower().endswith(AUDIO)


def player(file: str, link: Link, label: str) -> str:
    """Return an <audio> that loads nothing until it is played."""
    url, name = escape(link(file), quote=True), escape(f"Play: {label}" if label else "Play", quote=True)
    return f"<audio controls preload='none' src='{url}' aria-label='{name}'></audio>"


def players(items: Iterable[Mapping[str, Any]], link: Link) -> str:
    """Draw sounds one below the other: caption, detail, player."""
    drawn = []
    for item in items:
        caption, detail, tone = (str(item.get(k) or "") for k in ("caption", "detail", "tone"))
        mark = {"good": ("at-good", "✓ "), "bad": ("at-bad", "✗ ")}.get(tone, ("", ""))
        said = f"<p class='at-caption' dir='auto'>{mark[1]}{escape(caption)}</p>" if caption else ""
        more = f"<p class='at-detail'><bdi>{escape(detail)}</bdi></p>" if detail else ""
        sound = player(str(item["file"]), link, caption or detail)
        drawn.append(f"<li class='{mark[0]}'>{said}{more}{sound}</li>")
    return f"<ul class='at-players'>{''.join(drawn)}</ul>"


def transcripts(panel: Panel, link: Link) -> str:
    """Draw rows of reference and prediction, with what differs marked by colour and by line."""
    rows = [_row(row, link) for row in panel["rows"][:ROWS_SHOWN]]
    more = len(panel["rows"]) - ROWS_SHOWN
    tail = f"<p class='at-note'>and {more:,} more</p>" if more > 0 else ""
    return f"{_LEGEND}<ul class='at-transcripts'>{''.join(rows)}</ul>{tail}"


def _row(row: Mapping[str, Any], link: Link) -> str:
    figures = [f"{n.upper()} {float(row[n]):.0%}" for n in ("wer", "cer") if row.get(n) is not None]
    facts = [f"<bdi>{escape(str(row['caption']))}</bdi>"] if row.get("caption") else []
    foot = f"<p class='at-detail'>{' · '.join([*facts, *figures])}</p>" if facts or figures else ""
    sound = player(str(row["file"]), link, str(row["reference"])) if row.get("file") else ""
    return (
        f"<li><dl><dt>Said</dt><dd dir='auto'>{_reference(row['parts'])}</dd>"
        f"<dt>Heard</dt><dd dir='auto'>{_prediction(row['parts'])}</dd></dl>"
        f"{foot}{sound}</li>"
    )


def _reference(parts: Sequence[Mapping[str, Any]]) -> str:
    words = []
    for part in parts:
        text = escape(part["reference"])
        if part["is"] == "missing":
            words.append(f"<del class='at-missing'>{text}</del>")
        elif part["is"] == "swap":
            words.append(f"<mark class='at-swap'>{_inside(part['characters'], 1, 'missing')}</mark>")
        elif text:
            words.append(text)
    return " ".join(words) or "<span class='at-quiet'>(nothing)</span>"


def _prediction(parts: Sequence[Mapping[str, Any]]) -> str:
    words = []
    for part in parts:
        text = escape(part["prediction"])
        if part["is"] == "extra":
            words.append(f"<ins class='at-extra'>{text}</ins>")
        elif part["is"] == "swap":
            words.append(f"<mark class='at-swap'>{_inside(part['characters'], 2, 'extra')}</mark>")
        elif text:
            words.append(text)
    return " ".join(words) or "<span class='at-quiet'>(nothing)</span>"


def _inside(characters: Sequence[Sequence[str]], side: int, own: str) -> str:
    """Mark the characters of a word that the other side has not. No padding: letters that join stay joined."""
    return "".join(
        f"<u>{escape(part[side])}</u>" if part[0] in {"swap", own} and part[side] else escape(part[side])
        for part in characters
    )
