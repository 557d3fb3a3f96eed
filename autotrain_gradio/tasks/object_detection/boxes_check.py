"""Fit the boxes to their images: detect their convention, clip them, and drop those without an area."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import datasets
import numpy as np

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import format_count, join_examples
from autotrain_gradio.data.kinds.label import unused_mapping
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import canonical, canonical_mapping
from autotrain_gradio.tasks.object_detection.boxes import (
    FORMATS,
    as_array,
    clip,
    corners,
    detect_format,
    displayed,
    to_xywh,
)

IMAGE, OBJECTS, OPTION = "image", "objects", "box_format"
EXIF, EXIF_CHOICES = "exif_boxes", ("displayed", "stored")
LEAST_SIDE = 1.0
"""Pixels of a side under which a box has no area."""
TITLES = {"xywh": "left, top, width, height", "xyxy": "corners", "cxcywh": "centre, width, height"}
BEYOND = 1.0
"""Pixels beyond the image that are rounding."""

SKIPPED = {
    "annotated-image-missing": "image missing",
    "category-unknown": "class without a name",
    "image-turned": "rotated in the annotation tool",
    "image-urls": "image is a web address",
    "objects-unreadable": "boxes cannot be parsed",
    "task-without-annotation": "no annotation",
}


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Replace the parsed boxes by left, top, width, height in pixels, and class names by numbers."""
    cells, facts = rows.cells[OBJECTS], rows.cells[IMAGE].facts
    used = rows.indices().tolist()
    sizes = {i: (float(facts["width"][i]), float(facts["height"][i])) for i in used}
    parsed = {i: cells.values[i] for i in used}
    yield from _map_labels(rows, parsed, request)
    stored = yield from _of_stored_pixels(rows, parsed, sizes, facts["orientation"], request)
    # The size of an image as the boxes mean it.
    meant = {i: (h, w) if i in stored and facts["orientation"][i] >= 5 else (w, h) for i, (w, h) in sizes.items()}
    chosen = yield from _format(rows, parsed, meant, request)
    names = sorted({label for value in parsed.values() for label in value["labels"]}, key=_natural)
    number = {name: n for n, name in enumerate(names)}
    values: list[Any] = [{"bbox": [], "category": []} for _ in range(len(rows))]
    outside: dict[int, int] = {}
    flat: dict[int, int] = {}
    background = []
    for row, value in parsed.items():
        boxes = as_array(value["boxes"])
        found = corners(boxes, value["format"] or chosen, np.tile(np.array(meant[row]), (len(boxes), 1)))
        if row in stored:
            found = displayed(found, facts["orientation"][row], sizes[row])
        inside = clip(found, np.tile(np.array(sizes[row]), (len(boxes), 1)))
        kept = (inside[:, 2:] - inside[:, :2] >= LEAST_SIDE).all(axis=1)
        moved = int((np.abs(found - inside).max(axis=1, initial=0) > BEYOND)[kept].sum())
        outside |= {row: moved} if moved else {}
        flat |= {row: int((~kept).sum())} if not kept.all() else {}
        values[row] = {
            "bbox": to_xywh(inside[kept]).tolist(),
            "category": [number[label] for label, keep in zip(value["labels"], kept, strict=True) if keep],
        }
        if not values[row]["bbox"]:
            background.append(row)
    cells.values = values
    cells.feature = {
        "bbox": datasets.List(datasets.List(datasets.Value("float32"))),
        "category": datasets.List(datasets.ClassLabel(names=names)),
    }
    cells.about["classes"] = names
    yield from _reports(rows, outside, flat, background)
    if used and len(background) == len(used):
        yield Finding("error", "no-boxes", "No image has a box.", "Annotate the objects of the images.", "data")


def _map_labels(rows: Rows, parsed: dict[int, Any], request: Request) -> Iterator[Finding]:
    """Rename and exclude classes as `data.labels` says; images whose objects are all excluded are kept."""
    mapping, cells = canonical_mapping(request.spec.labels), rows.cells[OBJECTS]
    for value in parsed.values():
        cells.raw.update(set(value["labels"]))
    if not mapping:
        return
    excluded: Counter[str] = Counter()
    for value in parsed.values():
        named = [mapping.get(canonical(label), label) for label in value["labels"]]
        excluded.update(label for label, new in zip(value["labels"], named, strict=True) if new is None)
        value["boxes"] = [box for box, new in zip(value["boxes"], named, strict=True) if new is not None]
        value["labels"] = [new for new in named if new is not None]
    yield from unused_mapping(mapping, {canonical(name) for name in cells.raw})
    if excluded:
        text = format_count("{n} {was} excluded by data.labels", sum(excluded.values()), "box", "boxes")
        shown = join_examples([f"{name}: {count:,}" for name, count in excluded.most_common()])
        hint = "Their images are kept; the objects count as background."
        yield Finding("info", "boxes-excluded", f"{text} ({shown}).", hint, "data.labels")


