"""Rows of images and their boxes, as the layouts of annotation tools collect them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.files.arrow_files import open_table
from autotrain_gradio.data.layouts.table_with_files import path_cells
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, ROW, RawTables

IMAGE, OBJECTS = "image", "objects"
CELL = pa.struct(
    [
        ("bbox", pa.list_(pa.list_(pa.float64()))),
        ("category", pa.list_(pa.string())),
        ("format", pa.string()),
        ("width", pa.float64()),
        ("height", pa.float64()),
    ]
)
"""A cell of boxes with their format (see `boxes.FORMATS`) and the size that the annotations give."""


@dataclass
class AnnotatedImages:
    """Images with boxes by split, and what was skipped.

    format: of all boxes. damaged: locations of annotations that cannot be used. missing: images that do not exist.
    """

    format: str
    rows: dict[str, list[tuple[str, list[list[float]], list[str], float | None, float | None]]] = field(
        default_factory=dict
    )
    damaged: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    crowds: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def add(
        self, split: str, path: str, boxes: list[list[float]], labels: list[str], size: Sequence[float | None]
    ) -> None:
        """Add an image. path: relative to the root. size: width and height as the annotations give them."""
        self.rows.setdefault(split, []).append((path, boxes, labels, size[0], size[1]))

    def paths(self) -> list[str]:
        """Return the paths of all rows, in the order of the tables."""
        return [row[0] for rows in self.rows.values() for row in rows]

    def tables(self, request: Request, arrow: Path | None = None) -> RawTables:
        """Return the raw tables.

        arrow: a file with the images of all rows, in their order; None: the paths are those of the images.

        Raises:
            DataError: there is no image.
        """
        if not self.rows:
            message = "None of the annotated images exists in the data."
            raise DataError(message, "Add the images to the folder of the annotations.", "data", "no-rows")
        raw = RawTables({}, kinds={IMAGE: request.files.name, OBJECTS: "objects"}, files_read=self.files)
        media = None
        if arrow is not None:
            raw.arrow = [arrow]
            media = open_table(arrow).column(IMAGE)
        start = 0
        for split, rows in self.rows.items():
            cells: list[Any] = [
                {"bbox": boxes, "category": labels, "format": self.format, "width": width, "height": height}
                for _, boxes, labels, width, height in rows
            ]
            paths = [row[0] for row in rows]
            images = path_cells(paths) if media is None else media.slice(start, len(rows))
            columns = {IMAGE: images, OBJECTS: pa.array(cells, CELL), LOCATION: pa.array(paths, pa.string())}
            if media is not None:
                columns[ROW] = pa.array(range(start, start + len(rows)), pa.int64())
            start += len(rows)
            raw.splits[split] = pa.table(columns)
        text, hint = "{n} {is} damaged and {was} skipped", "Correct it, or export the annotations again."
        raw.findings += report_examples("warning", "object-damaged", text, self.damaged, "annotation", hint)
        text, hint = "{n} {is} not there and {was} skipped", "Add the images, or correct their names."
        raw.findings += report_examples("warning", "annotated-image-missing", text, self.missing, "image", hint)
        text, hint = "{n} {marks} a crowd (iscrowd) and {was} skipped", "Annotate single objects to train on them."
        raw.findings += report_examples("info", "crowds", text, self.crowds, "annotation", hint)
        if self.missing:
            raw.skipped["annotated-image-missing"] += len(self.missing)
        return raw
