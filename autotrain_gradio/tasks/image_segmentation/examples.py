"""A few checked images with their masks, for the page of the check."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.rows import Context, Rows
from autotrain_gradio.tasks.image_segmentation.mask_reader import MASK, MaskReader
from autotrain_gradio.tasks.image_segmentation.masks_panel import masks_panel
from autotrain_gradio.tasks.image_segmentation.overlays import item_of
from autotrain_gradio.training.image_files import open_image

IMAGE, FOLDER = "image", "check"
SHOWN = 8
SIDE = 320


def examples_panels(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Return a panel of some images with their masks, the same ones each time; written to `check/`.

    Nothing before the classes are known, and where the images are inside Arrow files: the preview shows these.
    """
    cells, images = rows.cells[role], rows.cells[IMAGE]
    if not cells.settings:
        return []
    reader, white = MaskReader(cells.settings), images.about.get("white_level")
    items = []
    for row in charts.choose(role, rows.indices(), SHOWN):
        path = images.values[row]
        if path is None:
            return []
        given: dict[str, Any] = {IMAGE: {"path": str(context.root / path), "bytes": None}, role: cells.values[row]}
        if role == MASK:
            given[role] = {"path": None, "bytes": context.open(row)}
        size = int(images.facts["height"][row]), int(images.facts["width"][row])
        photo = open_image(given[IMAGE], shorter_side=SIDE, white=white)
        masks = [(path.rpartition("/")[2], reader.read(given, size))]
        items.append(
            item_of(context.draft / FOLDER, context.draft, f"mask-{row}", photo, masks, reader.names, side=SIDE)
        )
    return [masks_panel("Masks", items, reader.names)]
