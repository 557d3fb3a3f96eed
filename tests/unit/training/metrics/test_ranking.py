"""AUC and best threshold of one label, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score

from autotrain_gradio.training.metrics import RankedScores


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("digits", [1, 12], ids=["ties", "distinct"])
def test_auc_and_best_f1_are_those_of_scikit_learn(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.random(40) < (0.05, 0.3, 0.9)[seed % 3]
    targets[0], targets[1] = True, False
    scores = np.round(np.clip(rng.random(40) * 0.7 + 0.3 * targets * rng.random(40), 0, 1), digits)
    ranked = RankedScores.of(scores, targets)
    assert ranked.auc() == pytest.approx(roc_auc_score(targets, scores))
    threshold = ranked.threshold_for_f1()
    precision, recall, _ = precision_recall_curve(targets, scores)
    best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
    assert f1_score(targets, scores >= threshold) == pytest.approx(best)
    # No other threshold with the same F1 is closer to 0.5.
    occurring = np.unique(np.concatenate([[0.0], scores]))
    others = [0.0, *(occurring[1:] + occurring[:-1]) / 2]
    equal = [t for t in others if f1_score(targets, scores >= t) > best - 1e-9]
    assert abs(threshold - 0.5) <= min(abs(t - 0.5) for t in equal) + 1e-12


def test_a_threshold_is_half_way_between_two_scores_and_0_5_where_it_does_not_matter() -> None:
    def best(scores: list[float], targets: list[int]) -> float:
        return RankedScores.of(np.array(scores), np.array(targets)).threshold_for_f1()

    assert best([0.1, 0.2, 0.3, 0.05], [0, 1, 1, 0]) == pytest.approx(0.15)
    assert best([0.9, 0.4, 0.3, 0.1], [1, 0, 0, 0]) == 0.5
    assert best([0.3, 0.3, 0.3], [0, 0, 0]) == 0.5
    assert best([0.2, 0.4], [1, 1]) == pytest.approx(0.1), "all rows have the label"


def test_without_both_kinds_of_rows_there_is_no_auc() -> None:
    for targets in (np.zeros(3), np.ones(3)):
        assert RankedScores.of(np.array([0.1, 0.5, 0.7]), targets).auc() is None
