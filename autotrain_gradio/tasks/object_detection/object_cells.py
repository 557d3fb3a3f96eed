"""The kind `objects`: in each cell the boxes of an image and their classes; `boxes_check` fits them to the image.

A cell is `{"bbox": [[4 numbers]], "category": [class]}` as the library `datasets` documents it, a list of
`{"bbox": [4 numbers], "category": class}`, or either as JSON. A layout that knows the convention of its boxes adds
`format` (one of `boxes.FORMATS`), and the `width` and `height` that the annotations say the image has.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.pipeline.features import class_names, from_dict
from autotrain_gradio.data.rows import Cells, Context, Rows

BOXES = ("bbox", "bboxes", "boxes", "box")
CATEGORIES = ("category", "categories", "label", "labels", "class", "classes", "category_id", "name")
SHOWN_CLASSES = 40
NO_OBJECTS = (None, "", "null")


def parse_cell(cell: Any) -> tuple[list[list[float]], list[Any], Mapping[str, Any]] | None:
    """Return the boxes of a cell as written, their classes, and its other entries; None: it is neither form."""
    if isinstance(cell, str):
        try:
            cell = json.loads(cell)
        except ValueError:
            return None
    more: Mapping[str, Any] = {}
    if isinstance(cell, Sequence) and not isinstance(cell, str):
        if not all(isinstance(item, Mapping) for item in cell):
            return None
        boxes, labels = [_entry(i, BOXES) for i in cell], [_entry(i, CATEGORIES) for i in cell]
    elif isinstance(cell, Mapping):
        boxes, labels, more = _entry(cell, BOXES), _entry(cell, CATEGORIES), cell
    else:
        return None
    if not isinstance(boxes, Sequence) or not isinstance(labels, Sequence) or len(boxes) != len(labels):
        return None
    numbers = [_numbers(box) for box in boxes]
    if any(box is None for box in numbers) or not all(_is_class(label) for label in labels):
        return None
    return [box for box in numbers if box is not None], list(labels), more


def _is_class(label: Any) -> bool:
    """Whether this is the name of a class or a whole number: 1.7 is neither."""
    return label is not None and label != "" and not (isinstance(label, float) and not label.is_integer())


def _entry(cell: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((cell[n] for n in names if cell.get(n) is not None), None)


def _numbers(box: Any) -> list[float] | None:
    if not isinstance(box, Sequence) or len(box) != 4:
        return None
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in box):
        return None
    return [float(v) for v in box]


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Parse the boxes and the names of their classes; rows that cannot be parsed are skipped and reported."""
    names = _declared_names(context)
    values: list[Any] = []
    problems: dict[str, list[int]] = {"objects-unreadable": [], "category-unknown": []}
    unnamed = set[int]()
    for row, cell in enumerate(cells.to_pylist()):
        values.append(None)
        if not context.needed[row]:
            continue
        found = ([], [], {}) if cell in NO_OBJECTS else parse_cell(cell)
        if found is None:
            problems["objects-unreadable"].append(row)
            continue
        boxes, labels, more = found
        numbers = {int(v) for v in labels if isinstance(v, int | float) and not isinstance(v, bool)}
        if names and any(not 0 <= n < len(names) for n in numbers):
            problems["category-unknown"].append(row)
            continue
        unnamed |= set() if names else numbers
        texts = [_name(label, names) for label in labels]
        values[row] = {"boxes": boxes, "labels": texts, **{k: more.get(k) for k in ("format", "width", "height")}}
    result = Cells(values, {code: np.array(rows, dtype=np.int64) for code, rows in problems.items()})
    hint = 'Write {"bbox": [[x, y, width, height]], "category": ["cat"]}; a class is a name or a whole number.'
    result.findings = context.skipped(
        "objects-unreadable", "{n} {has} boxes that cannot be parsed", problems["objects-unreadable"], hint
    )
    text = f"{{n}} {{has}} a class number outside 0 to {len(names) - 1}"
    hint = f"Correct the numbers; the classes are {join_examples(names)}."
    result.findings += context.skipped("category-unknown", text, problems["category-unknown"], hint)
    if unnamed:
        hint = "Write names in 'category', so that predictions show them. The numbers are used as names."
        subject, where = f"The classes in the column '{context.column}'", f"column {context.column}"
        result.findings.append(without_names(unnamed, subject, hint, where))
    return result


def without_names(numbers: set[int], subject: str, hint: str, where: str) -> Finding:
    """Return a warning that classes are numbers. subject: what has them: "The classes in the column 'objects'"."""
    found = sorted(numbers)
    low, high = found[0], found[-1]
    gaps = (str(n) for a, b in pairwise(found) for n in range(a + 1, b))  # a wrong number can leave billions of them
    absent = high - low + 1 - len(found)
    starts = f" They start at {low}." if low else ""
    holes = f" {join_examples(list(islice(gaps, 5)), absent)} do not occur." if absent else ""
    message = f"{subject} are numbers ({low} to {high}), and the data does not name them."
    return Finding("warning", "categories-without-names", message + starts + holes, hint, where)


def _declared_names(context: Context) -> list[str]:
    """Return the names of class numbers that the data declares; empty: it declares none."""
    if not context.feature:
        return []
    return next(iter(class_names(from_dict(context.feature)).values()), [])


def _name(label: Any, names: Sequence[str]) -> str:
    if isinstance(label, int | float) and not isinstance(label, bool):
        number = int(label)
        return names[number] if names else str(number)
    return str(label).strip()


def counts_of(rows: Rows, role: str, split: str) -> Counter[int]:
    """Return class number → number of objects in the rows of a split."""
    values = rows.cells[role].values
    return Counter(number for i in rows.indices(split).tolist() for number in values[i]["category"])


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the objects of each class, training and validation stacked."""
    cells = rows.cells[role]
    if cells.feature is None:
        return []  # no row is left, so boxes and images were not combined
    names = cells.feature["category"].feature.names
    found = {split: counts_of(rows, role, split) for split in ("train", "validation")}
    counts = {split: np.array([c[n] for n in range(len(names))]) for split, c in found.items()}
    return [charts.largest("Objects of each class", names, counts, SHOWN_CLASSES, unit="objects", noun="classes")]
