"""Pascal VOC: an XML file for each image, with the corners of its boxes in pixels (as LabelImg writes it).

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/. The file is beside the image, or in `Annotations/` beside
`JPEGImages/`.
"""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.file_names import Resolver
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.object_detection.annotated_images import AnnotatedImages

SUFFIXES = (".xml",)
HEAD = 400
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are XML files with the element `annotation`."""
    found = _entries(tree)
    if not found:
        return Rejected("no XML has the element <annotation>")
    return Recognized(0.9, f"{found[0].path} holds Pascal VOC annotations")


def _entries(tree: Tree) -> list[Entry]:
    found = []
    for entry in tree.with_suffix(SUFFIXES):
        with (tree.root / entry.path).open("rb") as file:
            head = file.read(HEAD)
        if b"<annotation" in head:
            found.append(entry)
    return found


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each annotated image.

    Raises:
        DataError: none of the images exists.
    """
    entries = _entries(tree)
    resolver = Resolver(tree, request.files.suffixes)
    stems = {i.stem: i.path for i in tree.with_suffix(request.files.suffixes)}
    splits, findings = split_names.of_entries(entries, tree, request.spec)
    made = AnnotatedImages("xyxy", files=[e.path for e in entries])
    for number, entry in enumerate(entries):
        progress("Reading the annotations", number / len(entries))
        content = tree.read(entry.path)
        try:
            # Entities could grow without limit ("billion laughs"); no annotation tool writes any.
            if b"<!ENTITY" in content:
                raise ElementTree.ParseError("entities are not supported")
            root = ElementTree.fromstring(content)
        except ElementTree.ParseError:
            made.damaged.append(entry.path)
            continue
        name = (root.findtext("filename") or "").strip()
        path = resolver.find(name, entry.folder) or stems.get(entry.stem)
        if path is None:
            made.missing.append(name or entry.path)
            continue
        boxes, labels = [], []
        for place, item in enumerate(root.iter("object"), 1):
            values = [_number(item.findtext(f"bndbox/{corner}")) for corner in CORNERS]
            label = (item.findtext("name") or "").strip()
            if None in values or not label:
                made.damaged.append(f"{entry.path}, object {place}")
                continue
            boxes.append([v for v in values if v is not None])
            labels.append(label)
        size = (_number(root.findtext("size/width")), _number(root.findtext("size/height")))
        made.add(splits[entry.path], path, boxes, labels, size)
    raw = made.tables(request)
    raw.findings += findings
    return raw


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
