"""The evaluator of classes: the metrics of scikit-learn on the whole logits, in any batches, with little memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support, roc_auc_score

from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators import classes
from autotrain_gradio.training.evaluators.classes import ClassPredictions, reduce_logits


def evaluated(logits: np.ndarray, targets: np.ndarray, batch: int = 7) -> ClassPredictions:
    """Feed logits (rows, classes) in batches, as the Trainer does."""
    found = ClassPredictions(targets, [f"class {i}" for i in range(logits.shape[1])], "rows")
    for start in range(0, len(targets), batch):
        rows = np.arange(start, min(start + batch, len(targets)))
        reduced = reduce_logits(torch.tensor(logits[rows]), torch.tensor(targets[rows]))
        found.update(tuple(part.numpy() for part in reduced), targets[rows], rows)
    return found


@pytest.mark.parametrize("count", [2, 5, 60])
def test_metrics_are_those_of_scikit_learn_on_the_whole_logits(count: int) -> None:
    rng = np.random.default_rng(count)
    targets = rng.integers(0, count, 300)
    logits = rng.normal(size=(300, count)).astype(np.float32)
    logits[np.arange(300), targets] += 1
    found, predicted = evaluated(logits, targets), logits.argmax(1)
    values = found.metrics()
    assert values["accuracy"] == accuracy_score(targets, predicted)
    if count == 2:
        expected = precision_recall_fscore_support(targets, predicted, average="binary")
        assert [values[n] for n in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
        assert values["auc"] == roc_auc_score(targets, logits[:, 1] - logits[:, 0])
    else:
        for average in metrics.AVERAGES:
            expected = precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)
            assert [values[f"{n}_{average}"] for n in ("precision", "recall", "f1")] == pytest.approx(expected[:3])
    whole = confusion_matrix(targets, predicted)
    panel = found.confusion_panel()
    if count <= classes.MATRIX_CLASSES:
        assert panel["values"] == whole.tolist()
    else:
        np.fill_diagonal(whole, 0)
        assert [row[2] for row in panel["rows"]] == np.sort(whole.ravel())[::-1][: classes.MATRIX_CLASSES].tolist()
        assert all(whole[found.names.index(a), found.names.index(b)] == n for a, b, n in panel["rows"])
    rows, note = found.mistakes(10)
    sure = metrics.softmax(logits).max(1)
    wrong = np.flatnonzero(predicted != targets)
    assert rows == wrong[np.argsort(-sure[wrong])][:10].tolist()
    assert note == f"{len(wrong):,} of 300 validation rows are wrong."
    assert found.probability == pytest.approx(sure, rel=1e-5)


def test_other_outputs_are_dropped_and_half_precision_is_supported() -> None:
    logits = torch.tensor([[0.0, 3.0, 1.0]], dtype=torch.bfloat16)
    predicted, probability = reduce_logits((logits, torch.zeros(1, 9, 9)), torch.tensor([1]))
    assert predicted.tolist() == [1] and probability.dtype == torch.float32


def test_rows_in_another_order_are_an_error() -> None:
    found = ClassPredictions(np.array([0, 1]), ["a", "b"], "rows")
    with pytest.raises(RuntimeError, match="order"):
        found.update((np.array([0]), np.array([1.0]), np.array([1.0])), np.array([1]), np.array([0]))


def test_memory_does_not_grow_with_rows_times_classes() -> None:
    rows, count, batch = 20_000, 500, 100
    rng = np.random.default_rng(0)
    targets = rng.integers(0, count, rows)
    logits = torch.randn(batch, count)
    tracemalloc.start()
    found = ClassPredictions(targets, [str(i) for i in range(count)], "rows")
    for start in range(0, rows, batch):
        places = np.arange(start, start + batch)
        reduced = reduce_logits(logits, torch.tensor(targets[places]))
        found.update(tuple(part.numpy() for part in reduced), targets[places], places)
    kept, _ = tracemalloc.get_traced_memory()
    assert found.metrics()["accuracy"] < 0.1
    found.confusion_panel(), found.classes_panel(), found.mistakes(24)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000, "8 bytes a row and the names"
    assert peak < 12_000_000, "the logits alone have 40 MB"
