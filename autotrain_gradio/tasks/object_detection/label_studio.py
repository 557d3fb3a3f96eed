"""Label Studio: its export JSON or JSON-MIN, a list of tasks with regions in percent of the image.

https://labelstud.io/guide/export, https://labelstud.io/tags/rectanglelabels. Of rotated rectangles, polygons and
ellipses the axis-aligned hull is used. Of several annotations of an image, the one marked as ground truth is used, else
the latest; cancelled ones, drafts and predictions are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver, found_elsewhere, looks_like_url
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages
from autotrain_gradio.tasks.object_detection.annotation_json import (
    LABEL_STUDIO,
    LABEL_STUDIO_MIN,
    entries_of,
    items,
    read_document,
)
from autotrain_gradio.tasks.object_detection.boxes import NORMALIZED, hull

UPLOAD = re.compile(r"[0-9a-f]{8}-")
"""Start of the name of an uploaded file; the name that it had follows."""
GEOMETRY = dict.fromkeys(
    ("x", "y", "width", "height", "rotation", "radiusX", "radiusY", "points", "rle", "brushlabels")
)
"""Keys of a region's geometry, in order; a brush stroke has its label there."""
SKIPPED = {
    "task-without-annotation": "{n} {has} no annotation, or only cancelled ones, and {was} skipped",
    "image-turned": "{n} {was} rotated in the tool, so that the place of the boxes is unknown, and {was} skipped",
}
"""Reasons why an image is skipped."""


@dataclass
class _Notes:
    """Locations of what is reported. skipped: reason → images."""

    skipped: dict[str, list[str]] = field(default_factory=lambda: {code: [] for code in SKIPPED})
    several: list[str] = field(default_factory=list)
    rotated: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are JSON files with the tasks of Label Studio."""
    found = entries_of(tree, LABEL_STUDIO, LABEL_STUDIO_MIN)
    if not found:
        return Rejected("no JSON has a list of tasks with data and annotations")
    names = join_examples([e.path for e in found])
    return Recognized(0.95, f"{names} {inflect(len(found), 'holds')} tasks of Label Studio")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each annotated image; one whose annotation has no region has no boxes.

    Raises:
        DataError: a file is damaged or too large, or none of the images exists.
    """
    entries = entries_of(tree, LABEL_STUDIO, LABEL_STUDIO_MIN)
    splits, findings = split_names.of_entries(entries, tree, request.spec)
    images = _Images(tree, request)
    made, notes = AnnotatedImages(f"xyxy{NORMALIZED}", files=[e.path for e in entries]), _Notes()
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        document, found = read_document(tree, entry, request)
        findings += found
        for place, task in enumerate(_tasks(items(document)), 1):
            where = f"{entry.path}, task {task.get('id', place)}"
            _add(made, notes, task, where, entry, splits[entry.path], images)
    if notes.urls and not made.rows:
        raise DataError.from_findings(_urls(notes, "error"))
    raw = made.tables(request)
    raw.findings += findings + _reports(notes)
    for code, places in {**notes.skipped, "image-urls": notes.urls}.items():
        if places:
            raw.skipped[code] += len(places)
    return raw


