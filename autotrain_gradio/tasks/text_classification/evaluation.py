"""Text classification: validation texts with their predictions, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import one_line
from autotrain_gradio.training.evaluators.classifier import MISTAKES_TITLE, SamplePrediction, WrongPrediction

CHARACTERS = 240
"""Maximum number of displayed characters of a text."""


class TextView:
    """A `RowView` of tables. texts: the validation texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def samples_panel(self, samples: Sequence[SamplePrediction]) -> Panel:
        """Show the predictions on the same few texts, which are examples for trying the model."""
        rows = [[self._shortened(s.row), "✓" if s.right else "✗", s.predicted, s.true] for s in samples]
        return panels.table(
            "Predictions on the same validation texts",
            ["text", "", "predicted", "true"],
            rows,
            id="samples",
            examples={"text": [row[0].removesuffix("…") for row in rows]},
        )

    def mistakes_panel(self, mistakes: Sequence[WrongPrediction], note: str, *, multi_label: bool) -> Panel:
        """Show the most confident mistakes."""
        head = ["text", "label", "score", ""] if multi_label else ["text", "predicted", "score", "true"]
        rows = [[self._shortened(m.row), m.name, round(m.score, 4), m.truth] for m in mistakes]
        return panels.table(MISTAKES_TITLE, head, rows, note=note)

    def _shortened(self, row: int) -> str:
        return one_line(self._texts[row], CHARACTERS)
