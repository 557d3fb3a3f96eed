"""YOLO: a text file beside each image, or in `labels/` beside `images/`, and names in `data.yaml` or `classes.txt`.

A line is `class cx cy width height` or `class x1 y1 x2 y2 x3 y3 …` (a polygon, whose bounding box is used), relative to
the size of the image. https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages
from autotrain_gradio.tasks.object_detection.boxes import YOLO_FORMAT

LINE = re.compile(r"\s*\d+(\s+-?[\d.]+(e-?\d+)?){4,}\s*$", re.IGNORECASE)
SETTINGS = (".yaml", ".yml")
NAMES = ("classes.txt", "obj.names", "labels.txt")
CHECKED = 20
"""Text files by which the format is recognized."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether texts beside the images have lines of numbers, as YOLO writes them."""
    pairs = _pairs(tree, request)
    if not pairs:
        return Rejected("there are no text files beside the images, or in a folder labels/")
    texts = [tree.root / label.path for label in pairs.values() if label is not None and label.size][:CHECKED]
    lines = [line for path in texts for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    if not lines or sum(LINE.match(line) is not None for line in lines) < 0.5 * len(lines):
        return Rejected("the text files beside the images have no lines of 'class cx cy width height'")
    return Recognized(0.9, f"text files such as {texts[0].name} hold YOLO boxes")


def _pairs(tree: Tree, request: Request) -> dict[Entry, Entry | None]:
    """Return image → its text file; None: it has none, beside others that have. Empty: no image has one."""
    texts = {f.path[: -len(f.suffix)]: f for f in tree.with_suffix((".txt",)) if f.name.lower() not in NAMES}
    found = {}
    for image in tree.with_suffix(request.files.suffixes):
        stem = image.path[: -len(image.suffix)]
        parts = stem.split("/")
        places = [n for n, part in enumerate(parts[:-1]) if part == "images"]
        moved = ["/".join([*parts[:n], "labels", *parts[n + 1 :]]) for n in reversed(places)]
        found[image] = next((texts[name] for name in (*moved, stem) if name in texts), None)
    return found if any(label is not None for label in found.values()) else {}


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each image; those without a text file, or with an empty one, have no boxes.

    Raises:
        DataError: data.yaml is damaged.
    """
    pairs = _pairs(tree, request)
    names, read_from = _names(tree)
    splits, findings = split_names.of_entries(list(pairs), tree, request.spec)
    made = AnnotatedImages(YOLO_FORMAT, files=[*read_from, *(p.path for p in pairs.values() if p is not None)])
    for number, (image, label) in enumerate(pairs.items()):
        progress("Reading the labels", number / len(pairs))
        boxes, labels = [], []
        text = decode(tree.read(label.path), label.path, request.spec.encoding)[0] if label is not None else ""
        for line, content in enumerate(text.splitlines(), 1):
            if not content.strip():
                continue
            box = _box(content)
            if box is None or label is None:
                made.damaged.append(f"{label.path if label else image.path}, line {line}")
                continue
            boxes.append(box[1])
            labels.append(names.get(box[0], str(box[0])))
        made.add(splits[image.path], image.path, boxes, labels, (None, None))
    raw = made.tables(request)
    raw.findings += findings
    return raw


def _box(line: str) -> tuple[int, list[float]] | None:
    """Return class number and centre, width, height of a line; of a polygon its bounding box; None: it is neither."""
    try:
        first, *rest = line.split()
        values = [float(v) for v in rest]
        number = int(first)
    except ValueError:
        return None
    if not all(math.isfinite(v) for v in values):
        return None
    if len(values) in (4, 5):  # the fifth is the score of a prediction
        return number, values[:4]
    if len(values) < 6 or len(values) % 2:
        return None
    left, right, top, bottom = min(values[::2]), max(values[::2]), min(values[1::2]), max(values[1::2])
    return number, [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]


def _names(tree: Tree) -> tuple[dict[int, str], list[str]]:
    """Return class number → name, and the files that were read."""
    for entry in tree.with_suffix(SETTINGS):
        try:
            settings = yaml.safe_load(tree.read(entry.path).decode("utf-8-sig", "replace"))
        except yaml.YAMLError as error:
            raise DataError(f"The file is not YAML: {error}.", "Correct it.", entry.path, "yaml-damaged") from None
        names = settings.get("names") if isinstance(settings, Mapping) else None
        if isinstance(names, list):
            return {n: str(name) for n, name in enumerate(names)}, [entry.path]
        if isinstance(names, Mapping):
            return {int(n): str(name) for n, name in names.items()}, [entry.path]
    for entry in tree.files:
        if entry.name.lower() in NAMES:
            lines = tree.read(entry.path).decode("utf-8-sig", "replace").splitlines()
            return {n: line.strip() for n, line in enumerate(lines) if line.strip()}, [entry.path]
    return {}, []
