"""Files that name classes: classes.txt, labelmap.txt, label_colors.txt, class_dict.csv, id2label.json and others."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Any

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.tasks.image_segmentation.mask_classes import MOST_CLASSES
from autotrain_gradio.tasks.image_segmentation.mask_files import pack

NAMES = (
    *("labelmap.txt", "label_colors.txt", "class_dict.csv", "_classes.csv", "id2label.json", "classes.txt"),
    *("class_names.txt", "labels.txt", "classes.csv", "labels.csv", "objectinfo150.txt", "labels.json", "classes.json"),
)
"""Names of such files, lower case, the ones with most information first."""
LARGEST = 2**20
"""Bytes from which a file is something else."""
NUMBERED = re.compile(r"(-?\d+)\s*[:=,;\t ]\s*(\S.*)")
COLOUR_FIRST = re.compile(r"(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*)")
COLOUR_LAST = re.compile(r"(\S.*?)[\s,:;]+(\d+)[\s,]+(\d+)[\s,]+(\d+)\W*")
CVAT = re.compile(r"([^:]+):(\d+),(\d+),(\d+):.*")
VALUE_HEADERS = ("pixel value", "value", "id", "idx", "index", "class_id", "label_id", "number", "class id")
NAME_HEADERS = ("name", "class", "label", "class_name", "category", "class name")
COLOURS = (("r", "g", "b"), ("red", "green", "blue"))
IGNORED_NAME = "__ignore__"
"""First line of labelme's class_names.txt: it has the value -1, so that the others count from 0."""

Table = list[dict[str, Any]]
"""Classes `{"name", "value"?, "colour"? (packed)}`; without values in the order of their numbers."""


def find(tree: Tree, request: Request) -> tuple[Table, str, list[Finding]]:
    """Return the classes that a file names, its path, and findings; empty where there is none.

    Of several files the first one that can be parsed is used.
    """
    findings: list[Finding] = []
    entries = [f for f in tree.files if f.name.lower() in NAMES and f.size <= LARGEST]
    entries.sort(key=lambda f: (NAMES.index(f.name.lower()), f.path.count("/")))
    for entry in entries if tree.only is None else ():
        text, found = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        table = parse(text, entry)
        if not table or len(table) > MOST_CLASSES + 2:
            continue
        findings += found
        listed = join_examples([e["name"] for e in table], limit=8)
        message = f"The names of the classes were read from {entry.path}: {listed}."
        findings.append(Finding("info", "mask-class-names", message, where=entry.path))
        return table, entry.path, findings
    return [], "", findings


def parse(text: str, entry: Entry) -> Table:
    """Return the classes that the content of a file names; empty if it is something else."""
    if entry.suffix == ".json":
        return _json(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if entry.suffix == ".csv" or (lines and "\t" in lines[0] and _columns(lines[0].split("\t"))):
        return _table(lines, "\t" if "\t" in lines[0] else ",") if lines else []
    return _lines([line for line in lines if not line.startswith(("#", "//"))])


def _json(text: str) -> Table:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return []
    data = data.get("id2label", data) if isinstance(data, dict) else data
    if isinstance(data, list):
        return [{"name": str(v)} for v in data] if all(isinstance(v, str) for v in data) else []
    if not isinstance(data, dict):
        return []
    pairs = [(k, v) if str(k).isdecimal() else (v, k) for k, v in data.items()]
    if not all(str(value).isdecimal() and isinstance(name, str) for value, name in pairs):
        return []
    return [{"name": name, "value": int(value)} for value, name in sorted(pairs, key=lambda p: int(p[0]))]


def _columns(header: Iterable[str]) -> tuple[int, int | None, tuple[int, ...] | None] | None:
    """Return the columns of the names, of the values, and of red, green and blue; None: there is none of names."""
    names = [h.strip().strip('"').lower() for h in header]
    name = next((names.index(h) for h in NAME_HEADERS if h in names), None)
    value = next((names.index(h) for h in VALUE_HEADERS if h in names and names.index(h) != name), None)
    colour = next((tuple(names.index(c) for c in found) for found in COLOURS if set(found) <= set(names)), None)
    return None if name is None or (value is None and colour is None and len(names) > 1) else (name, value, colour)


def _table(lines: list[str], delimiter: str) -> Table:
    rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    columns = _columns(rows[0])
    if columns is None:
        return _lines(lines)
    name, value, colour = columns
    made: Table = []
    for row in rows[1:]:
        if len(row) < len(rows[0]):
            return []
        entry: dict[str, Any] = {"name": row[name].strip()}
        try:
            if value is not None:
                entry["value"] = int(row[value])
            if colour is not None:
                entry["colour"] = pack(*(int(row[c]) for c in colour))
        except ValueError:
            return []
        made.append(entry)
    return made


def _lines(lines: list[str]) -> Table:
    for pattern, name, colour in ((CVAT, 1, (2, 3, 4)), (COLOUR_FIRST, 4, (1, 2, 3)), (COLOUR_LAST, 1, (2, 3, 4))):
        found = [pattern.fullmatch(line) for line in lines]
        if lines and all(found):
            return [{"name": m[name].strip(), "colour": pack(*(int(m[c]) & 255 for c in colour))} for m in found if m]
    numbered = [NUMBERED.fullmatch(line) for line in lines]
    if lines and all(numbered):
        return [{"name": m[2].strip(), "value": int(m[1])} for m in numbered if m and int(m[1]) >= 0]
    return [{"name": line} for line in lines if line != IGNORED_NAME]
