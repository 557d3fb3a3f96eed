"""Text reranking: metrics against the order of the retriever, sample queries and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import pluralize, truncate
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.text_reranking import TASK
from autotrain_gradio.tasks.text_reranking.formats import PASSAGE, QUERY
from autotrain_gradio.tasks.text_reranking.pairs import Candidates
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluator import Evaluation

SHOWN, ERRORS = 8, 20
CHARACTERS = 200
TOP = 10
DISCOUNTS = 1 / np.log2(np.arange(2, TOP + 2))


def reduce_scores(outputs: Any, labels: torch.Tensor) -> torch.Tensor:
    """Return the logit of each pair (batch,)."""
    logits = outputs[0] if isinstance(outputs, tuple | list) else outputs
    return logits[:, 0].float()


def evaluation(run: Reporter, candidates: Sequence[Candidates], order: np.ndarray | None) -> Evaluation:
    """Return the evaluation on the candidates of the validation queries. order: of the tokenized pairs."""
    if not candidates:
        return Evaluation(run, 0, "queries", declared=TASK.metrics)
    return Evaluation(
        run,
        sum(len(c.passages) for c in candidates),
        "pairs",
        make=lambda: RerankingEvaluator(candidates, run.params.seed),
        reduce=reduce_scores,
        order=order,
        declared=TASK.metrics,
    )


def ranking_metrics(candidates: Sequence[Candidates], orders: Sequence[np.ndarray]) -> dict[str, float]:
    """Return nDCG@10, MRR@10 and accuracy@1. orders: for each query, the numbers of its candidates, the best first.

    A query none of whose candidates is right counts 0.
    """
    gains, reciprocal, first = [], [], []
    for one, order in zip(candidates, orders, strict=True):
        right = one.right[order][:TOP]
        best = DISCOUNTS[: min(TOP, int(one.right.sum()))].sum()
        gains.append(float((DISCOUNTS[: len(right)] * right).sum() / best) if best else 0.0)
        places = np.flatnonzero(right)
        reciprocal.append(1 / (1 + int(places[0])) if len(places) else 0.0)
        first.append(bool(right[0]))
    return {
        "reranked_ndcg_at_10": float(np.mean(gains)),
        "reranked_mrr_at_10": float(np.mean(reciprocal)),
        "reranked_accuracy_at_1": float(np.mean(first)),
    }


class RerankingEvaluator:
    """The state of one evaluation: the score of each candidate."""

    def __init__(self, candidates: Sequence[Candidates], seed: int) -> None:
        self._candidates, self._seed = candidates, seed
        self._starts = np.cumsum([0, *(len(c.passages) for c in candidates)])
        self._scores = np.zeros(int(self._starts[-1]), dtype=np.float32)

    def update(self, outputs: Any, targets: Any, rows: np.ndarray) -> None:
        """Add a batch of outputs of `reduce_scores`."""
        self._scores[rows] = outputs

    def orders(self) -> list[np.ndarray]:
        """Return for each query the numbers of its candidates, the best first; ties in the order of the retriever."""
        parts = np.split(self._scores, self._starts[1:-1])
        return [np.argsort(-part, kind="stable") for part in parts]

    def compute(self) -> dict[str, float]:
        """Return the metrics of the reranked candidates."""
        return ranking_metrics(self._candidates, self.orders())

    def sample_panel(self) -> Panel:
        """Show the first passage of the same few queries."""
        shown = sorted(np.random.default_rng(self._seed).permutation(len(self._candidates))[:SHOWN].tolist())
        orders = self.orders()
        rows = [self._row(number, orders[number]) for number in shown]
        examples = {
            QUERY: [self._candidates[number].query for number in shown],
            PASSAGE: ["\n".join(" ".join(p.split()) for p in self._candidates[n].passages[:TOP]) for n in shown],
        }
        columns = ["query", "", "rank before", "rank", "first passage"]
        return panels.table("The same validation queries", columns, rows, id="samples", examples=examples)

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        queries = pluralize(len(self._candidates), "validation query", "validation queries")
        lost = sum(not c.right.any() for c in self._candidates)
        sizes = [len(c.passages) for c in self._candidates]
        note = f"{queries} with {int(np.mean(sizes)):,} candidates each."
        if lost:
            note += f" Of {lost:,} no right passage was found by the retriever: they count 0, whatever the order."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return the comparison with the retriever, and the queries with the worst rank."""
        orders, kept = self.orders(), [np.arange(len(c.passages)) for c in self._candidates]
        before, after = ranking_metrics(self._candidates, kept), ranking_metrics(self._candidates, orders)
        rows = [
            [metrics.title(n, TASK.metrics), round(before[n], 4), round(v, 4), f"{v - before[n]:+.4f}"]
            for n, v in after.items()
        ]
        compared = panels.table(
            "Before and after",
            ["metric", "retriever", "reranked", "change"],
            rows,
            id="before-and-after",
            note="The same candidates in the order of the retriever (BM25) and of the model.",
        )
        ranks = np.array([_rank(one, order) for one, order in zip(self._candidates, orders, strict=True)])
        worst = [i for i in np.argsort(-ranks, kind="stable").tolist() if 1 < ranks[i] < np.inf][:ERRORS]
        missed = int(((ranks > 1) & (ranks < np.inf)).sum())
        note = f"{pluralize(missed, 'query', 'queries')} with another passage in the first place."
        columns = ["query", "rank before", "rank", "first passage", "right passage"]
        table = [[*self._row(i, orders[i])[:1], *self._row(i, orders[i])[2:], self._right(i, orders[i])] for i in worst]
        return [compared, panels.table("Queries with the worst rank", columns, table, id="worst-queries", note=note)]

    def before(self) -> dict[str, float]:
        """Return the metrics of the retriever's order."""
        return ranking_metrics(self._candidates, [np.arange(len(c.passages)) for c in self._candidates])

    def _row(self, number: int, order: np.ndarray) -> list[Any]:
        one = self._candidates[number]
        before, after = _rank(one, np.arange(len(order))), _rank(one, order)
        ranks = [int(r) if np.isfinite(r) else "–" for r in (before, after)]
        return [_short(one.query), "✓" if after == 1 else "✗", *ranks, _short(one.passages[order[0]])]

    def _right(self, number: int, order: np.ndarray) -> str:
        one = self._candidates[number]
        return _short(one.passages[order[int(_rank(one, order)) - 1]])


def _rank(one: Candidates, order: np.ndarray) -> float:
    """Return the rank of the first right passage, from 1; infinity if there is none."""
    places = np.flatnonzero(one.right[order])
    return float(places[0] + 1) if len(places) else float("inf")


def _short(text: str) -> str:
    return truncate(" ".join(text[: 4 * CHARACTERS].split()), CHARACTERS)