def _tasks(found: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Return tasks as the JSON export has them; JSON-MIN has an entry for each annotation, with the data beside it."""
    short: dict[Any, dict[str, Any]] = {}
    for number, item in enumerate(found):
        if isinstance(item.get("data"), Mapping):
            yield item
            continue
        key = item.get("id", f"entry {number + 1}")
        task = short.setdefault(key, {"id": key, "data": item, "annotations": []})
        regions = [{**r, "value": r} for value in item.values() for r in items(value)]
        when = {k: item.get(k) for k in ("updated_at", "created_at")}
        task["annotations"].append({"result": regions, **when})
    yield from short.values()


def _add(
    made: AnnotatedImages,
    notes: _Notes,
    task: Mapping[str, Any],
    where: str,
    entry: Entry,
    split: str,
    images: _Images,
) -> None:
    given = items(task, "annotations") or items(task, "completions")
    usable = [a for a in given if not a.get("was_cancelled")]
    if not usable:
        notes.skipped["task-without-annotation"].append(where)
        return
    if len(usable) > 1:
        notes.several.append(where)
    results = items(max(reversed(usable), key=_preference), "result")
    path = images.find(task, entry.folder, where, notes, made)
    if path is None:
        return
    if any(_number(r.get("image_rotation")) for r in results):
        notes.skipped["image-turned"].append(where)
        return
    boxes: list[list[float]] = []
    labels: list[str] = []
    size: tuple[float | None, float | None] = (None, None)
    for region in _regions(results):
        place = f"{where}, region {region.name}"
        size = (_number(region.result.get("original_width")), _number(region.result.get("original_height")))
        box = _box(region.result["value"], size, place, notes)
        names = list(dict.fromkeys(text for label in region.labels if (text := str(label).strip())))
        if box and names:
            boxes += [box] * len(names)  # an object may have several labels
            labels += names
        elif box is None or not names:
            made.damaged.append(place)
    made.add(split, path, boxes, labels, size)


@dataclass
class _Region:
    """A region of an image. name: its id or number. result: one with its geometry. labels: of all its results."""

    name: str
    result: Mapping[str, Any]
    labels: list[Any]


def _regions(results: list[Mapping[str, Any]]) -> Iterator[_Region]:
    """Return each region once.

    There is a result for each tag that describes a region (Rectangle, Labels, TextArea, Choices), and each repeats its
    id and its geometry. JSON-MIN has no ids: there, equal geometry makes a region.
    """
    regions: dict[tuple[str, str], _Region] = {}
    apart: dict[str, list[Any]] = {}
    for number, result in enumerate(results, 1):
        value = result.get("value")
        if not isinstance(value, Mapping):
            continue
        key = "" if result.get("id") is None else str(result["id"])
        lists = [v for k, v in value.items() if k.endswith("labels") and isinstance(v, list)]
        labels = [label for found in lists for label in found]
        if GEOMETRY.keys() & value.keys():
            shape = repr([value.get(k) for k in GEOMETRY])
            regions.setdefault((key, shape), _Region(key or str(number), result, [])).labels += labels
        elif key:  # of a region whose geometry has another result; else a choice, a text or a relation
            apart.setdefault(key, []).extend(labels)
    for region in regions.values():
        region.labels = region.labels or apart.get(region.name, [])
        yield region


def _preference(annotation: Mapping[str, Any]) -> tuple[bool, str]:
    """Return a key by which the annotation that is used is the greatest: ground truth, then its time (ISO 8601)."""
    return bool(annotation.get("ground_truth")), str(annotation.get("updated_at") or annotation.get("created_at") or "")


def _box(
    value: Mapping[str, Any], size: tuple[float | None, float | None], where: str, notes: _Notes
) -> list[float] | None:
    """Return the corners of a region, from 0 to 1; empty: it has no area; None: it is damaged."""
    angle = math.radians(_number(value.get("rotation")) or 0.0)
    x, y, width, height = (_number(value.get(k)) for k in ("x", "y", "width", "height"))
    across, down = _number(value.get("radiusX")), _number(value.get("radiusY"))
    if isinstance(points := value.get("points"), list):
        pairs = [[_number(v) for v in p] for p in points if isinstance(p, list)]
        if len(pairs) < 3 or any(len(p) != 2 or None in p for p in pairs):
            return None
        return [v / 100 for v in hull([(p[0] or 0.0, p[1] or 0.0) for p in pairs])]
    if "x" not in value or not {"height", "radiusX"} & value.keys():
        notes.shapes.append(where)  # a brush or a key point
        return []
    is_ellipse = across is not None and down is not None
    if x is None or y is None or (not is_ellipse and (width is None or height is None)):
        return None
    # Angles are those of pixels: percents of the width and of the height have different lengths.
    aspect = size[0] / size[1] if size[0] and size[1] else None
    if angle and aspect is None:
        return None
    if angle:
        notes.rotated.append(where)
    cos, sin, aspect = math.cos(angle), math.sin(angle), aspect or 1.0
    if across is not None and down is not None:
        half = math.hypot(across * aspect * cos, down * sin) / aspect, math.hypot(across * aspect * sin, down * cos)
        return [v / 100 for v in (x - half[0], y - half[1], x + half[0], y + half[1])]
    ends = [(0.0, 0.0), (width or 0.0, 0.0), (width or 0.0, height or 0.0), (0.0, height or 0.0)]
    turned = [(x + (a * aspect * cos - b * sin) / aspect, y + a * aspect * sin + b * cos) for a, b in ends]
    return [v / 100 for v in hull(turned)]


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


class _Images:
    """Finds the images of tasks among the files: uploads, files of a local storage, and addresses of the web."""

    def __init__(self, tree: Tree, request: Request) -> None:
        self._resolver = Resolver(tree, request.files.suffixes)
        self._upload_names: dict[str, list[str]] = {}
        for entry in tree.with_suffix(request.files.suffixes):
            self._upload_names.setdefault(_upload_name(entry.name), []).append(entry.path)

    def find(
        self, task: Mapping[str, Any], folder: str, where: str, notes: _Notes, made: AnnotatedImages
    ) -> str | None:
        """Return the path of the image of a task, or None and note why it is skipped."""
        data: Any = task.get("data")
        texts = {str(k): v for k, v in data.items() if isinstance(v, str) and v.strip()}
        ordered = [v for _, v in sorted(texts.items(), key=lambda item: "ima" not in item[0].lower())]
        for value in ordered:
            if path := self._find(value, folder):
                if looks_like_url(value):
                    notes.elsewhere.append(f"{value} → {path}")
                return path
        given = next((v for v in ordered if looks_like_url(v) or "/" in v or "." in v), "")
        if looks_like_url(given):
            notes.urls.append(f"{where} ({given})")
        else:
            made.missing.append(f"{where} ({given})" if given else where)
        return None

    def _find(self, value: str, folder: str) -> str | None:
        parts = urlsplit(value.strip()) if looks_like_url(value) or "?" in value else None
        stored = parse_qs(parts.query).get("d", [""])[0] if parts else ""
        path = stored or (unquote(parts.path) if parts else value.strip())
        if found := self._resolver.find_moved(path, folder):
            return found
        name = path.replace("\\", "/").rpartition("/")[2]
        bare = UPLOAD.sub("", name, count=1) if UPLOAD.match(name) else name
        known = self._upload_names.get(_upload_name(bare), [])
        return known[0] if len(known) == 1 else None


def _upload_name(name: str) -> str:
    """Return a file's name as an upload changes it: spaces become _, other special characters are removed."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_")).lower()


def _urls(notes: _Notes, level: Any) -> list[Finding]:
    text = "{n} {is} a web address and no file of that name is there; {it} {was} skipped"
    hint = "Download the images and add them to the data: nothing is downloaded from addresses in annotations."
    return report_examples(level, "image-urls", text, notes.urls, "image", hint)


def _reports(notes: _Notes) -> list[Finding]:
    findings = _urls(notes, "warning") + found_elsewhere(notes.elsewhere)
    for code, text in SKIPPED.items():
        hint = "Annotate them (an empty annotation is an image without objects)."
        hint = hint if code == "task-without-annotation" else "Export the images as they were annotated."
        findings += report_examples("warning", code, text, notes.skipped[code], "image", hint)
    text = "{n} {has} several annotations; the one marked as ground truth is used, else the latest"
    hint = "Mark the right ones as ground truth, or export those alone, to use others."
    findings += report_examples("warning", "several-annotations", text, notes.several, "image", hint)
    text = "{n} {is} rotated; the upright box around {it} is used"
    findings += report_examples("info", "boxes-hull", text, notes.rotated, "region", "Check a few in the preview.")
    text, hint = (
        "{n} {is} a brush stroke or a key point, not a box, and {was} skipped",
        "Draw boxes around the objects.",
    )
    return findings + report_examples("warning", "shapes-without-box", text, notes.shapes, "region", hint)
