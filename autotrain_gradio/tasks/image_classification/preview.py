"""Image classification: preview of the augmented training images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
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
        choose=lambda rows, count: balanced_sample(np.asarray(rows["target"]), count, params.seed),
        title=lambda rows, row: str(rows.features["target"].names[int(rows[row]["target"])]),
    )
