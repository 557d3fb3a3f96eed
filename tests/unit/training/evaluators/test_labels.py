"""The evaluation of multi-label classifiers equals scikit-learn on the whole matrix, for any number of labels."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    hamming_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators import score_store
from autotrain_gradio.training.evaluators.labels import MISTAKES, LabelPredictions, reduce_logits

Given = tuple[np.ndarray, np.ndarray]


def made(rows: int, labels: int, share: float = 0.2, seed: int = 0, signal: float = 1.5) -> Given:
    """Return logits float32 (rows, labels) and targets 0 and 1; the logits of true labels are higher by `signal`."""
    rng = np.random.default_rng(seed)
    targets = (rng.random((rows, labels)) < share).astype(np.float32)
    return (rng.normal(size=targets.shape) - 2 + signal * targets).astype(np.float32), targets


def evaluated(given: Given, batch: int = 7, **settings: object) -> LabelPredictions:
    """Feed logits in batches, in an order other than that of the rows, as the Trainer does."""
    logits, targets = given
    groups = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
    chosen: dict = {"threshold": 0.5, "tune": False, "seed": 1, **settings}
    found = LabelPredictions(groups, [str(i) for i in range(logits.shape[1])], "texts", **chosen)
    order = np.random.default_rng(9).permutation(len(logits))
    for start in range(0, len(logits), batch):
        rows = order[start : start + batch]
        found.update(
            reduce_logits(torch.tensor(logits[rows]), torch.tensor(targets[rows])).numpy(), targets[rows], rows
        )
    return found


def compare(values: dict[str, float], given: Given, thresholds: np.ndarray | float) -> None:
    """Compare metrics with scikit-learn's on the whole matrix."""
    scores, targets = metrics.sigmoid(given[0]), given[1].astype(int)
    assigned = (scores >= thresholds).astype(int)
    assert values["accuracy"] == pytest.approx(accuracy_score(targets, assigned))
    assert values["hamming_loss"] == pytest.approx(hamming_loss(targets, assigned))
    for average in metrics.AVERAGES:
        expected = precision_recall_fscore_support(targets, assigned, average=average, zero_division=0)
        assert [values[f"{n}_{average}"] for n in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    areas = [roc_auc_score(t, s) for t, s in zip(targets.T, scores.T, strict=True) if 0 < t.sum() < len(t)]
    assert values["auc"] == pytest.approx(np.mean(areas), abs=1e-9)
    precisions = [average_precision_score(t, s) for t, s in zip(targets.T, scores.T, strict=True) if t.sum()]
    assert values["map"] == pytest.approx(np.mean(precisions), abs=1e-9)


@pytest.fixture(params=[None, 500], ids=["memory", "file"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test with all scores in memory, and with most of them in a file."""
    if request.param:
        default = score_store.ScoreStore.__init__.__defaults__
        monkeypatch.setattr(score_store.ScoreStore.__init__, "__defaults__", (*default[:-1], request.param))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("labels", "share", "signal"),
    [(2, 0.2, 1.5), (5, 0.2, 1.5), (100, 0.05, 0), (200, 0.02, 4), (60, 0.8, 1.5)],
    ids=["two", "five", "no-signal", "strong", "most-labels-true"],
)
@pytest.mark.parametrize("threshold", [0.5, 0.1])
def test_the_metrics_are_those_of_scikit_learn(labels: int, share: float, signal: float, threshold: float) -> None:
    given = made(120, labels, share, seed=labels, signal=signal)
    values = evaluated(given, threshold=threshold).metrics()
    compare(values, given, threshold)
    assert values == pytest.approx(metrics.multi_label(metrics.sigmoid(given[0]), given[1], threshold))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("labels", "share", "signal"), [(4, 0.2, 0), (100, 0.05, 0.5), (50, 0.8, 1)])
def test_tuned_thresholds_are_cross_fitted(labels: int, share: float, signal: float) -> None:
    logits, targets = made(400, labels, share, signal=signal)
    found = evaluated((logits, targets), tune=True)
    half, scores = found._half, metrics.sigmoid(logits)

    def tuned(rows: np.ndarray) -> list[float]:
        return [metrics.RankedScores.of(scores[rows, k], targets[rows, k]).threshold_for_f1() for k in range(labels)]

    assert half.sum() == 200
    thresholds = np.array([tuned(half == 1), tuned(half == 0)])
    compare(found.metrics(), (logits, targets), thresholds[half])
    final = tuned(half >= 0)
    assert found.thresholds() == pytest.approx(final)
    panel = found.labels_panel("Note.")
    plain = metrics.multi_label(scores, targets, 0.5)["f1_macro"]
    assert panel["note"] == f"Note. With the threshold 0.5 for all labels, F1 (macro) is {plain:.4f}."
    *values, support = precision_recall_fscore_support(
        targets, scores >= thresholds[half], average=None, zero_division=0
    )
    areas = [metrics.area_under_curve(scores[:, k], targets[:, k]) for k in range(labels)]
    precisions = [average_precision_score(targets[:, k], scores[:, k]) for k in range(labels)]
    assert [row.pop(6) for row in panel["rows"]] == pytest.approx(precisions, abs=1e-4)
    assert panel["rows"] == [
        [name, round(limit, 4), *(round(float(v[k]), 4) for v in values), round(area or 0.0, 4), support[k]]
        for k, (name, limit, area) in enumerate(zip(found.names, final, areas, strict=True))
    ]


def test_the_halves_of_cross_fitting_have_the_same_labels_alike() -> None:
    logits, targets = made(400, 4, signal=0)  # the scores are independent of the labels
    found = evaluated((logits, targets), tune=True)
    assert abs(targets[found._half == 0].mean(axis=0) - targets.mean(axis=0)).max() < 0.01
    on_the_same_rows = metrics.multi_label(metrics.sigmoid(logits), targets, found.thresholds())
    assert found.metrics()["f1_macro"] < on_the_same_rows["f1_macro"]
    # A label that only one half has keeps the fixed threshold there.
    alone = evaluated((np.array([[-1.4], [-2.2]], np.float32), np.array([[1], [0]], np.float32)), tune=True)
    assert (0, False) in [(m.row, m.assigned) for m in alone.mistakes()[0]]


@pytest.mark.usefixtures("store")
def test_rows_with_any_number_of_true_labels_are_shown() -> None:
    given = made(90, 80, share=0.7)
    found = evaluated(given, shown=[0, 7, 89])
    for row in (0, 7, 89):
        scores, true = found.shown_row(row)
        assert true == np.flatnonzero(given[1][row]).tolist() and len(true) > 40
        assert scores == pytest.approx(metrics.sigmoid(given[0][row]))


def test_a_single_label_and_an_unused_label_are_supported() -> None:
    logits = np.array([[2.0], [1.0], [-2.0], [0.5]], np.float32)
    values = evaluated((logits, np.array([[1], [1], [0], [0]], np.float32))).metrics()
    assert values["accuracy"] == 0.75 and values["auc"] == 1.0 and values["f1_macro"] == pytest.approx(0.8)
    panel = evaluated((logits, np.zeros((4, 1), np.float32))).labels_panel("")
    assert panel["rows"] == [["0", 0.5, None, None, None, None, None, 0]]


def test_the_most_confident_mistakes_come_first() -> None:
    logits = np.array([[3.0, -3.0], [-1.0, 2.0], [0.5, -4.0]], np.float32)
    targets = np.array([[0, 0], [1, 1], [1, 1]], np.float32)
    found, note = evaluated((logits, targets)).mistakes()
    assert [(m.row, m.label, m.assigned) for m in found] == [(2, 1, False), (0, 0, True), (1, 0, False)]
    assert note == "3 labels of 3 of 3 validation texts are wrong."
    assert evaluated((np.array([[3.0]], np.float32), np.ones((1, 1)))).mistakes() == (
        [],
        "None: all labels of all 1 validation texts are right.",
    )


@pytest.mark.usefixtures("store")
def test_of_many_mistakes_the_most_confident_are_kept() -> None:
    logits, targets = made(200, 50, signal=0)
    found, note = evaluated((logits, targets), threshold=0.2).mistakes()
    scores = metrics.sigmoid(logits)
    assigned = scores >= 0.2
    wrong = np.argwhere(assigned != (targets > 0))
    confidence = np.where(assigned, scores, 1 - scores)[tuple(wrong.T)]
    order = np.lexsort((wrong[:, 1], wrong[:, 0], -confidence))[:MISTAKES]
    assert [(m.row, m.label) for m in found] == [tuple(pair) for pair in wrong[order].tolist()]
    assert note.startswith(f"{len(wrong):,} labels of ")


def batches(rows: int, labels: int, batch: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    for start in range(0, rows, batch):
        targets = rng.random((batch, labels), dtype=np.float32) < 0.02
        logits = rng.standard_normal((batch, labels), dtype=np.float32) - 2
        logits += targets
        yield logits, targets, np.arange(start, start + batch)


@pytest.mark.parametrize(
    ("rows", "tune"), [(20_000, True), pytest.param(200_000, True, marks=pytest.mark.long)], ids=["20k", "200k"]
)
def test_memory_does_not_grow_with_rows_times_labels(tmp_path: Path, rows: int, tune: bool) -> None:
    labels = 1_000
    right = positives = predicted = 0
    tracemalloc.start()
    try:
        found = LabelPredictions(
            np.arange(rows), [str(i) for i in range(labels)], "texts", threshold=0.3, tune=tune, seed=0, folder=tmp_path
        )
        for logits, targets, places in batches(rows, labels, 1_000):
            assigned = logits >= np.log(0.3 / 0.7)
            right += np.count_nonzero(assigned & targets)
            positives += np.count_nonzero(targets)
            predicted += np.count_nonzero(assigned)
            found.update(logits, targets, places)
        values = found.metrics()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    fixed = found._results().fixed
    counts = [int(c.sum()) for c in (fixed.true_positives, fixed.false_positives, fixed.false_negatives)]
    assert counts == [right, predicted - right, positives - right]
    assert 0 < values["f1_micro"] < 1 and values["auc"] == pytest.approx(0.76, abs=0.01)
    # One batch of the test itself takes 20 MiB; the logits of all rows, 4 bytes × rows × labels.
    assert peak < 80 * MIB + 50 * rows
    assert os.listdir(tmp_path) == [], "the file has no name"
