"""Figures of classifiers, by scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

AVERAGES = ("macro", "micro", "weighted")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (rows, classes) into probabilities of the same shape."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def classification(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Measure predictions: logits (rows, classes) against labels (rows,).

    Two classes: accuracy, f1, precision and recall of class 1, and auc where both classes occur.
    More: accuracy, and f1, precision and recall as macro, micro and weighted averages over all
    classes that occur in the labels or the predictions.
    """
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

    predicted = logits.argmax(axis=-1)
    found: dict[str, float] = {"accuracy": float(accuracy_score(labels, predicted))}
    if logits.shape[-1] == 2:
        scores = precision_recall_fscore_support(labels, predicted, average="binary", pos_label=1, zero_division=0)
        found.update(zip(("precision", "recall", "f1"), map(float, scores[:3]), strict=True))
        if len(np.unique(labels)) == 2:
            found["auc"] = float(roc_auc_score(labels, softmax(logits)[:, 1]))
        return found
    for average in AVERAGES:
        scores = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), scores[:3], strict=True):
            found[f"{name}_{average}"] = float(value)
    return found


def per_class(logits: np.ndarray, labels: np.ndarray, names: list[str]) -> tuple[list[list[Any]], list[list[int]]]:
    """Return rows `[name, precision, recall, f1, rows]` and the confusion matrix (true × predicted)."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    predicted, numbers = logits.argmax(axis=-1), list(range(len(names)))
    scores = precision_recall_fscore_support(labels, predicted, labels=numbers, zero_division=0)
    rows = [[names[i], *(round(float(s[i]), 4) for s in scores[:3]), int(scores[3][i])] for i in numbers]
    return rows, confusion_matrix(labels, predicted, labels=numbers).tolist()
