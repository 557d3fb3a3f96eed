"""Cells that are masks: each file is decoded once, and its values counted; `masks_check` finds their classes."""

from __future__ import annotations

import warnings
from pathlib import Path

import datasets
import pyarrow as pa
from PIL import Image

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.media import media_cells
from autotrain_gradio.data.media.media_cache import Scan
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.tasks.image_segmentation.class_panels import pixels_panels
from autotrain_gradio.tasks.image_segmentation.examples import examples_panels
from autotrain_gradio.tasks.image_segmentation.mask_files import MaskFact, look

PROBLEMS = {
    "mask-empty": ("{n} {is} empty (0 bytes)", "Export the masks again."),
    "mask-missing": ("{n} {is} not there", "Add the masks, or correct the names in the table."),
    "mask-unreadable": ("{n} cannot be opened", "Check the permissions of the files."),
    "mask-unknown": ("{n} {is} not an image", "Save the masks as PNG."),
    "mask-corrupt": ("{n} {is} damaged", "Export the masks again."),
    "mask-too-large": ("{n} {is} too large", "At most {limit:,.0f} megapixels are opened."),
    "mask-fractions": ("{n} {has} fractions as pixels", "Save masks as PNG with whole numbers."),
}
"""Reasons why a row is skipped → what happened, and what to do."""
SKIPPED = {
    "mask-empty": "an empty mask",
    "mask-missing": "no mask",
    "mask-unreadable": "a mask that cannot be opened",
    "mask-unknown": "a mask that is not an image",
    "mask-corrupt": "a damaged mask",
    "mask-too-large": "a mask that is too large",
    "mask-fractions": "a mask with fractions as pixels",
}


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Decode every mask that is still used, in a few threads; results of an earlier check are reused."""
    scan = Scan(context.draft / "data" / "mask_scan.parquet", MaskFact, context.stamp)
    limits = context.request.limits
    Image.MAX_IMAGE_PIXELS = None  # `look` checks the limit before decoding; Pillow would print a warning for each
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files = media_cells.open_each(
            cells,
            context,
            scan,
            MaskFact,
            lambda item: _look_at(item, context.root, limits.image_pixels, limits.media_bytes),
            "mask",
        )
    files.remember(scan, files.opened)
    facts = files.facts(MaskFact())
    result = Cells(files.paths, [f.problem for f in facts], media=True, feature=datasets.Image(decode=False))
    result.facts["fact"] = facts
    result.findings = media_cells.skipped_rows(facts, PROBLEMS, "mask", context, limit=limits.image_pixels / 1e6)
    result.findings += _notes(facts, context)
    if context.names:
        result.about["class_table"] = [{"name": name} for name in context.names]
    if isinstance(context.feature, dict) and "class_table" in context.feature:
        result.about["class_table"] = context.feature["class_table"]
    return result


def _look_at(item: media_cells.Item, root: Path, limit: int, most_bytes: int) -> MaskFact:
    source = item.source(root)
    try:
        if isinstance(source, Path) and (size := source.stat().st_size) > most_bytes:
            return MaskFact(problem="mask-too-large", detail=f"the file has {format_bytes(size)}", bytes=size)
        data = source.read_bytes() if isinstance(source, Path) else source
    except OSError as error:
        return MaskFact(problem="mask-unreadable", detail=error.strerror or str(error))
    return look(data, limit)


def _notes(facts: list[MaskFact], context: Context) -> list[Finding]:
    """Report transparent pixels."""
    hit = [i for i, f in enumerate(facts) if f.transparent and not f.problem]
    text = "{n} {has} transparent pixels, which count as black (value 0)"
    return context.findings("info", "mask-transparent", text, hit, "Check the classes below.", noun="mask")


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show a few images with their masks."""
    return examples_panels(rows, role, context)


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot the pixels of each class."""
    return pixels_panels(rows, role)
