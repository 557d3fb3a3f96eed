"""Figures in words, and beside what guessing would have reached."""

from __future__ import annotations

import numpy as np

from autotrain_gradio.training import metrics


def test_metric_names_have_standard_spelling() -> None:
    names = ["f1_macro", "precision_weighted", "auc", "r2", "hamming_loss", "accuracy"]
    assert [metrics.title(n) for n in names] == [
        *("F1 (macro)", "precision (weighted)", "AUC", "R²", "hamming loss", "accuracy")
    ]


def test_micro_averages_are_omitted_for_single_label_metrics() -> None:
    logits, targets = np.array([[2.0, 0, 0], [0, 2, 0], [2, 0, 0], [0, 0, 2]]), np.array([0, 1, 2, 2])
    found = metrics.classification(logits.argmax(1), targets, 3)
    assert found["f1_micro"] == found["accuracy"] == 0.75
    shown = metrics.formatted(found, one_class=True)
    assert shown["accuracy"] == "75.0 %" and "F1 (macro)" in shown and "F1 (micro)" not in shown
    assert "F1 (micro)" in metrics.formatted(found)


def test_accuracy_is_compared_with_the_most_frequent_class() -> None:
    logits, targets = np.array([[2.0, 0], [0, 2], [2, 0], [0, 2], [0, 2]]), np.array([0, 1, 1, 1, 1])
    told = metrics.compare_with_majority_class(logits.argmax(1), targets, ["good", "bad"], "validation texts")
    assert told == "4 of 5 validation texts are right. Always predicting 'bad' would be right for 4."


def test_regression_is_compared_with_the_mean() -> None:
    told = metrics.compare_with_mean(np.array([1.0, 2.0, 5.0]), np.array([1.0, 3.0, 5.0]))
    assert told == "Mean absolute error 0.3333; always predicting the mean, 3, has 1.333."
