"""Selection of the rows of sample predictions."""

from __future__ import annotations

from collections import Counter

import numpy as np


def balanced_sample(classes: np.ndarray, count: int, seed: int) -> list[int]:
    """Draw `count` rows balanced over the classes (rows,), deterministic by seed."""
    drawn: Counter[int] = Counter()
    ranked = []
    for row in np.random.default_rng(seed).permutation(len(classes)):
        ranked.append((drawn[int(classes[row])], int(row)))
        drawn[int(classes[row])] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [row for _, row in ranked[:count]]


def evenly_by_value(values: np.ndarray, count: int) -> np.ndarray:
    """Return at most `count` rows evenly over the sorted values (rows,), so that rare values are included."""
    order = np.argsort(values, kind="stable")
    return order if len(order) <= count else order[np.linspace(0, len(order) - 1, count).astype(int)]
