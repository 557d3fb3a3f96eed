"""nDCG@10 of reranked candidates; trivial is a random order of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import ndcg_score

from autotrain_gradio.tasks.text_reranking import TASK
from autotrain_gradio.tasks.text_reranking.pairs import validation_candidates

MARGIN = 0.15


def measure_run(rows: Any, answers_of: Callable[[Sequence[Mapping[str, str]]], list[list[float]]]) -> float:
    """Score the candidates of each query anew."""
    candidates = validation_candidates(rows, TASK.params().candidates)  # type: ignore[attr-defined]
    scores = answers_of([{"query": c.query, "passage": "\n".join(c.passages)} for c in candidates])
    found = [
        float(ndcg_score([one.right.astype(float)], [values], k=10)) if one.right.any() else 0.0
        for one, values in zip(candidates, scores, strict=True)
    ]
    return float(np.mean(found))


def trivial(check: Mapping[str, Any]) -> float:
    """Return the mean over all places of the right one of the five candidates of the sample."""
    return float((1 / np.log2(np.arange(2, 7))).mean())
