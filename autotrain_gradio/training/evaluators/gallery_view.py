"""Validation rows of a classifier as images or audio players with captions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.evaluators.classifier import MISTAKES_TITLE, SamplePrediction, WrongPrediction

SAMPLES, REPORT = "samples", "report"
"""Folders of a run with the files of sample predictions, and of the report."""


class GalleryView:
    """A `RowView` of galleries.

    item: writes the file of a row into a folder of the run, unless it is there, and returns the item without caption.
    noun: name of the rows in the plural.
    """

    def __init__(self, run: Reporter, item: Callable[[int, str], Mapping[str, Any]], noun: str) -> None:
        self._run, self._item, self._noun = run, item, noun

    def samples_panel(self, samples: Sequence[SamplePrediction]) -> Panel:
        """Show the predictions on the same few rows."""
        items = [
            {
                **self._item(s.row, SAMPLES),
                "caption": f"{s.predicted} ({s.true})",
                "tone": "good" if s.right else "bad",
            }
            for s in samples
        ]
        return panels.gallery(f"Predictions on the same validation {self._noun}", items)

    def mistakes_panel(self, mistakes: Sequence[WrongPrediction], note: str, *, multi_label: bool) -> Panel:
        """Show the most confident mistakes; the files of an earlier report are deleted."""
        shutil.rmtree(self._run.directory / REPORT, ignore_errors=True)
        items = [
            {**self._item(m.row, REPORT), "caption": f"{m.name} {m.score:.2f} ({m.truth})", "tone": "bad"}
            for m in mistakes
        ]
        return panels.gallery(MISTAKES_TITLE, items, note=note)
