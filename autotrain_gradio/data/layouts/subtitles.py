"""Subtitles (SubRip .srt, WebVTT .vtt) beside their audio.

Source of the formats: W3C, "WebVTT: The Web Video Text Tracks Format"; SubRip has no specification, its parts are the
same: a line with two times, then the lines of the text up to an empty line. Markup is removed from the texts.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from functools import partial

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.values.durations import clock_seconds

TIMES = re.compile(r"\s*(\S+?)\s*-->\s*(\S+)(?:\s.*)?")
"""`00:01:02,500 --> 00:01:04,000`; WebVTT writes a point, may omit the hours, and adds settings behind."""
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>")
MARKUP = re.compile(r"</?[A-Za-z][^>]*>|<[\d:.]+>|\{\\[^}]*\}")
"""`<i>`, `<c.yellow>`, the times of words `<00:01:02.000>`, and positions such as `{\\an8}`."""


def parse(text: str, name: str) -> Annotated:
    """Parse a file of subtitles: a tier for each speaker that it names (`<v Ann>`), and one for the rest.

    Raises:
        DataError: it has no line with two times.
    """
    found: dict[str, list[Interval]] = {}
    damaged: list[str] = []
    for number, line, lines in _cues(text):
        times = TIMES.fullmatch(line)
        start, end = (clock_seconds(time) for time in times.groups()) if times else (math.nan, math.nan)
        if math.isnan(start + end):
            damaged.append(f"row {number}: {line.strip()[:60]!r}")
            continue
        spoken = " ".join(lines)
        speaker = _SPEAKER.search(spoken)
        words = " ".join(html.unescape(MARKUP.sub("", spoken)).split())
        found.setdefault(speaker[1].strip() if speaker else "", []).append(Interval(start, end, words))
    text, hint = "{n} {has} invalid times and {was} skipped", "Write them as 00:01:02,500 --> 00:01:04,000."
    findings = report_examples("warning", "subtitle-damaged", text, damaged, "subtitle", hint, name)
    if not found:
        hint = "Save the subtitles as SubRip (.srt) or WebVTT (.vtt)."
        raise DataError("The file has no subtitles: no line has two times (-->).", hint, name, "subtitles-empty")
    return Annotated([Tier("", spoken, speaker or None) for speaker, spoken in found.items()], findings=findings)


def _cues(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the number of each line with times, the line, and the lines of its text, which may have empty lines.

    A number above the times, or a line between an empty one and the times, names the subtitle.
    """
    cue: tuple[int, str, list[str]] = (0, "", [])
    paragraph, apart, about = 0, True, False
    for number, line in enumerate(text.split("\n"), 1):
        if "-->" in line:
            if paragraph and (cue[2][-1].isdecimal() or (apart and paragraph == 1)):
                cue[2].pop()
            if cue[0]:
                yield cue
            cue, paragraph, apart, about = (number, line, []), 0, False, False
        elif not line.strip():
            paragraph, apart, about = 0, True, False
        else:
            about = about or (apart and not paragraph and line.startswith(("WEBVTT", "NOTE", "STYLE", "REGION")))
            if not about:
                cue[2].append(line.strip())
                paragraph += 1
    if cue[0]:
        yield cue


FORMAT = TierFormat("subtitle", (".srt", ".vtt"), parse)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
