"""Metrics: their names, and their values on small examples compared with those of scikit-learn."""

from __future__ import annotations

import subprocess
import sys

import evaluate
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support, roc_auc_score

from autotrain_gradio.training import metrics
from autotrain_gradio.training.metrics import modules


def test_metrics_of_two_classes() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.5], [0.0, 3.0]])
    labels = np.array([0, 1, 1, 1])
    found = metrics.classification(logits.argmax(1), labels, 2, logits[:, 1] - logits[:, 0])
    assert found["accuracy"] == 0.75 and found["precision"] == 1.0
    assert found["recall"] == pytest.approx(2 / 3) and found["f1"] == pytest.approx(0.8)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, metrics.softmax(logits)[:, 1]))
    assert "auc" not in metrics.classification(logits.argmax(1), np.ones(4, int), 2, logits[:, 1])


def test_auc_with_equal_scores_is_that_of_scikit_learn() -> None:
    scores, labels = np.array([0.1, 0.4, 0.4, 0.4, 0.8, 0.8]), np.array([0, 1, 0, 1, 0, 1])
    assert metrics.area_under_curve(scores, labels) == pytest.approx(roc_auc_score(labels, scores))


@pytest.mark.parametrize("classes", [3, 5])
def test_metrics_of_many_classes_are_those_of_scikit_learn(classes: int) -> None:
    rng = np.random.default_rng(classes)
    logits, labels = rng.normal(size=(50, classes)), rng.integers(0, classes - 1, 50)
    logits[:, 0] -= 9  # one class is never predicted, and another never occurs
    predicted = logits.argmax(1)
    found = metrics.classification(predicted, labels, classes)
    assert set(found) == {"accuracy"} | {f"{n}_{a}" for n in ("f1", "precision", "recall") for a in metrics.AVERAGES}
    assert found["accuracy"] == pytest.approx(accuracy_score(labels, predicted))
    for average in metrics.AVERAGES:
        expected = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            assert found[f"{name}_{average}"] == pytest.approx(value)
    assert np.array_equal(
        metrics.confusion_matrix(predicted, labels, classes), confusion_matrix(labels, predicted, labels=range(classes))
    )
    rows = metrics.per_class(predicted, labels, list("abcde")[:classes])
    assert rows[0][1:4] == [0.0, 0.0, 0.0] and rows[-1][1:] == [None, None, None, 0]


def test_metrics_of_multi_label_classification() -> None:
    scores = np.array([[0.9, 0.2, 0.1], [0.8, 0.7, 0.3], [0.1, 0.6, 0.2], [0.3, 0.4, 0.1]])
    targets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
    found = metrics.multi_label(scores, targets, 0.5)
    assert found["accuracy"] == 0.5 and found["hamming_loss"] == pytest.approx(2 / 12)
    assert found["f1_micro"] == pytest.approx(f1_score(targets, scores >= 0.5, average="micro"))
    # The third label is of no row, and has no area under a curve.
    assert found["auc"] == pytest.approx(np.mean([roc_auc_score(targets[:, k], scores[:, k]) for k in (0, 1)]))
    rows = metrics.per_label(scores, targets, ["a", "b", "c"], np.array([0.5, 0.65, 0.5]))
    assert rows[0] == ["a", 0.5, 1.0, 1.0, 1.0, 1.0, 2]
    assert rows[1][:5] == ["b", 0.65, 1.0, 0.5, pytest.approx(2 / 3, abs=1e-4)]
    assert rows[2] == ["c", 0.5, None, None, None, None, 0]


def test_each_label_has_its_threshold() -> None:
    scores = np.array([[0.1, 0.9, 0.3], [0.2, 0.4, 0.3], [0.3, 0.3, 0.3], [0.05, 0.1, 0.3]])
    targets = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert metrics.multi_label(scores, targets, np.array([0.15, 0.5, 0.5]))["accuracy"] == 1.0


def test_metrics_of_a_single_optional_label() -> None:
    scores, targets = np.array([[0.9], [0.8], [0.2], [0.6]]), np.array([[1], [1], [0], [0]])
    found = metrics.multi_label(scores, targets, 0.5)
    assert found["accuracy"] == 0.75 and found["auc"] == 1.0
    assert all(found[f"recall_{a}"] == 1.0 and found[f"f1_{a}"] == pytest.approx(0.8) for a in metrics.AVERAGES)
    assert metrics.per_label(scores, targets, ["spam"], 0.5) == [["spam", 0.5, 0.6667, 1.0, 0.8, 1.0, 2]]


def test_metrics_of_regression() -> None:
    found = metrics.regression(np.array([2.0, 4.0]), np.array([1.0, 6.0]))
    assert found["mse"] == 2.5 and found["mae"] == 1.5 and found["rmse"] == pytest.approx(2.5**0.5)
    assert found["r2"] == pytest.approx(1 - 5 / 12.5) and "rmsle" in found
    assert "rmsle" not in metrics.regression(np.array([2.0, -4.0]), np.array([1.0, 6.0]))
    assert set(metrics.regression(np.array([2.0]), np.array([1.0]))) == {"mse", "mae", "rmse", "rmsle"}


def test_metrics_are_evaluate_modules_that_combine_offline() -> None:
    both = evaluate.combine([modules.module(modules.Regression)])
    assert both.compute(predictions=[1.0, 2.0], references=[1.0, 3.0])["mae"] == 0.5
    assert isinstance(modules.module(modules.Classification), evaluate.Metric)


def test_metric_libraries_are_imported_lazily() -> None:
    heavy = "any(name in sys.modules for name in ('sklearn', 'evaluate'))"
    code = f"import sys; import autotrain_gradio.training.metrics; sys.exit({heavy})"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tabular_metrics_are_evaluate_modules_and_load_no_torch() -> None:
    code = """
import sys
import numpy as np
from autotrain_gradio.training import metrics
print(metrics.regression(np.array([1.0, 2.0]), np.array([1.0, 4.0]))["mae"])
import subprocess
import sys

import evaluate
from autotrain_gradio.training.metrics import modules
assert issubclass(modules.Regression, evaluate.Metric) and not {"torch", "transformers"} & set(sys.modules)
joined = evaluate.combine([modules.module(modules.Regression)])
print(joined.compute(predictions=[1.0, 2.0], references=[1.0, 4.0])["mae"])
import transformers
print(transformers.__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["1.0", "1.0", "transformers"], done.stderr
