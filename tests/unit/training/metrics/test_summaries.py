"""Titles and formats of metrics, and comparison with a trivial baseline."""

from __future__ import annotations

import numpy as np

from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics

DECLARED = [Metric("accuracy", "Accuracy", percent=True), Metric("f1_macro", "F1 (macro)"), Metric("f1_micro", "F1")]


def test_titles_and_formats_are_those_that_the_task_declares() -> None:
    assert metrics.formatted({"accuracy": 0.756, "f1_macro": 0.123456, "new_score": 2.0}, DECLARED) == {
        "Accuracy": "75.6 %",
        "F1 (macro)": 0.1235,
        "new score": 2.0,
    }
    declared = [Metric("accuracy", "Share of right answers"), Metric("recall", "Recall", percent=True)]
    shown = metrics.formatted({"accuracy": 0.5, "recall": 0.25}, declared)
    assert shown == {"Share of right answers": 0.5, "Recall": "25.0 %"}
    assert metrics.title("recall", declared) == "Recall" and metrics.title("hamming_loss", ()) == "hamming loss"


def test_micro_averages_are_omitted_for_single_label_metrics() -> None:
    logits, targets = np.array([[2.0, 0, 0], [0, 2, 0], [2, 0, 0], [0, 0, 2]]), np.array([0, 1, 2, 2])
    found = metrics.classification(logits.argmax(1), targets, 3)
    assert found["f1_micro"] == found["accuracy"] == 0.75
    shown = metrics.formatted(found, DECLARED, one_class=True)
    assert shown["Accuracy"] == "75.0 %" and "F1 (macro)" in shown and "F1" not in shown
    assert "F1" in metrics.formatted(found, DECLARED)


def test_accuracy_is_compared_with_the_most_frequent_class() -> None:
    logits, targets = np.array([[2.0, 0], [0, 2], [2, 0], [0, 2], [0, 2]]), np.array([0, 1, 1, 1, 1])
    told = metrics.compare_with_majority_class(logits.argmax(1), targets, ["good", "bad"], "validation texts")
    assert told == "4 of 5 validation texts are right. Always predicting 'bad' would be right for 4."


def test_regression_is_compared_with_the_mean() -> None:
    told = metrics.compare_with_mean(np.array([1.0, 2.0, 5.0]), np.array([1.0, 3.0, 5.0]))
    assert told == "Mean absolute error 0.3333; always predicting the mean, 3, has 1.333."