def _of_stored_pixels(
    rows: Rows, parsed: dict[int, Any], sizes: dict[int, tuple[float, float]], orientation: Any, request: Request
) -> Generator[Finding, None, frozenset[int]]:
    """Return the rows whose boxes were drawn on the stored pixels of an image that EXIF rotates or mirrors.

    By the option, else those whose annotations give the size before the rotation.

    Raises:
        DataError: the option has another value.
    """
    asked, where = request.spec.options.get(EXIF), f"data.options.{EXIF}"
    if asked not in (None, "", *EXIF_CHOICES):
        hint = did_you_mean(str(asked), EXIF_CHOICES) or f"Write {' or '.join(EXIF_CHOICES)}."
        raise DataError(f"'{asked}' is not a way to read boxes of rotated images.", hint, where, "invalid-setting")
    turned = [i for i in parsed if orientation[i] != 1 and parsed[i]["boxes"]]
    if asked:
        return frozenset(turned if asked == EXIF_CHOICES[1] else ())
    before = [i for i in turned if _is_turned(parsed[i], sizes[i])]
    hint = "Check them in the preview."
    text = "{n} {is} rotated by EXIF, and the annotations give the size before; the boxes are rotated with the images"
    fix = Fix("The boxes are drawn on the images as displayed", {"options": {EXIF: EXIF_CHOICES[0]}})
    for finding in rows.findings("warning", "boxes-rotated", text, before, hint, noun="image", where=where):
        yield replace(finding, fix=fix)
    others = sorted(set(turned) - set(before))
    text = "{n} {is} rotated or mirrored by EXIF; the boxes are read as drawn on the images as displayed"
    fix = Fix("The boxes are drawn on the stored pixels", {"options": {EXIF: EXIF_CHOICES[1]}})
    for finding in rows.findings("info", "boxes-displayed", text, others, hint, noun="image", where=where):
        yield replace(finding, fix=fix)
    return frozenset(before)


def _reports(rows: Rows, outside: dict[int, int], flat: dict[int, int], background: list[int]) -> Iterator[Finding]:
    text = format_count("{n} {extends} beyond the image and {was} clipped", sum(outside.values()), "box", "boxes")
    yield from rows.findings(
        "warning", "boxes-outside", f"{text}, in {{n}}", list(outside), "Check a few of them.", noun="image"
    )
    text = format_count("{n} {has} no area inside the image and {was} dropped", sum(flat.values()), "box", "boxes")
    hint = "Correct them, or check the convention of the boxes (data.options.box_format)."
    yield from rows.findings("warning", "boxes-empty", f"{text}, in {{n}}", list(flat), hint, noun="image")
    text, hint = "{n} {has} no boxes and {is} kept as background", "Images without objects reduce false detections."
    yield from rows.findings("info", "images-without-boxes", text, background, hint, noun="image")


def _is_turned(value: dict[str, Any], size: tuple[float, float]) -> bool:
    """Whether the annotations give the size of the image with width and height exchanged."""
    declared = value["width"], value["height"]
    return None not in declared and size[0] != size[1] and declared == (size[1], size[0])


def _format(rows: Rows, parsed: dict[int, Any], sizes: dict[int, tuple[float, float]], request: Request) -> Any:
    """Return the format of boxes whose layout gives none: by the option, else detected.

    Raises:
        DataError: the option is not a format.
    """
    asked = request.spec.options.get(OPTION)
    if asked:
        if asked not in FORMATS:
            hint = did_you_mean(str(asked), FORMATS)
            raise DataError(f"'{asked}' is not a format of boxes.", hint, f"data.options.{OPTION}", "invalid-setting")
        return asked
    unknown = [i for i, value in parsed.items() if not value["format"]]
    boxes = np.concatenate([as_array(parsed[i]["boxes"]) for i in unknown] or [as_array([])])
    if not len(boxes):
        return "xywh"
    size = np.concatenate([np.tile(np.array(sizes[i]), (len(parsed[i]["boxes"]), 1)) for i in unknown])
    name, wrong, others = detect_format(boxes, size)
    where = f"data.options.{OPTION}"
    convention, _, relative = name.partition("-")
    title = TITLES[convention] + (", relative to the size of the image" if relative else "")
    if name != "xywh":
        other = "xywh" if convention != "xywh" else "xyxy"
        fix = Fix(f"Read them as {TITLES[other]}", {"options": {OPTION: other}})
        count = (
            f" As left, top, width, height, {wrong:,} of {len(boxes):,} would not fit their images." if wrong else ""
        )
        message = f"The boxes are read as {title}.{count}"
        yield Finding("warning", "box-convention", message, "Check them in the preview.", where, fix=fix)
    elif others:
        fix = Fix(f"Read them as {TITLES[others[0]]}", {"options": {OPTION: others[0]}})
        message = f"The boxes are read as {title}; read as {TITLES[others[0]]} they would fit the images, too."
        yield Finding("info", "box-convention", message, "Check them in the preview.", where, fix=fix)
    return name


def _natural(name: str) -> tuple[bool, int, str]:
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
