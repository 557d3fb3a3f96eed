"""Selection of the few rows whose predictions are shown."""

from __future__ import annotations

from collections import Counter

import numpy as np


def balanced_sample(classes: np.ndarray, count: int, seed: int) -> list[int]:
    """Draw rows so that the classes (rows,) take turns; the same seed gives the same rows."""
    drawn: Counter[int] = Counter()
    ranked = []
    for row in np.random.default_rng(seed).permutation(len(classes)):
        ranked.append((drawn[int(classes[row])], int(row)))
        drawn[int(classes[row])] += 1
    ranked.sort(key=lambda pair: pair[0])
    return [row for _, row in ranked[:count]]
