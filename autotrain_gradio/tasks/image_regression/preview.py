"""Image regression: preview of the augmented training images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.training.image_preview import augmentation_gallery, load_ahead
from autotrain_gradio.training.number_targets import Targets
from autotrain_gradio.training.sample_selection import evenly_by_value

__all__ = ["load_ahead", "preview"]


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few images over the range of the first target, each unchanged and with the augmentation.

    context: as in `augmentation_gallery`.

    Raises:
        DataError: the data was not checked yet.
    """
    return augmentation_gallery(
        draft,
        spec,
        params,
        context,
        choose=lambda rows, count: evenly_by_value(Targets.of(draft, rows).values(rows)[:, 0], count).tolist(),
        title=lambda rows, row: Targets.of(draft, rows).listed(rows, row),
    )
