"""COCO JSON, as Roboflow, CVAT, Label Studio and others export it: images, categories and annotations.

https://cocodataset.org/#format-data. A box is left, top, width, height in pixels.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes, require_json
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages
from autotrain_gradio.tasks.object_detection.object_cells import parse_cell

SUFFIXES = (".json",)
PIECE = 65_536
"""Bytes that are read at a time while a file is recognized."""
KEYS = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[')


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are JSON files with images, categories and annotations."""
    found = _entries(tree)
    if not found:
        return Rejected("no JSON has the lists images, annotations and categories")
    return Recognized(0.95, f"{join_examples([e.path for e in found])} {inflect(len(found), 'holds')} COCO annotations")


def _entries(tree: Tree) -> list[Entry]:
    return [e for e in tree.tables(SUFFIXES) if _is_coco(tree.root / e.path)]


def _is_coco(path: Path) -> bool:
    """Return whether a file has the three lists, wherever they are in it; it is read in pieces."""
    seen: set[bytes] = set()
    try:
        with path.open("rb") as file:
            tail = b""
            while len(seen) < 3 and (piece := file.read(PIECE)):
                seen.update(KEYS.findall(tail + piece))
                tail = piece[-100:]
    except OSError:
        return False  # another layout reports it
    return len(seen) == 3


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each image; those without annotations have no boxes.

    Raises:
        DataError: a file is damaged, too large or not an object, or none of the images exists.
    """
    entries = _entries(tree)
    names, findings = split_names.of_entries(entries, tree, request.spec)
    resolver = Resolver(tree, request.files.suffixes)
    made = AnnotatedImages("xywh", files=[e.path for e in entries])
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        require_bytes(entry.size, entry.path, request.limits.table_bytes)
        text, found = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        findings += found
        require_json(text, entry.path, request.limits)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"The file is not JSON: {error}.", "Export it again.", entry.path, "json-damaged") from None
        if not isinstance(document, Mapping):
            message = f"The file holds {'a list' if isinstance(document, list) else 'a single value'}, not an object."
            hint = 'COCO is one object: {"images": […], "annotations": […], "categories": […]}. Export it again.'
            raise DataError(message, hint, entry.path, "json-not-coco")
        _add(made, document, entry, names[entry.path], resolver)
    raw = made.tables(request)
    raw.findings += findings
    return raw


def _add(made: AnnotatedImages, document: Mapping[str, Any], entry: Entry, split: str, resolver: Resolver) -> None:
    categories = {c.get("id"): str(c.get("name") or c.get("id")) for c in _items(document, "categories")}
    boxes: dict[Any, list[tuple[list[float], str]]] = defaultdict(list)
    for number, item in enumerate(_items(document, "annotations"), 1):
        where = f"{entry.path}, annotation {item.get('id', number)}"
        if item.get("iscrowd"):
            made.crowds.append(where)
            continue
        found = parse_cell([{"bbox": item.get("bbox"), "category": categories.get(item.get("category_id"))}])
        if found is None:
            made.damaged.append(where)
        else:
            boxes[item.get("image_id")].append((found[0][0], found[1][0]))
    for image in _items(document, "images"):
        name = str(image.get("file_name") or "")
        path = resolver.find(name, entry.folder) or resolver.find(name.rpartition("/")[2], entry.folder)
        if path is None:
            made.missing.append(name)
            continue
        found_boxes = boxes.get(image.get("id"), [])
        size = [float(v) if isinstance(v := image.get(k), int | float) else None for k in ("width", "height")]
        made.add(split, path, [b for b, _ in found_boxes], [label for _, label in found_boxes], size)


def _items(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
