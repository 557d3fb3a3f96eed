"""Permutation importance: the decrease of the score when a column is shuffled.

Source: Breiman, Random Forests, 2001; as `sklearn.inspection.permutation_importance`, with a time limit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from autotrain_gradio.training.tabular import prepare
from autotrain_gradio.training.tabular.model import Target
from autotrain_gradio.training.tabular.saving import SavedModel
from autotrain_gradio.training.tabular.scoring import Score

ROWS = 1000
REPEATS = 5
SECONDS = 20.0


@dataclass(frozen=True)
class Importance:
    """columns: name → mean decrease of the score, the largest first. skipped: columns not evaluated in time."""

    columns: dict[str, float]
    rows: int
    repeats: int
    skipped: int


def importance(
    model: SavedModel,
    frame: pd.DataFrame,
    targets: Sequence[Target],
    score: Score,
    *,
    seed: int,
    stop: Callable[[], bool],
    seconds: float = SECONDS,
) -> Importance:
    """Measure on at most 1,000 rows, five times for each column, or as far as the time reaches."""
    draw = np.random.default_rng(seed)
    if len(frame) > ROWS:
        rows = np.sort(draw.choice(len(frame), ROWS, replace=False))
        frame, targets = frame.iloc[rows], [t.take(rows) for t in targets]
    frame = frame.reset_index(drop=True)

    def score_of(changed: pd.DataFrame) -> float:
        return score(model.fitted.predict(prepare.transform(model.transformer, changed)), targets)

    whole, end = score_of(frame), time.monotonic() + seconds
    lost: dict[str, list[float]] = {name: [] for name in frame.columns}
    for _ in range(REPEATS):
        for name in frame.columns:
            if time.monotonic() > end or stop():
                break
            order = draw.permutation(len(frame))
            changed = frame.copy(deep=False)
            changed[name] = frame[name].to_numpy()[order]
            lost[name].append(whole - score_of(changed))
        if time.monotonic() > end or stop():
            break
    means = {str(n): float(np.mean(v)) for n, v in lost.items() if v}
    ordered = dict(sorted(means.items(), key=lambda item: -item[1]))
    repeats = min((len(v) for v in lost.values() if v), default=0)
    return Importance(ordered, len(frame), repeats, len(frame.columns) - len(means))
