"""COCO JSON with polygons or run lengths: https://cocodataset.org/#format-data.

The categories of all annotations of an image make its mask; instances are not told apart.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.layouts.table_with_files import path_cells
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes, require_json

IMAGE, SEGMENTS = "image", "polygons"
PIECE = 65_536
"""Bytes that are read at a time while a file is recognized."""
KEYS = re.compile(rb'"(images|annotations|categories)"\s*:\s*\[|"(segmentation)"\s*:')
WANTED = {b"images", b"annotations", b"segmentation"}


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are JSON files with images and annotations that have segmentations."""
    found = _entries(tree)
    if not found:
        return Rejected("no JSON has the lists images and annotations, and segmentations in these")
    paths = join_examples([e.path for e in found])
    return Recognized(0.95, f"{paths} {inflect(len(found), 'holds')} COCO segmentations")


def _entries(tree: Tree) -> list[Entry]:
    return [e for e in tree.tables((".json",)) if _is_coco(tree.root / e.path)]


def _is_coco(path: Path) -> bool:
    """Return whether a file has the lists, wherever they are in it; it is read in pieces."""
    seen: set[bytes] = set()
    try:
        with path.open("rb") as file:
            tail = b""
            while not seen >= WANTED and (piece := file.read(PIECE)):
                seen.update(a or b for a, b in KEYS.findall(tail + piece))
                tail = piece[-100:]
    except OSError:
        return False  # another layout reports it
    return seen >= WANTED


class _Images:
    """Rows by split, and what was skipped."""

    def __init__(self) -> None:
        self.rows: dict[str, list[tuple[str, str]]] = {}
        self.names: list[str] = []
        self.damaged: list[str] = []
        self.missing: list[str] = []
        self.sizeless: list[str] = []


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each image; those without annotations have no segments.

    Raises:
        DataError: a file is damaged, too large or not an object, or none of the images exists.
    """
    entries = _entries(tree)
    splits, findings = split_names.of_entries(entries, tree, request.spec)
    resolver, made = Resolver(tree, request.files.suffixes), _Images()
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
        _add(made, document, entry, splits[entry.path], resolver)
    if not made.rows:
        message = "None of the annotated images exists in the data."
        raise DataError(message, "Add the images to the folder of the annotations.", "data", "no-rows")
    raw = RawTables({}, kinds={IMAGE: request.files.name, SEGMENTS: SEGMENTS}, files_read=[e.path for e in entries])
    for split, rows in made.rows.items():
        paths = [path for path, _ in rows]
        cells = pa.array([cell for _, cell in rows], pa.string())
        raw.splits[split] = pa.table(
            {IMAGE: path_cells(paths), SEGMENTS: cells, LOCATION: pa.array(paths, pa.string())}
        )
    raw.features[SEGMENTS] = {"class_table": [{"name": n} for n in dict.fromkeys(made.names)]}
    raw.findings = findings
    _report(raw, made)
    return raw


def _report(raw: RawTables, made: _Images) -> None:
    text, hint = "{n} {has} no segmentation or category and {was} skipped", "Draw their outlines, or remove them."
    raw.findings += report_examples("warning", "segment-damaged", text, made.damaged, "annotation", hint)
    text, hint = "{n} {is} not there and {was} skipped", "Add the images, or correct their names."
    raw.findings += report_examples("warning", "annotated-image-missing", text, made.missing, "image", hint)
    text, hint = "{n} {has} no width and height in the annotations and {was} skipped", "Export the annotations again."
    raw.findings += report_examples("warning", "annotated-image-sizeless", text, made.sizeless, "image", hint)
    for code, skipped in (("annotated-image-missing", made.missing), ("annotated-image-sizeless", made.sizeless)):
        if skipped:
            raw.skipped[code] += len(skipped)


def _add(made: _Images, document: Mapping[str, Any], entry: Entry, split: str, resolver: Resolver) -> None:
    categories = {c.get("id"): str(c.get("name") or c.get("id")) for c in _items(document, "categories")}
    made.names += categories.values()
    segments: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for number, item in enumerate(_items(document, "annotations"), 1):
        segment = _segment(item, categories)
        if segment is None:
            made.damaged.append(f"{entry.path}, annotation {item.get('id', number)}")
        else:
            segments[item.get("image_id")].append(segment)
    for image in _items(document, "images"):
        name = str(image.get("file_name") or "")
        path = resolver.find(name, entry.folder) or resolver.find(name.rpartition("/")[2], entry.folder)
        size = [image.get("height"), image.get("width")]
        if path is None:
            made.missing.append(name)
        elif not all(isinstance(v, int) and v > 0 for v in size):
            made.sizeless.append(name)
        else:
            cell = json.dumps({"size": size, "segments": segments.get(image.get("id"), [])})
            made.rows.setdefault(split, []).append((path, cell))


def _segment(item: Mapping[str, Any], categories: Mapping[Any, str]) -> dict[str, Any] | None:
    """Return a segment as `segments.draw` has it, with the name of its class; a crowd has a class like others."""
    name, found = categories.get(item.get("category_id")), item.get("segmentation")
    if name is None or not found:
        return None
    if isinstance(found, Mapping):
        return {"class": name, "rle": {"size": found.get("size"), "counts": found.get("counts")}}
    if not isinstance(found, list):
        return None
    polygons = found if isinstance(found[0], list) else [found]
    return {"class": name, "polygons": [p for p in polygons if isinstance(p, list) and len(p) >= 6]}


def _items(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
