"""Fit masks to their images, and decide which values, colours or categories are which classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import datasets
import numpy as np

from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.tasks.image_segmentation.class_decision import ROTATE, decide
from autotrain_gradio.tasks.image_segmentation.class_panels import COUNTS
from autotrain_gradio.tasks.image_segmentation.mask_classes import IGNORE, MOST_CLASSES, Classes, Totals
from autotrain_gradio.tasks.image_segmentation.mask_files import MaskFact, counts_of
from autotrain_gradio.tasks.image_segmentation.mask_reader import MASK, SEGMENTS, MaskReader
from autotrain_gradio.tasks.image_segmentation.segments import BACKGROUND, draw

IMAGE, UNLABELLED = "image", "unlabelled"
SAME_SHAPE = 0.02
"""Difference of the proportions up to which a mask of another size is resized."""
SKIPPED = {"mask-size": "a mask with other proportions than its image"}


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Decide about the classes, count their pixels, and drop rows whose mask does not fit the image."""
    if MASK in rows.cells:
        yield from _masks(rows, request)
    else:
        yield from _segments(rows, request)


def _masks(rows: Rows, request: Request) -> Iterator[Finding]:
    cells = rows.cells[MASK]
    facts: list[MaskFact] = cells.facts["fact"]
    yield from _sizes(rows, {i: (facts[i].height or 0, facts[i].width or 0) for i in rows.indices().tolist()}, request)
    used = rows.indices().tolist()
    if not used:
        return
    declared = [dict(e) for e in cells.about.get("class_table") or []]
    where = f"column {cells.about.get('name') or MASK}"
    decision = decide(Totals.of({i: facts[i] for i in used}), declared, request.spec.options, where)
    yield from decision.findings
    classes = decision.classes
    if classes is None:
        return
    cells.settings = classes.to_dict()
    cells.about["classes"] = classes.names
    reader, counts = MaskReader(cells.settings), [[0] * len(classes.names)] * len(rows)
    ignored = []
    for row in used:
        counts[row] = _counts(facts[row], classes, reader)
        if not sum(counts[row]):
            ignored.append(row)
    cells.facts[COUNTS] = counts
    yield from _without_pixels(rows, ignored)


def _counts(fact: MaskFact, classes: Classes, reader: MaskReader) -> list[int]:
    """Return the pixels of each class in a mask."""
    found = counts_of(fact.values)
    values = np.array(list(found), dtype=np.int64)
    palette = {int(v): int(c) for v, c in json.loads(fact.palette or "{}").items()}
    numbers = reader.classify(values, palette)
    kept = numbers != IGNORE
    amounts = np.array(list(found.values()), dtype=np.int64)
    made = np.bincount(numbers[kept], amounts[kept], len(classes.names))
    return [int(v) for v in made]


def _without_pixels(rows: Rows, ignored: list[int]) -> Iterator[Finding]:
    text, hint = "{n} {has} only ignored pixels", "Nothing can be learned from them: annotate or remove them."
    yield from rows.findings("warning", "mask-only-ignored", text, ignored, hint, noun="mask")


def _sizes(
    rows: Rows, sizes: dict[int, tuple[int, int]], request: Request, *, turnable: bool = True
) -> Iterator[Finding]:
    """Compare masks with their images.

    sizes: row → height and width of the mask. turnable: the option to rotate masks has an effect on them.
    """
    facts = rows.cells[IMAGE].facts
    turned, resized, wrong, unclear = [], [], [], []
    for row, (height, width) in sizes.items():
        wanted = int(facts["height"][row]), int(facts["width"][row])
        rotated = "rotated" in facts["flags"][row]
        if (height, width) == wanted:
            if rotated:
                unclear.append(row)
        elif rotated and (width, height) == wanted:
            turned.append(row)
        elif abs(height * wanted[1] / (width * wanted[0]) - 1) <= SAME_SHAPE:
            resized.append(row)
        else:
            wrong.append(row)

    def detail(row: int) -> str:
        height, width = sizes[row]
        return f" ({width} × {height}, image {facts['width'][row]} × {facts['height'][row]})"

    rows.drop(wrong, "mask-size")
    text, hint = "{n} {has} other proportions than {its} image and {was} skipped", "Export the masks again."
    yield from rows.findings("warning", "mask-size", text, wrong, hint, detail, noun="mask")
    text = "{n} {has} another size than {its} image and {is} resized to it (nearest pixel)"
    hint = "Outlines can be off by a pixel: export the masks in the size of the images if you can."
    yield from rows.findings("warning", "mask-resized", text, resized, hint, detail, noun="mask")
    text = "{n} {has} the size of {its} image before the EXIF rotation, and {is} rotated with it"
    hint = "Check them in the preview. Save the images without EXIF rotation to be sure."
    yield from rows.findings("warning", "mask-rotated", text, turned, hint, noun="mask")
    if request.spec.options.get(ROTATE) is not None:
        return
    text = "{n} {is} rotated by EXIF, and {its} mask could have been drawn before or after that; it is used as it is"
    hint = "Check the mask in the preview."
    fix = Fix("Rotate the masks too", {"options": {ROTATE: "true"}}, "Right if masks and images do not match.")
    for finding in rows.findings("warning", "mask-rotation-unclear", text, unclear, hint, noun="image"):
        alternatives = (fix,) if turnable else ()
        yield Finding(finding.level, finding.code, finding.message, hint, finding.where, alternatives=alternatives)


