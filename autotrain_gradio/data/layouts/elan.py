"""ELAN annotation files (.eaf) beside their audio.

Source of the format: "The EAF annotation format", Max Planck Institute for Psycholinguistics. Times are milliseconds.
An annotation without a place in time of its own refers to one of another tier, and has the time of that one; several
that refer to the same one are its pieces, and become one row.
"""

from __future__ import annotations

import math
import re
from functools import partial
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.layouts import tiers
from autotrain_gradio.data.layouts.tiers import Annotated, Interval, Tier, TierFormat

DEEPEST = 50
"""Most annotations that refer to one another in a row."""


def parse(text: str, name: str) -> Annotated:
    """Parse an ELAN file.

    Raises:
        DataError: it is not an ELAN file, or damaged.
    """
    # Nothing may be defined in the file: entities are how XML becomes a bomb, or reads other files.
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise _damaged(name, "it defines a document type, which no ELAN file does", "Save it again in ELAN.")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _damaged(name, f"it is not valid XML ({error})") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise _damaged(name, f"its first element is '{root.tag[:40]}'")
    media, shift = _media(root)
    slots = _slots(root)
    times = {}
    for annotation in root.iter("ALIGNABLE_ANNOTATION"):
        begin, end = (slots.get(annotation.get(f"TIME_SLOT_REF{k}", "")) for k in (1, 2))
        if begin is not None and end is not None:
            times[annotation.get("ANNOTATION_ID", "")] = (begin + shift, end + shift)
    parents = {a.get("ANNOTATION_ID", ""): a.get("ANNOTATION_REF", "") for a in root.iter("REF_ANNOTATION")}
    return Annotated([_tier(element, times, parents) for element in root.iter("TIER")], media)


def _damaged(name: str, why: str, hint: str = "Open it in ELAN and save it again.") -> DataError:
    return DataError(f"The ELAN file cannot be read: {why}.", hint, name, "eaf-damaged")


def _media(root: ElementTree.Element) -> tuple[list[str], float]:
    """Return the names of the media in the file, and the offset of the annotations in seconds."""
    media = list(root.iter("MEDIA_DESCRIPTOR"))
    urls = [unquote(m.get(key, "")) for m in media for key in ("RELATIVE_MEDIA_URL", "MEDIA_URL")]
    names = [path for url in urls if (path := re.sub(r"^file:/*([A-Za-z]:)?", "", url))]
    origin = _seconds(media[0].get("TIME_ORIGIN")) if media else math.nan
    return names, 0.0 if math.isnan(origin) else origin


def _seconds(text: str | None) -> float:
    """Parse milliseconds; NaN if there are none."""
    try:
        return int(text) / 1000 if text else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _slots(root: ElementTree.Element) -> dict[str, float]:
    """Return time slot → seconds; slots without a time lie evenly between their neighbours, as in ELAN."""
    slots = list(root.iter("TIME_SLOT"))
    times = np.array([_seconds(slot.get("TIME_VALUE")) for slot in slots])
    known = np.flatnonzero(~np.isnan(times))
    if not len(known):
        return {}
    between = np.interp(range(len(slots)), known, times[known], left=math.nan, right=math.nan)
    found = zip(slots, between.tolist(), strict=True)
    return {slot.get("TIME_SLOT_ID", ""): time for slot, time in found if not math.isnan(time)}


def _tier(element: ElementTree.Element, times: dict[str, tuple[float, float]], parents: dict[str, str]) -> Tier:
    """Read one tier; pieces of the same annotation are joined in their order."""
    pieces: dict[str, list[str]] = {}
    for holder in element.iter("ANNOTATION"):
        for annotation in holder:
            anchor = annotation.get("ANNOTATION_ID", "")
            for _ in range(DEEPEST):
                if anchor in times or anchor not in parents:
                    break
                anchor = parents[anchor]
            if anchor in times:
                text = annotation.findtext("ANNOTATION_VALUE") or ""
                pieces.setdefault(anchor, []).append(text.strip())
    intervals = [Interval(*times[anchor], " ".join(t for t in texts if t)) for anchor, texts in pieces.items()]
    return Tier(
        element.get("TIER_ID", ""),
        sorted(intervals),
        element.get("PARTICIPANT", "").strip() or None,
        element.get("LINGUISTIC_TYPE_REF", ""),
        element.get("PARENT_REF", ""),
    )


FORMAT = TierFormat("ELAN", (".eaf",), parse)
recognize = partial(tiers.recognize, format=FORMAT)
read = partial(tiers.read, format=FORMAT)
