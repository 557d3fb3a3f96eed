"""Long lists of a panel: the first items, and the others behind "Show 14 more"."""

from __future__ import annotations

from collections.abc import Sequence

OPEN = 6
"""Number of items of a longer list that are visible at first: a page with charts below it stays short on a phone."""


def folded_list(classes: str, items: Sequence[str], *, not_included: int = 0) -> str:
    """Return a `<ul>`; items after the first ones are in a `<details>` element.

    classes: of the list. items: `<li>` elements. not_included: number of further items, which are only counted.
    """
    # A single item is shown rather than hidden behind a line of the same height.
    first = len(items) if len(items) <= OPEN + 1 else OPEN
    shown, others = "".join(items[:first]), "".join(items[first:])
    found = f"<ul class='{classes}'>{shown}</ul>"
    if others:
        more = f"<summary>Show {len(items) - first:,} more</summary>"
        found += f"<details class='at-more'>{more}<ul class='{classes}'>{others}</ul></details>"
    return found + (f"<p class='at-note'>and {not_included:,} more</p>" if not_included > 0 else "")
