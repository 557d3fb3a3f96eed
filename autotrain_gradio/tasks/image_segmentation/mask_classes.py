"""The classes of masks: which values or colours of pixels they are, which are ignored, and what the others become."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.image_segmentation.mask_files import COLOUR, MaskFact, counts_of, parse, show, unpack

IGNORE = 255
"""Class number of pixels that are not learned or evaluated."""
MOST_CLASSES = 254
BINARY = 255
"""Value of the foreground in masks of two values."""
Others = Literal["error", "ignore", "nearest", "class"]
OTHERS = ("ignore", "nearest", "class")
FREQUENT = 0.001
"""Share of all pixels from which a value is surely a class of its own."""
LEAST_RARE = 6
"""Number of rare colours from which they can be blends."""
BLEND = 14.0
"""Greatest distance (of 0 to 255 for each channel) of a blend from the line between the two colours."""
GAP = 8
"""Least difference of the frequent values of masks with smooth edges: class numbers are closer."""
NOISE_DISTANCE, NOISE_SHARE = 64.0, 0.005
"""Of JPEG masks: least distance between two classes, and least share of the pixels of a class."""


@dataclass
class Totals:
    """Counts of all masks that are used.

    pixels: value or colour, as stored → pixels. colours: the same by colour, with the palette of each mask.
    palettes: value → its colours in palette images. palette_images: number of these. hidden: rows with more values than
    are counted. jpeg: rows of JPEG files.
    """

    pixels: Counter[int] = field(default_factory=Counter)
    colours: Counter[int] = field(default_factory=Counter)
    palettes: dict[int, set[int]] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)
    jpeg: list[int] = field(default_factory=list)
    palette_images: int = 0

    @classmethod
    def of(cls, facts: Mapping[int, MaskFact]) -> Totals:
        """Add up the facts of rows."""
        made = cls()
        for row, fact in facts.items():
            found = counts_of(fact.values)
            palette = {int(v): COLOUR + int(c) for v, c in json.loads(fact.palette or "{}").items()}
            made.pixels.update(found)
            made.colours.update(as_form(found, "colours", palette))
            if palette:
                made.palette_images += 1
                for value, colour in palette.items():
                    made.palettes.setdefault(value, set()).add(colour)
            if fact.distinct > len(found):
                made.hidden.append(row)
            if fact.format in {"JPEG", "MPO"}:
                made.jpeg.append(row)
        return made


@dataclass
class Classes:
    """What the pixels of masks mean; saved in the manifest, so that the training reads masks alike.

    form: whether pixels are `values` or `colours`; grey colours are values, and palettes give colours.
    names: of the classes. table: value or colour → class. ignored: values that become `IGNORE`.
    others: what other values become: `ignore` or the class of the `nearest` one.
    rotate: masks of images with an EXIF orientation are rotated like them, if they have none: `swapped` (where width
        and height differ otherwise) or `all`.
    """

    form: Literal["values", "colours"]
    names: list[str]
    table: dict[int, int]
    ignored: list[int] = field(default_factory=list)
    others: str = "ignore"
    rotate: str = "swapped"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {**vars(self), "table": [[value, number] for value, number in self.table.items()]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Classes:
        """Rebuild them from `to_dict`."""
        known = {name: data[name] for name in ("form", "names", "ignored", "others", "rotate")}
        return cls(**known, table={int(v): int(n) for v, n in data["table"]})


def as_form(counts: Mapping[int, int], form: str, palette: Mapping[int, int]) -> Counter[int]:
    """Return counts of one mask or of several in a form. palette: value → colour."""
    made: Counter[int] = Counter()
    for value, number in counts.items():
        made[convert(value, form, palette)] += number
    return made


def convert(value: int, form: str, palette: Mapping[int, int]) -> int:
    """Return a value or colour in a form: a grey colour is its value, a value its palette's colour or grey."""
    if form == "values" and value >= COLOUR:
        return (value - COLOUR) & 255
    if form == "colours" and value < COLOUR:
        return palette.get(value, COLOUR + min(value, 255) * 0x010101)
    return value


def is_grey(value: int) -> bool:
    """Whether a colour has equal channels; values are grey."""
    red, green, blue = unpack([value])[0]
    return value < COLOUR or bool(red == green == blue)


def parse_table(entries: Iterable[Any], where: str) -> list[dict[str, Any]]:
    """Parse `class_names`: names, `value=name` or `#rrggbb=name`; return entries `{name, value?}`.

    Raises:
        DataError: names are given with and without values.
    """
    texts = [str(e).strip() for e in entries if str(e).strip()]
    made: list[dict[str, Any]] = []
    for text in texts:
        head, equals, name = text.partition("=")
        value = parse(head) if equals and name.strip() else None
        made.append({"name": text} if value is None else {"name": name.strip(), "value": value})
    if len({"value" in entry for entry in made}) > 1:
        message = "Some class names have a value and others have none."
        raise DataError(message, "Write all as value=name, or the names alone.", where, "invalid-setting")
    return made


def is_blend(colours: Sequence[int], frequent: Sequence[int]) -> np.ndarray:
    """Return for each colour whether it lies between two frequent ones, as pixels at smoothed edges do."""
    points, ends = unpack(colours).astype(float), unpack(frequent).astype(float)
    found = np.zeros(len(points), dtype=bool)
    for a in range(len(ends)):
        for b in range(a + 1, len(ends)):
            line = ends[b] - ends[a]
            length = float(line @ line) or 1.0
            part = ((points - ends[a]) @ line / length).clip(0, 1)
            distance = np.linalg.norm(points - (ends[a] + part[:, None] * line), axis=1)
            found |= distance <= BLEND
    return found


def smoothed(pixels: Mapping[int, int], form: str) -> tuple[list[int], list[int]] | None:
    """Return the frequent values or colours and their blends, if the masks have smoothed edges; else None."""
    total = sum(pixels.values())
    frequent = sorted(v for v, n in pixels.items() if n >= FREQUENT * total)
    rare = [v for v in pixels if v not in set(frequent)]
    if len(frequent) < 2 or len(frequent) > 64 or len(rare) < max(LEAST_RARE, len(frequent)):
        return None
    if form == "values":
        gaps = [b - a for a, b in zip(frequent, frequent[1:], strict=False)]
        return (frequent, rare) if min(gaps) >= GAP else None
    blends = is_blend(rare, frequent)
    return (frequent, rare) if blends.mean() >= 0.7 else None


def without_noise(pixels: Mapping[int, int], form: str) -> list[int]:
    """Return the classes of masks that were compressed as JPEG: frequent values that differ clearly."""
    total, kept = sum(pixels.values()), list[int]()
    for value, number in sorted(pixels.items(), key=lambda item: -item[1]):
        if number < NOISE_SHARE * total or len(kept) >= MOST_CLASSES:
            break
        if all(_distance(value, other, form) >= NOISE_DISTANCE for other in kept):
            kept.append(value)
    return sorted(kept)


def _distance(one: int, other: int, form: str) -> float:
    if form == "values":
        return float(abs(one - other))
    return float(np.linalg.norm(unpack([one])[0] - unpack([other])[0]))


def names_of(values: Sequence[int], form: str) -> list[str]:
    """Return names of classes that the data does not name: foreground and background of binary masks, else values."""
    if form == "values" and list(values) in ([0, 1], [0, BINARY]):
        return ["background", "foreground"]
    return [f"class {show(v)}" for v in values]
