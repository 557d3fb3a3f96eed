"""Colours of classes, the same in every image of a run."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

TRANSPARENT = "transparent"
BACKGROUND = ("background", "_background_", "__background__", "bg", "void", "unlabelled", "unlabeled")
"""Names of classes that are not coloured, in lower case."""
FIRST = ("#16a34a", "#c026d3", "#f59e0b", "#0891b2", "#e11d48", "#4f46e5", "#84cc16", "#7c3aed", "#ea580c", "#0d9488")
"""Colours that differ clearly on photos, for the first classes."""


def colours_of(names: Sequence[str]) -> list[str]:
    """Return the colour of each class, `#rrggbb`; `TRANSPARENT` for the background."""
    made: list[str] = []
    count = 0
    for name in names:
        if name.strip().lower() in BACKGROUND:
            made.append(TRANSPARENT)
            continue
        made.append(FIRST[count] if count < len(FIRST) else _spread(count))
        count += 1
    return made


def _spread(number: int) -> str:
    """Return a colour whose hue is far from those of the numbers before it (golden ratio)."""
    hue, shade = number * 0.618034 % 1, number % 3
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.95 - 0.2 * shade, 0.6 + 0.17 * shade)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
