"""Evaluation of trainings on preferences: metrics, sample answers, and the pairs with the lowest margins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.training.language_evaluation import CHARACTERS, WORST, AnsweredResults, SampleAnswers
from autotrain_gradio.training.preference_trainer import PairValues

BARS = 20
"""Bars of the histogram of the margins."""


class PairResults(AnsweredResults):
    """One evaluation of all validation rows; see `Evaluation(from_metrics=…)`.

    describe: number of a validation row → its prompt, preferred and rejected answer as texts.
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
        super().__init__(values, answers, noun=noun, input_name=input_name)
        self._pairs, self._describe = pairs, describe

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        return f"Over all {len(self._pairs.margins):,} validation {self._noun}."

    def report(self) -> list[Panel]:
        """Return the sample answers, the distribution of the margins, and the pairs with the lowest margins."""
        found = self.answers_panels()
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