def _segments(rows: Rows, request: Request) -> Iterator[Finding]:
    """Number the categories, draw the segments and count their pixels."""
    cells = rows.cells[SEGMENTS]
    used = rows.indices().tolist()
    yield from _sizes(rows, {i: tuple(cells.values[i]["size"]) for i in used}, request, turnable=False)
    used = rows.indices().tolist()
    unlabelled = request.spec.options.get(UNLABELLED) or BACKGROUND
    if unlabelled not in (BACKGROUND, "ignore"):
        message = f"'{unlabelled}' is not a value of {UNLABELLED}."
        raise DataError(message, "Write background or ignore.", f"data.options.{UNLABELLED}", "invalid-setting")
    found = {s["class"] for i in used for s in cells.values[i]["segments"] if s["class"] is not None}
    order = [n for n in _declared_names(rows) if n in found] + sorted(found)
    names = list(dict.fromkeys(order))
    if not names and used:
        yield Finding("error", "no-segments", "No image has a polygon.", "Annotate the images.", "data")
        return
    empty = IGNORE
    if unlabelled == BACKGROUND:
        names = [BACKGROUND, *(n for n in names if n != BACKGROUND)]
        empty = 0
    if len(names) > MOST_CLASSES or len(names) < 2:
        message = (
            f"The annotations have {pluralize(len(names), 'class', 'classes')}; 2 to {MOST_CLASSES} are supported."
        )
        yield Finding(
            "error", "segments-classes", message, "Annotate other classes, or set unlabelled: background.", "data"
        )
        return
    number = {name: n for n, name in enumerate(names)}
    counts: list[list[int]] = [[0] * len(names)] * len(rows)
    values: list[Any] = [None] * len(rows)
    without = []
    for row in used:
        cell = cells.values[row]
        segments = [{**s, "class": None if s["class"] is None else number[s["class"]]} for s in cell["segments"]]
        mask = draw(segments, tuple(cell["size"]), empty, IGNORE)
        counts[row] = np.bincount(mask[mask != IGNORE], minlength=len(names)).tolist()
        values[row] = json.dumps({"size": cell["size"], "segments": segments})
        if not segments:
            without.append(row)
    cells.values, cells.feature = values, datasets.Value("string")
    cells.facts[COUNTS] = counts
    cells.settings = {"names": names, "empty": empty}
    cells.about["classes"] = names
    yield from _unlabelled(rows, counts, used, empty, names)
    text, hint = "{n} {has} no polygon", "They teach the background."
    if empty == IGNORE:
        hint = "Nothing can be learned from them: annotate or remove them."
    yield from rows.findings("info", "images-without-segments", text, without, hint, noun="image")


def _declared_names(rows: Rows) -> list[str]:
    return [str(e["name"]) for e in rows.cells[SEGMENTS].about.get("class_table") or []]


def _unlabelled(
    rows: Rows, counts: list[list[int]], used: list[int], empty: int, names: list[str]
) -> Iterator[Finding]:
    where = f"data.options.{UNLABELLED}"
    if empty == IGNORE:
        message = "Pixels in no polygon are ignored: they are neither learned nor evaluated."
        yield Finding("info", "segments-unlabelled", message, "", where)
        return
    total = sum(sum(counts[i]) for i in used) or 1
    share = 100 * sum(counts[i][0] for i in used) / total
    message = f"Pixels in no polygon ({share:.2g} % of all) are the class '{BACKGROUND}'."
    fix = Fix(
        "Ignore them instead", {"options": {UNLABELLED: "ignore"}}, "Right if parts of the images are not annotated."
    )
    alternatives = (fix,) if len(names) > 2 else ()
    yield Finding("info", "segments-unlabelled", message, "", where, alternatives=alternatives)
