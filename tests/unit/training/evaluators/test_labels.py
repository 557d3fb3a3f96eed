"""The evaluator of sets of labels: the metrics of scikit-learn on the whole scores; many labels; tuned thresholds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, hamming_loss, precision_recall_fscore_support, roc_auc_score

from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators.labels import (
    MAX_SCORES,
    LabelCounts,
    LabelPredictions,
    Thresholds,
    reduce_logits,
)

Given = tuple[np.ndarray, np.ndarray]


def made(rows: int, labels: int, share: float = 0.2, seed: int = 0, signal: float = 1.5) -> Given:
    """Return logits float32 (rows, labels) and targets 0 and 1, which the logits know something of."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((rows, labels)) < share).astype(np.float32)
    return (rng.normal(size=targets.shape) - 2 + signal * targets).astype(np.float32), targets


def evaluated(given: Given, batch: int = 7, **settings: object) -> LabelPredictions:
    """Feed logits in batches, as the Trainer does."""
    logits, targets = given
    groups = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    chosen: dict = {"threshold": 0.5, "tune": False, "seed": 1, **settings}
    found = LabelPredictions(groups, [str(i) for i in range(logits.shape[1])], "texts", **chosen)
    for start in range(0, len(logits), batch):
        rows = np.arange(start, min(start + batch, len(logits)))
        reduced = reduce_logits(torch.tensor(logits[rows]), torch.tensor(targets[rows]))
        found.update(tuple(part.numpy() for part in reduced), targets[rows], rows)
    return found


def compare(values: dict[str, float], given: Given, threshold: float) -> None:
    """Compare metrics with scikit-learn's on the whole table."""
    scores, targets = metrics.sigmoid(given[0]), given[1].astype(int)
    assigned = (scores >= threshold).astype(int)
    assert values["accuracy"] == pytest.approx(accuracy_score(targets, assigned))
    assert values["hamming_loss"] == pytest.approx(hamming_loss(targets, assigned))
    for average in metrics.AVERAGES:
        expected = precision_recall_fscore_support(targets, assigned, average=average, zero_division=0)
        assert [values[f"{n}_{average}"] for n in ("precision", "recall", "f1")] == pytest.approx(expected[:3])


@pytest.mark.parametrize("labels", [2, 5, MAX_SCORES])
def test_few_labels_are_exact(labels: int) -> None:
    given = made(120, labels, seed=labels)
    values = evaluated(given, threshold=0.3).metrics()
    compare(values, given, 0.3)
    areas = [roc_auc_score(given[1][:, k], given[0][:, k]) for k in range(labels)]
    assert values["auc"] == pytest.approx(np.mean(areas))
    # The same as the metrics of tables of several labels.
    whole = metrics.multi_label(metrics.sigmoid(given[0]), given[1], 0.3)
    assert values == pytest.approx(whole)


def test_many_labels_have_exact_decisions_and_an_approximate_auc() -> None:
    given = made(300, 200, share=0.02, signal=4)
    found = evaluated(given, threshold=0.5)
    values = found.metrics()
    compare(values, given, 0.5)
    areas = [roc_auc_score(given[1][:, k], given[0][:, k]) for k in range(200) if given[1][:, k].sum() > 0]
    assert values["auc"] == pytest.approx(np.mean(areas), abs=0.02)
    assert found.scores._logits.nbytes + found.scores._true.nbytes == 300 * MAX_SCORES * 5, "not rows × labels"
    for row in (0, 7, 299):
        assert found.scores.true_labels(row) == np.flatnonzero(given[1][row]).tolist()
        best = int(given[0][row].argmax())
        assert found.scores.row(row)[best] == pytest.approx(metrics.sigmoid(given[0])[row, best])


def test_a_single_label_and_an_unused_label_are_supported() -> None:
    logits = np.array([[2.0], [1.0], [-2.0], [0.5]], np.float32)
    values = evaluated((logits, np.array([[1], [1], [0], [0]], np.float32))).metrics()
    assert values["accuracy"] == 0.75 and values["auc"] == 1.0 and values["f1_macro"] == pytest.approx(0.8)
    panel = evaluated((logits, np.zeros((4, 1), np.float32))).labels_panel("")
    assert panel["rows"] == [["0", 0.5, None, None, None, None, 0]]


def test_metrics_use_thresholds_tuned_on_other_rows() -> None:
    logits, targets = made(400, 4, signal=0)  # the scores say nothing of the labels
    found = evaluated((logits, targets), tune=True)
    crossed, scores = found.cross_fitted(), metrics.sigmoid(logits)
    halves = [crossed.part == n for n in (0, 1)]
    for half, other in (halves, halves[::-1]):
        assert half.sum() == 200
        assert abs(targets[half].mean(axis=0) - targets.mean(axis=0)).max() < 0.01, "halves alike"
        tuned = [metrics.threshold_for_f1(scores[other, k], targets[other, k]) for k in range(4)]
        assert crossed.values[crossed.part[half][0]] == pytest.approx(tuned)
    final = Thresholds.same(found.thresholds(), 400)
    assert found.metrics()["f1_macro"] < LabelCounts.of(found.scores, final).metrics()["f1_macro"]
    # Of a label that only one half has, the other half has no threshold of its own to go by.
    alone = evaluated((np.array([[-1.4], [-2.2]], np.float32), np.array([[1], [0]], np.float32)), tune=True)
    half = alone.cross_fitted()
    assert half.values[half.part[0], 0] == 0.5


def test_the_most_confident_mistakes_come_first() -> None:
    logits = np.array([[3.0, -3.0], [-1.0, 2.0], [0.5, -4.0]], np.float32)
    targets = np.array([[0, 0], [1, 1], [1, 1]], np.float32)
    found, note = evaluated((logits, targets)).mistakes(2)
    assert [one[:2] + one[3:] for one in found] == [(2, 1, False), (0, 0, True)]
    assert note == "3 labels of 3 of 3 validation texts are wrong."
