"""nDCG@10 of a search among the texts of all rows; trivial is a random order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

MARGIN = 0.3
DISCOUNTS = 1 / np.log2(np.arange(2, 12))


def measure_run(rows: Mapping[str, Any], answers_of: Callable[[Sequence[str]], list[list[float]]]) -> float:
    """Search each validation query among the positives; rows of equal queries are right answers together."""
    queries = list(dict.fromkeys(rows["validation"]["sentence1"]))
    texts = list(dict.fromkeys(t for name in ("validation", "train") for t in rows[name]["sentence2"]))
    right: dict[str, set[str]] = {}
    for part in rows.values():
        for query, text in zip(part["sentence1"], part["sentence2"], strict=True):
            right.setdefault(query, set()).add(text)
    asked, known = (unit(np.array(answers_of(values))) for values in (queries, texts))
    gains = []
    for query, scores in zip(queries, asked @ known.T, strict=True):
        found = [texts[i] in right[query] for i in np.argsort(-scores, kind="stable")[:10]]
        best = DISCOUNTS[: len(right[query])].sum()
        gains.append(float((DISCOUNTS[: len(found)] * found).sum() / best))
    return float(np.mean(gains))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def trivial(check: Mapping[str, Any]) -> float:
    return float(DISCOUNTS.sum() / max(10, check["splits"]["validation"]))
