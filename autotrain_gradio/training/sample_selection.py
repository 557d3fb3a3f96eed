"""Which few rows are shown of many."""

from __future__ import annotations

from collections import Counter

import numpy as np


def spread(targets: np.ndarray, count: int, seed: int) -> list[int]:
    """Choose rows so that the classes (rows,) take turns; the same ones for the same seed."""
    turn: Counter[int] = Counter()
    ranked = []
    for row in np.random.default_rng(seed).permutation(len(targets)):
        ranked.append((turn[int(targets[row])], int(row)))
        turn[int(targets[row])] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [row for _, row in ranked[:count]]
