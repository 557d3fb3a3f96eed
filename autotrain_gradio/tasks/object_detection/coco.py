"""COCO JSON, as Roboflow, CVAT, Label Studio and others export it: images, categories and annotations.

https://cocodataset.org/#format-data. A box is left, top, width, height in pixels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages
from autotrain_gradio.tasks.object_detection.annotation_json import COCO, entries_of, items, read_document
from autotrain_gradio.tasks.object_detection.object_cells import parse_cell


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are JSON files with images, categories and annotations."""
    found = entries_of(tree, COCO)
    if not found:
        return Rejected("no JSON has the lists images, annotations and categories")
    return Recognized(0.95, f"{join_examples([e.path for e in found])} {inflect(len(found), 'holds')} COCO annotations")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each image; those without annotations have no boxes.

    Raises:
        DataError: a file is damaged, too large or not an object, or none of the images exists.
    """
    entries = entries_of(tree, COCO)
    names, findings = split_names.of_entries(entries, tree, request.spec)
    resolver = Resolver(tree, request.files.suffixes)
    made = AnnotatedImages("xywh", files=[e.path for e in entries])
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        document, found = read_document(tree, entry, request)
        findings += found
        if not isinstance(document, Mapping):
            message = f"The file holds {'a list' if isinstance(document, list) else 'a single value'}, not an object."
            hint = 'COCO is one object: {"images": […], "annotations": […], "categories": […]}. Export it again.'
            raise DataError(message, hint, entry.path, "json-not-coco")
        _add(made, document, entry, names[entry.path], resolver)
    raw = made.tables(request)
    raw.findings += findings
    return raw


def _add(made: AnnotatedImages, document: Mapping[str, Any], entry: Entry, split: str, resolver: Resolver) -> None:
    categories = {c.get("id"): str(c.get("name") or c.get("id")) for c in items(document, "categories")}
    boxes: dict[Any, list[tuple[list[float], str]]] = defaultdict(list)
    for number, item in enumerate(items(document, "annotations"), 1):
        where = f"{entry.path}, annotation {item.get('id', number)}"
        if item.get("iscrowd"):
            made.crowds.append(where)
            continue
        found = parse_cell([{"bbox": item.get("bbox"), "category": categories.get(item.get("category_id"))}])
        if found is None:
            made.damaged.append(where)
        else:
            boxes[item.get("image_id")].append((found[0][0], found[1][0]))
    for image in items(document, "images"):
        name = str(image.get("file_name") or "")
        path = resolver.find(name, entry.folder) or resolver.find(name.rpartition("/")[2], entry.folder)
        if path is None:
            made.missing.append(name)
            continue
        found_boxes = boxes.get(image.get("id"), [])
        size = [float(v) if isinstance(v := image.get(k), int | float) else None for k in ("width", "height")]
        made.add(split, path, [b for b, _ in found_boxes], [label for _, label in found_boxes], size)
