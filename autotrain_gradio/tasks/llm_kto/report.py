"""Results of KTO: metrics, sample answers, the rewards, and the answers whose rewards contradict their judgements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.tasks.llm_kto.trainer import JudgedValues
from autotrain_gradio.training.language_evaluation import CHARACTERS, WORST, AnsweredResults, SampleAnswers

BARS = 20
"""Bars of the histogram of the rewards."""


class JudgedResults(AnsweredResults):
    """One evaluation of all validation rows; see `Evaluation(from_metrics=…)`.

    describe: number of a validation row → its prompt and answer as texts.
    """

    def __init__(
        self,
        values: Mapping[str, float],
        judged: JudgedValues,
        answers: SampleAnswers,
        describe: Callable[[int], Sequence[str]],
        *,
        noun: str,
        input_name: str,
    ) -> None:
        super().__init__(values, answers, noun=noun, input_name=input_name)
        self._judged, self._describe = judged, describe

    def results_note(self) -> str:
        """Return on what the metrics were computed."""
        good = int(self._judged.good.sum())
        return f"Over all {len(self._judged.good):,} validation {self._noun}, {good:,} of them with a good answer."

    def report(self) -> list[Panel]:
        """Return the sample answers, the distribution of the rewards, and the rows that contradict them the most."""
        found = self.answers_panels()
        good, rewards = self._judged.good, self._judged.rewards
        edges = np.histogram_bin_edges(rewards, bins=min(BARS, max(1, len(rewards))))
        names = [f"{low:.3g} to {high:.3g}" for low, high in zip(edges, edges[1:], strict=False)]
        series = {
            name: np.histogram(rewards[which], edges)[0].tolist()
            for name, which in (("good answers", good), ("bad answers", ~good))
        }
        note = "How much more likely the model makes an answer than the reference model does, times beta."
        found.append(panels.bars("Rewards", names, series, note=note))
        worst = np.argsort(np.where(good, rewards, -rewards), kind="stable")[:WORST]
        rows = [
            [
                *(truncate(text, CHARACTERS) for text in self._describe(int(i))),
                "good" if good[i] else "bad",
                f"{rewards[i]:.3f}",
            ]
            for i in worst
        ]
        title = f"{self._noun.capitalize()} whose rewards fit their judgements the least"
        return [*found, panels.table(title, ["prompt", "answer", "judgement", "reward"], rows)]
