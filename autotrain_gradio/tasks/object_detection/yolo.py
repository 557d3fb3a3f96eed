"""YOLO: a text file beside each image, or in `labels/` beside `images/`, and names in `data.yaml` or `classes.txt`.

A line is `class cx cy width height` or `class x1 y1 x2 y2 x3 y3 …` (a polygon, whose bounding box is used), relative to
the size of the image. https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.text_format import count_with_verb, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages
from autotrain_gradio.tasks.object_detection.boxes import YOLO_FORMAT
from autotrain_gradio.tasks.object_detection.object_cells import without_names

LINE = re.compile(r"\s*\d+(\s+-?[\d.]+(e-?\d+)?){4,}\s*$", re.IGNORECASE)
SETTINGS = (".yaml", ".yml")
SETTINGS_STEMS = ("data", "dataset")
"""Usual names of the settings: these are read first, and refused when they are damaged."""
SETTINGS_KEYS = frozenset({"train", "val", "nc"})
"""By these keys a YAML of another name is recognized as the settings of a data set."""
NAMES_FORM = "Write names: [cat, dog], or names: {0: cat, 1: dog}."
NAMES = ("classes.txt", "obj.names", "labels.txt")
UNKNOWN = "category-unknown"
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

    An image with a class that the names do not have is skipped: without that box, the object would be background.

    Raises:
        DataError: data.yaml is damaged or its names have another form, or every image has a class without a name.
    """
    pairs = _pairs(tree, request)
    names, read_from = _names(tree)
    splits, findings = split_names.of_entries(list(pairs), tree, request.spec)
    made = AnnotatedImages(YOLO_FORMAT, files=[*read_from, *(p.path for p in pairs.values() if p is not None)])
    unknown, skipped, unnamed = list[str](), 0, set[int]()
    for number, (image, label) in enumerate(pairs.items()):
        progress("Reading the labels", number / len(pairs))
        boxes, labels, before = [], [], len(unknown)
        text = decode(tree.read(label.path), label.path, request.spec.encoding)[0] if label is not None else ""
        for line, content in enumerate(text.splitlines(), 1):
            if not content.strip():
                continue
            box = _box(content)
            if box is None or label is None:
                made.damaged.append(f"{label.path if label else image.path}, line {line}")
                continue
            if names and box[0] not in names:
                unknown.append(f"{label.path}, line {line} (class {box[0]})")
                continue
            unnamed |= set() if names else {box[0]}
            boxes.append(box[1])
            labels.append(names.get(box[0], str(box[0])))
        if len(unknown) > before:
            skipped += 1
        else:
            made.add(splits[image.path], image.path, boxes, labels, (None, None))
    findings += _unknown_classes(unknown, skipped, names, "".join(read_from))
    if skipped and not made.rows:
        raise DataError.from_findings([replace(f, level="error") for f in findings if f.code == UNKNOWN])
    raw = made.tables(request)
    raw.findings += findings
    if skipped:
        raw.skipped[UNKNOWN] += skipped
    if unnamed:
        hint = f"Add data.yaml, so that predictions show names: {NAMES_FORM} The numbers are used as names."
        raw.findings.append(without_names(unnamed, "The classes", hint, "data.yaml"))
    return raw


def _unknown_classes(lines: list[str], images: int, names: Mapping[int, str], file: str) -> list[Finding]:
    """Report lines with a class that has no name. lines: their locations; images: that were skipped for them."""
    shown = join_examples([f"{n}: {name}" for n, name in sorted(names.items())])
    text = (
        f"{{n}} {{has}} a class number that {file} does not name, and {count_with_verb(images, 'image', 'was')} skipped"
    )
    hint = f"Correct the numbers, or add the names to {file}; it has {shown}."
    return report_examples("warning", UNKNOWN, text, lines, "line", hint, file)


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
    """Return class number → name, and the file that was read; empty: there are no names.

    Raises:
        DataError: the settings are damaged, or their names have another form.
    """
    for entry in sorted(tree.with_suffix(SETTINGS), key=lambda e: e.stem.lower() not in SETTINGS_STEMS):
        usual = entry.stem.lower() in SETTINGS_STEMS
        try:
            settings = yaml.safe_load(tree.read(entry.path).decode("utf-8-sig", "replace"))
        except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: such as a date that does not exist
            if usual:
                message = f"The file is not YAML: {error}."
                raise DataError(message, "Correct it.", entry.path, "yaml-damaged") from None
            continue  # YAML of another program, which may have tags of its own
        given = settings.get("names") if isinstance(settings, Mapping) else None
        if not given:
            continue
        names = _numbered(given)
        if names:
            return names, [entry.path]
        if usual or SETTINGS_KEYS & settings.keys():
            message = "The names of the classes are neither a list nor numbers with names."
            raise DataError(message, NAMES_FORM, entry.path, "names-invalid")
    for entry in tree.files:
        if entry.name.lower() in NAMES:
            lines = tree.read(entry.path).decode("utf-8-sig", "replace").splitlines()
            return {n: line.strip() for n, line in enumerate(lines) if line.strip()}, [entry.path]
    return {}, []


def _numbered(names: Any) -> dict[int, str] | None:
    """Return class number → name of the entry `names`, a list or a mapping; None: it has another form."""
    if isinstance(names, list):
        return {n: str(name) for n, name in enumerate(names)}
    if not isinstance(names, Mapping) or not all(type(n) is int or str(n).isdecimal() for n in names):
        return None
    return {int(n): str(name) for n, name in names.items()}
