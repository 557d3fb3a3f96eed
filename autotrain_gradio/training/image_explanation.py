"""Which parts of images a model depends on: of validation images in the report, and of a new image on request."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import prediction_files, vision
from autotrain_gradio.training.evaluators.gallery_view import REPORT
from autotrain_gradio.training.gradient_maps import gradient_map, overlay
from autotrain_gradio.training.image_prediction import open_input
from autotrain_gradio.training.images import Images, collate

SECONDS = 20.0
"""Time after which a report gets no more maps."""
SIDE = 480
"""Longest side in pixels of the image of a prediction."""
MOST_OUTPUTS = 6
"""Maximum number of outputs whose maps of one image are shown."""
TITLE = "What the model looks at"
HOW = (
    "Gradient maps (HiResCAM): the brighter a part, the more it raises {what}. They show what a prediction depends on, "
    "not whether that is right."
)
NO_MAP = "This model has no layer with positions, so that no gradient map can be computed."


def report_panel(
    run: Reporter, model: Any, images: Images, shown: Sequence[tuple[int, int, str]], *, what: str
) -> list[Panel]:
    """Return the maps of validation images, at most for `SECONDS`; no panel if there are no images.

    shown: row, number of the output, and caption of each. what: which value the bright parts raise, for the note.
    """
    began, items = time.monotonic(), list[dict[str, Any]]()
    for row, output, caption in shown:
        if items and time.monotonic() - began > SECONDS:
            break
        batch = collate([images[row]])["pixel_values"]
        found = gradient_map(model, batch, output)
        if found is None:
            return [panels.gallery(TITLE, [], note=NO_MAP)]
        file = run.directory / REPORT / f"{row}-map-{output}.jpg"
        vision.thumbnail(overlay(images.image(row), found), file)
        items.append({"file": f"{REPORT}/{file.name}", "caption": caption})
    if not items:
        return []
    note = HOW.format(what=what)
    if len(items) < len(shown):
        note += f" After {SECONDS:.0f} s, {pluralize(len(shown) - len(items), 'map')} were not computed."
    return [panels.gallery(TITLE, items, note=note)]


def prediction_panel(
    directory: Path, model: Any, geometry: vision.Geometry, path: str, outputs: Mapping[int, str], *, what: str
) -> Panel:
    """Return the maps of a new image. directory: of the run. outputs: number → caption. what: as in `report_panel`.

    Raises:
        UserError: the image is missing or cannot be read.
    """
    picture, pixels = open_input(model, geometry, path)
    batch = torch.from_numpy(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    folder = prediction_files.new_folder(directory / prediction_files.FOLDER)
    items = []
    for output, caption in list(outputs.items())[:MOST_OUTPUTS]:
        found = gradient_map(model, batch, output)
        if found is None:
            return panels.gallery(TITLE, [], note=NO_MAP)
        file = folder / f"{output}.jpg"
        vision.thumbnail(overlay(picture, found), file, SIDE)
        items.append({"file": file.relative_to(directory).as_posix(), "caption": caption})
    note = HOW.format(what=what) if items else "No label is assigned."
    if len(outputs) > len(items) > 0:
        note += f" The first {len(items)} of {len(outputs)} are shown."
    return panels.gallery(TITLE, items, note=note)
