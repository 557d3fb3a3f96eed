"""Image classification: preview of the augmented training images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.training.class_labels import Labels, groups
from autotrain_gradio.training.image_preview import augmentation_gallery, load_ahead
from autotrain_gradio.training.sample_selection import balanced_sample

__all__ = ["load_ahead", "preview"]


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few images of different classes, each unchanged and with the augmentation of the first epochs.

    context: as in `augmentation_gallery`.

    Raises:
        DataError: the data was not checked yet.
    """
    return augmentation_gallery(
        draft,
        spec,
        params,
        context,
        choose=lambda rows, count: balanced_sample(groups(Labels.of(rows, "images").targets(rows)), count, params.seed),
        title=lambda rows, row: Labels.of(rows, "images").of_row(rows, row),
    )
