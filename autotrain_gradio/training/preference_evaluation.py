"""Evaluation of trainings on preferences: metrics, sample answers, and the pairs with the lowest margins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.language_evaluation import CHARACTERS, WORST, SampleAnswers
from autotrain_gradio.training.preference_trainer import PairValues

BARS = 20
"""Bars of the histogram of the margins."""


class PairResults:
    """One evaluation of all validation rows; see `Evaluation(from_metrics=…)`.

    answers: sample answers; None: the model generates no text. describe: number of a validation row → its prompt,
    preferred and rejected answer as texts. input_name: name of the task's input of prompts.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        pairs: PairValues,
        answers: SampleAnswers | None,
        describe: Callable[[int], Sequence[str]],
        *,
        noun: str,
        input_name: str,
    ) -> None:
        self._values, self._pairs, self._answers = dict(values), pairs, answers
        self._given = list(answers.latest) if answers is not None else []
        self._describe, self._noun, self._input = describe, noun, input_name

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Ignore the batches: the trainer computes the metrics."""

    def compute(self) -> dict[str, float]:
        """Return the metrics."""
        return self._values

    def sample_panel(self) -> Panel | None:
        """Show the answers on the same few rows."""
        if not self._given or self._answers is None:
            return None
        panel = self._answers.panel(self._given, f"Answers on the same validation {self._noun}")
        return {**panel, "examples": {self._input: [p.value for p in self._answers.prompts]}}

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        shown = {metric.name: values[metric.name] for metric in declared if metric.name in values}
        note = f"Over all {len(self._pairs.margins):,} validation {self._noun}."
        return panels.numbers("Results", metrics.formatted(shown, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the sample answers, the distribution of the margins, and the pairs with the lowest margins."""
        found = []
        if self._given and self._answers is not None:
            found.append(self._answers.panel(self._given, "Answers beside those of the base model"))
        margins = self._pairs.margins
        edges = np.histogram_bin_edges(margins, bins=min(BARS, max(1, len(margins))))
        counts = np.histogram(margins, edges)[0]
        names = [f"{low:.3g} to {high:.3g}" for low, high in zip(edges, edges[1:], strict=False)]
        note = "Reward of the preferred answer minus that of the rejected one; below 0 the model ranks them wrongly."
        found.append(panels.bars("Reward margins", names, {self._noun: counts.tolist()}, note=note))
        rows = [
            [*(truncate(text, CHARACTERS) for text in self._describe(int(i))), f"{margins[i]:.3f}"]
            for i in np.argsort(margins, kind="stable")[:WORST]
        ]
        title = f"{self._noun.capitalize()} with the lowest margins"
        return [*found, panels.table(title, ["prompt", "preferred answer", "rejected answer", "margin"], rows)]
