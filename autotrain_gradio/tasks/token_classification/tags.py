"""Tags of tokens: detect their scheme (IOB1, IOB2, BIOES, BILOU or none), and convert them to spans of tokens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

OUTSIDE = "O"
NO_TYPE = "ENTITY"
"""Type of entities whose tags are only B, I and O."""
_PREFIX = re.compile(r"([BIESLUMW])(?:[-_](.+))?", re.IGNORECASE)
_SUFFIX = re.compile(r"(.+)[-_]([BIESLUMW])", re.IGNORECASE)
_ROLES = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
"""Letter of a tag → its role: begin, inside, end, single."""
SCHEMES = ("IOB1", "IOB2", "BIOES", "BILOU", "plain", "each")
"""`plain`: a tag is a type, and neighbours with the same tag are one entity. `each`: the same, and each token is an
entity of its own (parts of speech)."""


class Part(NamedTuple):
    """A tag. role: `B` (begin), `I` (inside), `E` (end), `S` (single) or `O`; type: of its entity."""

    role: str
    type: str


@dataclass(frozen=True)
class TagSet:
    """How the tags of a column are parsed: their scheme, and tag → its parts."""

    scheme: str
    parts: Mapping[str, Part]

    def spans(self, tags: Sequence[str]) -> tuple[list[tuple[int, int, str]], int]:
        """Return the entities of a sequence of tags as (first token, last token, type), and the number of repairs.

        A repair is an entity that does not begin or end as the scheme requires; it is used as it stands.
        """
        if self.scheme == "each":
            return [(i, i, self.parts[t].type) for i, t in enumerate(tags) if self.parts[t].role != "O"], 0
        found: list[tuple[int, int, str]] = []
        ends = self.scheme in {"BIOES", "BILOU"}
        lenient = self.scheme in {"IOB1", "plain"}
        repairs, first, kind, open_ended = 0, -1, "", False

        def close(last: int) -> int:
            """End the current entity; return 1 if the scheme requires another last tag."""
            nonlocal first
            if first < 0:
                return 0
            found.append((first, last, kind))
            first = -1
            return int(ends and open_ended)

        for i, tag in enumerate(tags):
            role, type_ = self.parts[tag]
            continues = first >= 0 and kind == type_ and role in {"I", "E"}
            if not continues:
                repairs += close(i - 1)
                if role != "O":
                    first, kind = i, type_
                    repairs += role in {"I", "E"} and not lenient
            open_ended = role in {"B", "I"}
            if role in {"E", "S"}:
                close(i)
        return found, repairs + close(len(tags) - 1)


def tag_set(rows: Iterable[Sequence[str]], scheme: str = "") -> TagSet:
    """Detect how the tags of all rows are meant. scheme: one of `SCHEMES`, if it is known."""
    rows = list(rows)
    counts = Counter(tag for tags in rows for tag in tags)
    outside = _outside(counts)
    others = [tag for tag in counts if tag not in outside]
    parts = {tag: Part(OUTSIDE, "") for tag in outside}
    style = "plain" if scheme in {"plain", "each"} else _style(others)
    for tag in others:
        parts[tag] = _parse(tag, style)
    if scheme:
        return TagSet(scheme, parts)
    if style == "plain":
        return TagSet("plain" if outside else "each", parts)
    letters = {m[1 if style == "prefix" else 2].upper() for tag in others if (m := _match(tag, style))}
    if letters & {"E", "S", "M", "W"}:
        return TagSet("BIOES", parts)
    if letters & {"L", "U"}:
        return TagSet("BILOU", parts)
    return TagSet(_iob(rows, parts), parts)


def _outside(counts: Mapping[str, int]) -> set[str]:
    """Return the tags that mean no entity: O, else a usual replacement of it."""
    for names in ({"O", "o", ""}, {"_", "-", "", "0"}):
        if found := {tag for tag in counts if tag in names}:
            return found
    return set()


def _style(tags: Sequence[str]) -> str:
    """Return whether tags are `B-PER` (`prefix`), `PER-B` (`suffix`) or names of types (`plain`)."""
    prefixed = [m for tag in tags if (m := _PREFIX.fullmatch(tag))]
    if 2 * len(prefixed) > len(tags) and any(m[1].upper() in "BSUI" for m in prefixed):
        return "prefix"
    ended = [m for tag in tags if (m := _SUFFIX.fullmatch(tag))]
    if tags and len(ended) == len(tags) and any(m[2].upper() in "BSUI" for m in ended):
        return "suffix"
    return "plain"


def _match(tag: str, style: str) -> re.Match[str] | None:
    return (_PREFIX if style == "prefix" else _SUFFIX).fullmatch(tag)


def _parse(tag: str, style: str) -> Part:
    found = None if style == "plain" else _match(tag, style)
    if found is None:
        return Part("I", tag)  # a name alone: the entity continues, or begins
    letter, type_ = (found[1], found[2]) if style == "prefix" else (found[2], found[1])
    return Part(_ROLES[letter.upper()], type_ or NO_TYPE)


def _iob(rows: Sequence[Sequence[str]], parts: Mapping[str, Part]) -> str:
    """Return IOB1 if entities begin with I-, and with B- (almost) only next to another one of their type; else IOB2."""
    begins_inside = begins_freely = 0
    for tags in rows:
        before = Part(OUTSIDE, "")
        for tag in tags:
            part = parts[tag]
            begins_inside += part.role == "I" and part.type != before.type
            begins_freely += part.role == "B" and part.type != before.type
            before = part
    return "IOB1" if begins_inside > 10 * begins_freely else "IOB2"
