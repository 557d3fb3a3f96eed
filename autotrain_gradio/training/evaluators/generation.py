"""Evaluation of generated texts: token ids are decoded batch by batch, and metrics computed on the texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics

IGNORED = -100
"""Token id with which a Trainer pads generated ids and labels."""
Decode = Callable[[np.ndarray], list[str]]
"""Generated token ids (batch, tokens), padded with `IGNORED` → texts (batch,)."""


class GeneratedTexts:
    """The generated texts of one evaluation.

    Attributes:
        texts: of each row (rows,).
    """

    def __init__(self, rows: int, decode: Decode) -> None:
        self.texts = [""] * rows
        self._decode = decode

    def update(self, ids: np.ndarray, rows: np.ndarray) -> None:
        """Decode a batch of token ids (batch, tokens)."""
        for row, text in zip(rows.tolist(), self._decode(ids), strict=True):
            self.texts[row] = text


def decode_with(tokenizer: Any) -> Decode:
    """Return the function that decodes with a tokenizer, special tokens skipped."""

    def decode(ids: np.ndarray) -> list[str]:
        filled = np.where(ids == IGNORED, tokenizer.pad_token_id, ids)
        return [text.strip() for text in tokenizer.batch_decode(filled, skip_special_tokens=True)]

    return decode


class GenerationEvaluator:
    """The state of one evaluation of a model that generates texts, for Trainers that evaluate by generating.

    references: the reference texts (rows,). measure: (generated, references) → metrics. shown: rows of the sample
    predictions.
    """

    def __init__(
        self,
        references: Sequence[str],
        decode: Decode,
        measure: Callable[[Sequence[str], Sequence[str]], dict[str, float]],
        shown: Sequence[int] = (),
        noun: str = "texts",
    ) -> None:
        self._generated = GeneratedTexts(len(references), decode)
        self._references, self._measure, self._shown, self._noun = references, measure, shown, noun

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of generated token ids (batch, tokens)."""
        self._generated.update(outputs, rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics of the generated texts."""
        return self._measure(self._generated.texts, self._references)

    def sample_panel(self) -> Panel | None:
        """Show the generated texts of the same few rows."""
        if not self._shown:
            return None
        rows = [[self._generated.texts[row], self._references[row]] for row in self._shown]
        return panels.table(f"Predictions on the same validation {self._noun}", ["generated", "reference"], rows)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        note = f"On {len(self._references):,} validation {self._noun}."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return no other panels."""
        return []
