"""Search for an answer in its context."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from autotrain_gradio.tasks.extractive_question_answering.squad_metrics import WITHOUT_SPACES

SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u02bc`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    }
)
"""Quotation marks, apostrophes and dashes that are often written in another way."""
WHOLE_NUMBER = re.compile(r"[+-]?\d+\.0")


@dataclass(frozen=True)
class Found:
    """An answer in its context: context[start : start + len(text)] is `text`.

    how: `there` (at its offset), `utf-8` or `utf-16` (the offset counts bytes or UTF-16 units), `moved` (its offset was
    wrong), `found` (it had none). places: number of places where it occurs (1 if it was at its offset). respelled: the
    context writes it in another way.
    """

    text: str
    start: int
    how: str
    places: int = 1
    respelled: bool = False


def find_answer(context: str, text: str, start: int | None) -> Found | None:
    """Find an answer: at its offset, else at the nearest occurrence, without an offset at the first one.

    Occurrences that are whole words are preferred to parts of words, and the exact spelling to one that differs in
    case, spaces, quotation marks, dashes or Unicode form. None: it does not occur.

    start: offset in characters; None: unknown.
    """
    bare = text.strip()
    if not bare:
        return None
    if start is not None:
        begin = start + len(text) - len(text.lstrip())
        for how, place in (("there", begin), *_other_units(context, begin)):
            if place >= 0 and context[place : place + len(bare)] == bare:
                return Found(bare, place, how)
    places = [(m.start(), m.start() + len(bare)) for m in re.finditer(f"(?={re.escape(bare)})", context)]
    respelled = not places
    places = places or _folded_places(context, bare)
    whole = [place for place in places if _is_whole(context, *place)]
    places = whole or places
    if not places:
        # pandas writes the whole numbers of a column with empty cells so.
        found = find_answer(context, bare[:-2], start) if WHOLE_NUMBER.fullmatch(bare) else None
        return None if found is None else replace(found, respelled=True)
    begin, end = places[0] if start is None else min(places, key=lambda place: abs(place[0] - start))
    how = "found" if start is None else "moved"
    return Found(context[begin:end], begin, how, len(places), respelled)


def _other_units(context: str, offset: int) -> Iterator[tuple[str, int]]:
    """Yield the encodings in whose units an offset is another character, and that character."""
    if context.isascii():
        return
    for name, codec, size in (("utf-8", "utf-8", 1), ("utf-16", "utf-16-le", 2)):
        units = context.encode(codec, "surrogatepass")[: offset * size]
        yield name, len(units.decode(codec, "ignore"))


def _is_whole(context: str, begin: int, end: int) -> bool:
    """Whether a place is not a part of a word or number."""
    return not (begin and _joined(context[begin - 1 : begin + 1])) and not _joined(context[end - 1 : end + 1])


def _joined(pair: str) -> bool:
    """Whether two characters belong to one word; scripts without spaces have no words."""
    return len(pair) == 2 and pair.isalnum() and not WITHOUT_SPACES.search(pair)


def _folded_places(context: str, text: str) -> list[tuple[int, int]]:
    """Return where a text occurs if case, spaces, quotation marks, dashes and the Unicode form do not matter."""
    folded, origin = fold(context)
    wanted = fold(text)[0].strip()
    if not wanted:
        return []
    found = (m.start() for m in re.finditer(f"(?={re.escape(wanted)})", folded))
    ends = [*origin[1:], len(context)]
    places = []
    for begin in found:
        end = origin[begin + len(wanted) - 1] + 1
        # Combining marks and the other characters of an expanded one belong to the last character.
        after = ends[begin + len(wanted) - 1]
        while end < after and unicodedata.combining(context[end]):
            end += 1
        places.append((origin[begin], end))
    return places


@lru_cache(maxsize=4)
def fold(text: str) -> tuple[str, list[int]]:
    """Return a text in one spelling, and for each of its characters the index of the character that it comes from."""
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text.translate(SAME)):  # each character is replaced by one
        for part in unicodedata.normalize("NFKD", character.casefold()):
            if part.isspace():
                if folded and folded[-1] == " ":
                    continue
                part = " "
            folded.append(part)
            origin.append(index)
    return "".join(folded), origin
