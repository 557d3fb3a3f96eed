"""What the offsets of spans count: characters, UTF-16 units, bytes, or characters up to and including the last one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

from autotrain_gradio.tasks.token_classification.cell_lists import Span
from autotrain_gradio.tasks.token_classification.words import word_borders

CHARACTERS, UTF16, BYTES, INCLUSIVE = "characters", "utf-16", "bytes", "inclusive"
TITLES = {
    CHARACTERS: "characters (Unicode code points)",
    UTF16: "UTF-16 units, as JavaScript counts (an emoji is two)",
    BYTES: "bytes of UTF-8",
    INCLUSIVE: "characters, the end being the last one of the span",
}
"""Reading of offsets → what it means; the order of preference."""
SAMPLE = 2000
"""Texts by which the reading is detected."""
BETTER = 0.5
"""Share of the misfitting spans that another reading must fit, to be preferred to characters."""

Convert = Callable[[int, int], tuple[int, int]]


def converter(reading: str, text: str) -> Convert:
    """Return a function that turns the offsets of a span in a text into characters."""
    if reading == INCLUSIVE:
        return lambda start, end: (start, end + 1)
    if reading == CHARACTERS or text.isascii():
        return lambda start, end: (start, end)
    size = (lambda c: 1 + (ord(c) > 0xFFFF)) if reading == UTF16 else (lambda c: len(c.encode("utf-8", "replace")))
    places = [0, *accumulate(size(c) for c in text)]
    beyond = len(text) + 1  # outside the text stays outside

    def convert(start: int, end: int) -> tuple[int, int]:
        return tuple(beyond if n > places[-1] else bisect_left(places, n) for n in (start, end))  # type: ignore[return-value]

    return convert


def detect_reading(rows: Iterable[tuple[str, Sequence[Span]]]) -> tuple[str, int, int]:
    """Return the reading that fits most spans, the number of them that fit, and that which fits as characters.

    A span fits if it begins and ends at borders of words, and if its text, where the data repeats it, is the same.
    """
    fitting = dict.fromkeys(TITLES, 0)
    total = 0
    for number, (text, spans) in enumerate(rows):
        if number >= SAMPLE:
            break
        if not spans:
            continue
        starts, ends = word_borders(text)
        first, last = set(starts), set(ends)
        total += len(spans)
        for reading in TITLES:
            convert = converter(reading, text)
            for span in spans:
                start, end = convert(span.start, span.end)
                same = span.text is None or text[start:end] == span.text
                fitting[reading] += same and start in first and end in last
    best = max(TITLES, key=lambda reading: fitting[reading])
    gained, wrong = fitting[best] - fitting[CHARACTERS], total - fitting[CHARACTERS]
    if gained <= 0 or gained < BETTER * wrong:
        best = CHARACTERS
    return best, fitting[best], fitting[CHARACTERS]
