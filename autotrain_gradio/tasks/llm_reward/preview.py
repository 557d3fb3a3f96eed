"""Preferences: preview of the rendered prompts with both answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.training.text_preview import load_ahead

__all__ = ["load_ahead", "preview"]


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show the rows of a draft; see `preference_preview.preview_pairs`."""
    # Importing the models takes seconds: only when a preview is shown.
    from autotrain_gradio.training.preference_preview import preview_pairs

    return preview_pairs(spec, params, draft, context)
