"""LabelMe: a JSON file for each image, with shapes in pixels, which may hold the image itself.

https://github.com/wkentaro/labelme. Of polygons, circles, rotated rectangles and masks the axis-aligned hull is used.
Shapes with the same label and `group_id` are parts of one object.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.arrow_files import MEDIA
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import IMAGE, AnnotatedImages
from autotrain_gradio.tasks.object_detection.annotation_json import LABELME, entries_of, items, read_document
from autotrain_gradio.tasks.object_detection.boxes import hull

LEAST_POINTS = {"rectangle": 2, "circle": 2, "mask": 2, "polygon": 3, "oriented_rectangle": 3, "rotation": 3}
"""Shapes with an area → the number of points that they need at least."""
BATCH = 64
"""Images that are in memory at once while they are copied."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are JSON files with shapes and the path of an image."""
    found = entries_of(tree, LABELME)
    if not found:
        return Rejected("no JSON has shapes and an imagePath")
    return Recognized(0.9, f"{found[0].path} holds LabelMe annotations")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each annotated image; without shapes it has no boxes.

    If an image exists inside its JSON file only, all images are copied into an Arrow file of the draft.

    Raises:
        DataError: none of the images exists, or together they exceed the limit of the data.
    """
    entries = entries_of(tree, LABELME)
    splits, findings = split_names.of_entries(entries, tree, request.spec, by_name=False)
    resolver = Resolver(tree, request.files.suffixes)
    made = AnnotatedImages("xyxy", files=[e.path for e in entries])
    inside: set[str] = set()
    shapes: list[str] = []
    for number, entry in enumerate(entries):
        progress("Reading the annotations", number / len(entries))
        try:
            document, found = read_document(tree, entry, request)
        except DataError:
            made.damaged.append(entry.path)
            continue
        findings += found
        name = str(document.get("imagePath") or "").replace("\\", "/").strip()
        path = _image(name, entry, resolver)
        if path is None and not document.get("imageData"):
            made.missing.append(f"{name} ({entry.path})" if name else entry.path)
            continue
        if path is None:
            path = entry.path
            inside.add(path)
        boxes, labels = _objects(document, entry, made, shapes)
        size = [_number(document.get(key)) for key in ("imageWidth", "imageHeight")]
        made.add(splits[entry.path], path, boxes, labels, size)
    raw = made.tables(request, _arrow(made, inside, tree, draft, request, progress) if inside else None)
    text, hint = "{n} {is} a point or a line without an area and {was} skipped", "Draw boxes around the objects."
    raw.findings += findings + report_examples("warning", "shapes-without-box", text, shapes, "shape", hint)
    return raw


def _image(name: str, entry: Entry, resolver: Resolver) -> str | None:
    """Return the path of the image that a file annotates: the one it names, else the one of its own name beside it."""
    last = name.rpartition("/")[2]
    candidates = (name, last, f"{entry.folder}/{entry.stem}" if entry.folder else entry.stem)
    return next((found for c in candidates if c and (found := resolver.find(c, entry.folder))), None)


def _objects(
    document: Mapping[str, Any], entry: Entry, made: AnnotatedImages, skipped: list[str]
) -> tuple[list[list[float]], list[str]]:
    """Return the corners of the objects, and their classes. skipped: gets the locations of shapes without an area."""
    found: dict[Any, tuple[list[float], str]] = {}
    for number, shape in enumerate(items(document, "shapes"), 1):
        where = f"{entry.path}, shape {number}"
        kind, label = str(shape.get("shape_type") or "polygon"), str(shape.get("label") or "").strip()
        if kind not in LEAST_POINTS:
            skipped.append(f"{where} ({kind})")
            continue
        box = _corners(kind, shape.get("points"))
        if box is None or not label:
            made.damaged.append(where)
            continue
        group = shape.get("group_id")
        key = (label, str(group)) if group is not None else number
        if key in found:
            other = found[key][0]
            box = hull([box[:2], box[2:], other[:2], other[2:]])
        found[key] = box, label
    return [box for box, _ in found.values()], [label for _, label in found.values()]


def _corners(kind: str, given: Any) -> list[float] | None:
    """Return the hull of a shape, in pixels; None: its points are damaged."""
    points = [[_number(v) for v in p] for p in given if isinstance(p, list)] if isinstance(given, list) else []
    pairs = [(p[0], p[1]) for p in points if len(p) == 2 and p[0] is not None and p[1] is not None]
    if len(pairs) != len(points) or len(pairs) < LEAST_POINTS[kind]:
        return None
    if kind == "circle":  # its centre, and a point of the circle
        (x, y), end = pairs[0], pairs[1]
        radius = math.dist((x, y), end)
        return [x - radius, y - radius, x + radius, y + radius]
    return hull(pairs)


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


def _arrow(
    made: AnnotatedImages, inside: set[str], tree: Tree, draft: Path, request: Request, progress: Progress
) -> Path:
    """Write the images of all rows into an Arrow file of the draft. inside: paths that are JSON files with an image."""
    target = draft / "data" / "arrow" / "labelme.arrow"
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, schema = target.with_suffix(".partial"), pa.schema([(IMAGE, MEDIA)])
    paths = made.paths()
    written = 0
    with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for start in range(0, len(paths), BATCH):
            progress("Copying the images of the annotations", start / len(paths))
            cells = [
                {"bytes": content, "path": None} for content in _contents(paths[start : start + BATCH], inside, tree)
            ]
            batch = pa.record_batch([pa.array(cells, MEDIA)], schema=schema)
            written += batch.nbytes
            if written > request.limits.archive_bytes:
                limit = f"the limit is {format_bytes(request.limits.archive_bytes)}"
                message = f"The images inside the annotations have more than {format_bytes(written)}; {limit}."
                raise DataError(message, "Save the images beside the annotations.", "data", "table-too-large")
            writer.write_batch(batch)
    partial.replace(target)
    return target


def _contents(paths: list[str], inside: set[str], tree: Tree) -> Iterator[bytes]:
    """Return the bytes of images; empty: what a JSON file holds is not base64."""
    for path in paths:
        content = tree.read(path)
        if path in inside:
            try:
                content = base64.b64decode(json.loads(content)["imageData"], validate=False)
            except (binascii.Error, ValueError, TypeError):
                content = b""
        yield content
