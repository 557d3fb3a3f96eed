"""Cells that are polygons or run lengths of an image, as JSON: `{"size": [height, width], "segments": […]}`.

A segment is as `segments.draw` has it, with the name of its class. Class numbers are assigned by `masks_check`.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.tasks.image_segmentation.class_panels import pixels_panels
from autotrain_gradio.tasks.image_segmentation.examples import examples_panels
from autotrain_gradio.tasks.image_segmentation.segments import fill

SKIPPED = {
    "segments-unreadable": "polygons that cannot be parsed",
    "segments-too-large": "an image size in the annotations that is too large",
}


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the segments and draw each once, to ensure that the training can."""
    values: list[Any] = []
    damaged: list[int] = []
    large: list[int] = []
    texts = cells.to_pylist()
    for row, text in enumerate(texts):
        values.append(None)
        if not context.needed[row]:
            continue
        if row % 64 == 0:
            context.progress("Drawing the polygons", row / len(texts))
        cell = _parse(text)
        if cell is None:
            damaged.append(row)
        elif cell["size"][0] * cell["size"][1] > context.request.limits.image_pixels:
            large.append(row)
        else:
            values[row] = cell
            cell["broken"] = _broken(cell)
    problems = {"segments-unreadable": np.array(damaged, np.int64), "segments-too-large": np.array(large, np.int64)}
    result = Cells(values, problems)
    hint = "Export the annotations again."
    result.findings = context.skipped("segments-unreadable", "{n} {has} polygons that cannot be parsed", damaged, hint)
    text = "{n} {has} a larger image in the annotations than is opened"
    result.findings += context.skipped("segments-too-large", text, large, "Correct width and height.")
    broken = [i for i, v in enumerate(values) if v and v["broken"]]
    for value in values:
        if value:
            bad = set(value.pop("broken"))
            value["segments"] = [s for n, s in enumerate(value["segments"]) if n not in bad]
    text = "{n} {has} polygons or run lengths that cannot be drawn; these were skipped"
    hint = "A polygon needs three points; run lengths must fit the image. Export them again."
    result.findings += context.findings("warning", "segments-damaged", text, broken, hint, noun="image")
    if isinstance(context.feature, dict) and "class_table" in context.feature:
        result.about["class_table"] = context.feature["class_table"]
    return result


def _parse(text: Any) -> dict[str, Any] | None:
    try:
        cell = json.loads(text)
        height, width = (int(v) for v in cell["size"])
        made = {"size": [height, width], "segments": list(cell["segments"])}
    except (TypeError, ValueError, KeyError):
        return None
    return made if height > 0 and width > 0 else None


def _broken(cell: dict[str, Any]) -> list[int]:
    """Return the numbers of the segments that cannot be drawn, or have no pixel."""
    found = []
    for number, segment in enumerate(cell["segments"]):
        try:
            pixels = int(fill(segment, *cell["size"]).sum())
        except (ValueError, TypeError, KeyError, IndexError, OverflowError):
            pixels = 0
        if not pixels:
            found.append(number)
    return found


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few images with their polygons."""
    return examples_panels(rows, role, context)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the pixels of each class."""
    return pixels_panels(rows, role)
