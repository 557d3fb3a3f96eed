"""Panels of an evaluation: metrics before and after, sample predictions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import in_sentence, pluralize, truncate
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.sentence_transformers.evaluation import (
    ClassEvaluator,
    FormatEvaluator,
    Measured,
    ScoreEvaluator,
    SearchEvaluator,
)
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, SECOND
from autotrain_gradio.training import metrics
from autotrain_gradio.training.sample_selection import balanced_sample

SHOWN, ERRORS = 8, 20
CHARACTERS = 200
RANKS = ((1, 1, "1"), (2, 2, "2"), (3, 3, "3"), (4, 10, "4 to 10"), (11, 100, "11 to 100"), (101, 10**9, "over 100"))
PROBE_NOTE = "Of the base model: by logistic regression on its embeddings of the training pairs."


class Results:
    """The evaluation of one checkpoint, for report and sample predictions. base: that of the base model, if known."""

    def __init__(
        self,
        evaluator: FormatEvaluator,
        measured: Measured,
        base: Measured | None,
        declared: Sequence[Metric],
        classes: Sequence[str],
        seed: int,
    ) -> None:
        self._evaluator, self._measured, self._base = evaluator, measured, base
        self._declared, self._classes, self._seed = declared, classes, seed

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Ignore the batches: the evaluator has encoded all texts."""

    def compute(self) -> dict[str, float]:
        """Return the metrics."""
        return self._measured.metrics

    def sample_panel(self) -> Panel | None:
        """Show what the model says of the same few validation rows."""
        if isinstance(self._evaluator, SearchEvaluator):
            columns = ["query", "", "rank", "found first", "right text"]
            rows = [self._search_row(self._evaluator, i) for i in self._sample(len(self._evaluator.queries))]
            title, texts = "The same validation queries", [row[0] for row in rows]
        elif isinstance(self._evaluator, ScoreEvaluator):
            columns = ["first text", "second text", "similarity", "target"]
            rows = [self._score_row(self._evaluator, i) for i in self._sample(len(self._evaluator.targets))]
            title, texts = "The same validation pairs", [row[0] for row in rows]
        else:
            assert isinstance(self._evaluator, ClassEvaluator)
            columns = ["first text", "second text", "", "predicted", "true", "similarity"]
            chosen = balanced_sample(self._evaluator.targets, SHOWN, self._seed)
            rows = [self._class_row(self._evaluator, i) for i in chosen]
            title, texts = "The same validation pairs", [row[0] for row in rows]
        examples = {FIRST: [text.removesuffix("…") for text in texts]}
        return panels.table(title, columns, rows, id="samples", examples=examples)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        shown = {m.name: values[m.name] for m in declared if m.name in values}
        return panels.numbers("Results", metrics.formatted(shown, declared), note=self._scope())

    def report(self) -> list[Panel]:
        """Return the comparison with the base model, truncated scores, and the errors."""
        found = [self._before_and_after()] if self._base is not None else []
        if self._measured.truncated:
            found.append(self._truncated_panel())
        if isinstance(self._evaluator, SearchEvaluator):
            return [*found, self._rank_panel(), self._search_errors(self._evaluator)]
        if isinstance(self._evaluator, ScoreEvaluator):
            return [*found, *self._score_panels(self._evaluator)]
        assert isinstance(self._evaluator, ClassEvaluator)
        return [*found, *self._class_panels(self._evaluator)]

    def _scope(self) -> str:
        """Return a note about what was evaluated."""
        evaluator = self._evaluator
        if isinstance(evaluator, SearchEvaluator):
            queries, texts = (
                pluralize(len(evaluator.queries), "validation query", "validation queries"),
                len(evaluator.texts),
            )
            note = f"{queries}, each searched among {texts:,} texts of both splits."
            return note if texts == evaluator.total else f"{note} The data has {evaluator.total:,}."
        assert isinstance(evaluator, ScoreEvaluator | ClassEvaluator)
        scope = f"On {pluralize(len(evaluator.targets), 'validation pair')}."
        if isinstance(evaluator, ClassEvaluator):
            scope += " The classifier is saved with the model; the model card shows how it is used."
        return scope

    def _before_and_after(self) -> Panel:
        assert self._base is not None
        rows = []
        for metric in self._declared:
            if metric.name in self._measured.metrics and metric.name in self._base.metrics:
                before, after = self._base.metrics[metric.name], self._measured.metrics[metric.name]
                rows.append([metric.title, round(before, 4), round(after, 4), f"{after - before:+.4f}"])
        note = f"The base model on the same rows. {PROBE_NOTE if isinstance(self._evaluator, ClassEvaluator) else ''}"
        return panels.table(
            "Before and after",
            ["metric", "base model", "fine-tuned", "change"],
            rows,
            id="before-and-after",
            note=note.strip(),
        )

    def _truncated_panel(self) -> Panel:
        before = self._base.truncated if self._base is not None else {}
        title = in_sentence(metrics.title(self._evaluator.score, self._declared))
        rows = [
            [f"{d:,} dimensions", *([round(before[d], 4)] if d in before else []), round(value, 4)]
            for d, value in self._measured.truncated.items()
        ]
        columns = ["embeddings", *(["base model"] if before else []), "fine-tuned"]
        note = f"Embeddings truncated to their first dimensions (Matryoshka), by {title}."
        return panels.table("Truncated embeddings", columns, rows, id="truncated", note=note)

    def _rank_panel(self) -> Panel:
        series = {"fine-tuned": self._measured.ranks}
        if self._base is not None and self._base.ranks is not None:
            series = {"base model": self._base.ranks, **series}
        counts = {
            name: [int(((ranks >= low) & (ranks <= high)).sum()) for low, high, _ in RANKS]
            for name, ranks in series.items()
            if ranks is not None
        }
        used = [i for i in range(len(RANKS)) if any(values[i] for values in counts.values())]
        return panels.table(
            "Rank of the right text",
            ["rank", *counts],
            [[RANKS[i][2], *(values[i] for values in counts.values())] for i in used],
            id="ranks",
            note="Number of validation queries by the place at which their right text is found; 1 is best.",
        )

    def _search_errors(self, evaluator: SearchEvaluator) -> Panel:
        ranks = self._measured.ranks
        assert ranks is not None
        worst = [i for i in np.argsort(-ranks, kind="stable")[:ERRORS].tolist() if ranks[i] > 1]
        missed = int((ranks > 1).sum())
        note = (
            f"{pluralize(missed, 'query', 'queries')} of {len(ranks):,} find another text first. Shown: those whose "
            "right text ranks lowest. What is found first may be right too, if the data does not say so."
            if missed
            else f"All {len(ranks):,} queries find their right text first."
        )
        columns = ["query", "rank", "found first", "right text"]
        rows = [[row[0], *row[2:]] for row in (self._search_row(evaluator, i) for i in worst)]
        return panels.table("Queries with the worst rank", columns, rows, id="worst-queries", note=note)

    def _search_row(self, evaluator: SearchEvaluator, row: int) -> list[Any]:
        found = self._measured
        assert found.ranks is not None and found.first is not None and found.right is not None
        rank, texts = int(found.ranks[row]), evaluator.texts
        first = _short(texts[found.first[row]]) if rank > 1 else "(the right text)"
        return [_short(evaluator.queries[row]), _mark(rank == 1), rank, first, _short(texts[found.right[row]])]

    def _score_row(self, evaluator: ScoreEvaluator, row: int) -> list[Any]:
        assert self._measured.similarities is not None
        texts = [_short(evaluator.rows[row][role]) for role in (FIRST, SECOND)]
        return [*texts, round(float(self._measured.similarities[row]), 3), round(float(evaluator.targets[row]), 3)]

    def _score_panels(self, evaluator: ScoreEvaluator) -> list[Panel]:
        found, targets = self._measured.similarities, evaluator.targets
        assert found is not None
        points = [(float(t), float(s)) for t, s in zip(targets, found, strict=True)]
        plot = panels.scatter(
            "Similarity of the embeddings by target",
            points,
            x="target",
            y="similarity",
            id="similarity-by-target",
            note="The order counts, not the value: a model may use a part of the range only.",
        )
        # Ranks are compared, since only the order is trained.
        differences = np.abs(_ranked(targets) - _ranked(found))
        worst = np.argsort(-differences, kind="stable")[:ERRORS].tolist()
        rows = [[*self._score_row(evaluator, i), f"{differences[i]:.0%}"] for i in worst]
        columns = ["first text", "second text", "similarity", "target", "places off"]
        note = "Places off: difference of the place in the order by similarity and by target, as a share of all pairs."
        return [plot, panels.table("Pairs that are most out of order", columns, rows, id="worst-pairs", note=note)]

    def _class_row(self, evaluator: ClassEvaluator, row: int) -> list[Any]:
        found = self._measured
        assert found.predicted is not None and found.similarities is not None
        predicted, true = self._classes[int(found.predicted[row])], self._classes[int(evaluator.targets[row])]
        texts = [_short(evaluator.rows[row][role]) for role in (FIRST, SECOND)]
        return [*texts, _mark(predicted == true), predicted, true, round(float(found.similarities[row]), 3)]

    def _class_panels(self, evaluator: ClassEvaluator) -> list[Panel]:
        found, targets = self._measured, evaluator.targets
        assert found.predicted is not None and found.similarities is not None
        counts = np.zeros((len(self._classes), len(self._classes)), dtype=np.int64)
        np.add.at(counts, (targets, found.predicted), 1)
        matrix = panels.matrix(
            "Confusion matrix", list(self._classes), counts.tolist(), rows="true", columns="predicted", id="confusion"
        )
        rows = []
        for number, name in enumerate(self._classes):
            here = targets == number
            before = self._base.similarities if self._base is not None else None
            values = ([before] if before is not None else []) + [found.similarities]
            rows.append(
                [name, int(here.sum()), *(round(float(v[here].mean()), 3) if here.any() else None for v in values)]
            )
        base = ["base model"] if self._base is not None and self._base.similarities is not None else []
        similarity = panels.table(
            "Mean similarity of the pairs of each class",
            ["class", "pairs", *base, "fine-tuned"],
            rows,
            id="similarity-by-class",
        )
        wrong = np.flatnonzero(found.predicted != targets)
        shown = [self._class_row(evaluator, i) for i in wrong[:ERRORS].tolist()]
        note = f"{pluralize(len(wrong), 'pair')} of {len(targets):,} are classified wrongly."
        columns = ["first text", "second text", "predicted", "true", "similarity"]
        table = [[*row[:2], *row[3:]] for row in shown]
        return [matrix, similarity, panels.table("Wrong pairs", columns, table, id="wrong-pairs", note=note)]

    def _sample(self, count: int) -> list[int]:
        return sorted(np.random.default_rng(self._seed).permutation(count)[:SHOWN].tolist())


def _ranked(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value as a share from 0 to 1; equal values have the mean of their ranks."""
    from scipy.stats import rankdata

    return np.asarray((rankdata(values) - 1) / max(1, len(values) - 1))


def _short(text: str) -> str:
    return truncate(" ".join(text[: 4 * CHARACTERS].split()), CHARACTERS)


def _mark(right: bool) -> str:
    return "✓" if right else "✗"
