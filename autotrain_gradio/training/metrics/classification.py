"""Metrics of classifiers: one class per row, or multi-label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotrain_gradio.training.metrics.ranking import RankedScores

AVERAGES = ("macro", "micro", "weighted")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (rows, classes) into probabilities of the same shape."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Turn logits of any shape into independent probabilities of each label, float64."""
    found: np.ndarray = 0.5 * (1 + np.tanh(0.5 * logits.astype(np.float64)))
    return found


def confusion_matrix(predicted: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """Count rows: int64 (classes, classes), true class × predicted class. For few classes only."""
    from sklearn import metrics

    return metrics.confusion_matrix(targets, predicted, labels=np.arange(classes))


def most_frequent_confusions(predicted: np.ndarray, targets: np.ndarray, count: int) -> list[tuple[int, int, int]]:
    """Return at most `count` of `(true class, predicted class, rows)`, the most frequent first, correct ones excluded.

    Memory grows with the rows, not with the square of the number of classes.
    """
    wrong = predicted != targets
    pairs, rows = np.unique(np.stack([targets[wrong], predicted[wrong]], axis=1), axis=0, return_counts=True)
    order = np.argsort(-rows, kind="stable")[:count]
    return [(int(pairs[i, 0]), int(pairs[i, 1]), int(rows[i])) for i in order]


def classification(
    predicted: np.ndarray, targets: np.ndarray, classes: int, scores: np.ndarray | None = None
) -> dict[str, float]:
    """Compute the metrics of predicted classes (rows,) against true classes (rows,).

    Two classes: accuracy, and f1, precision and recall of class 1; with `scores` (rows,), which grow with the
    probability of class 1, also auc, unless all rows are of one class. More classes: accuracy, and f1, precision and
    recall as macro, micro and weighted averages over the classes that occur in the rows or among the predictions. A
    ratio with a denominator of zero is 0.
    """
    from autotrain_gradio.training.metrics import modules

    scores = scores if classes == 2 else None
    return modules.compute(modules.Classification, predicted, targets, classes=classes, scores=scores)


def area_under_curve(scores: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the area under the ROC curve of scores (rows,) against 0 or 1 (rows,); None if only one of them occurs."""
    from autotrain_gradio.training.metrics import modules

    return modules.area_under_curve(scores, targets)


def per_class(predicted: np.ndarray, targets: np.ndarray, names: Sequence[str]) -> list[list[Any]]:
    """Return for each class `[name, precision, recall, f1, rows]`; None where a class has no rows."""
    from sklearn.metrics import precision_recall_fscore_support

    every = np.arange(len(names))
    *scores, support = precision_recall_fscore_support(targets, predicted, labels=every, zero_division=0)
    return [
        [name, *(round(float(s[i]), 4) if support[i] else None for s in scores), int(support[i])]
        for i, name in enumerate(names)
    ]


def multi_label(scores: np.ndarray, targets: np.ndarray, thresholds: np.ndarray | float) -> dict[str, float]:
    """Compute the metrics of multi-label predictions.

    scores: (rows, labels) from 0 to 1. targets: 0 or 1 (rows, labels). thresholds: one for each label, for all, or for
    each score; a score that reaches it assigns the label. accuracy: share of the rows whose labels are all right. f1,
    precision and recall as macro, micro and weighted averages; auc: mean over the labels that are true in
    some rows and false in others; map: mean of the average precision over those that are true in some rows.
    """
    assigned, true = scores >= thresholds, targets > 0
    pairs = ((assigned, true), (assigned, ~true), (~assigned, true))
    right, excess, missed = (np.count_nonzero(a & t, axis=0) for a, t in pairs)
    found = multi_label_from_counts(right, excess, missed, np.count_nonzero(assigned != true, axis=1))
    pairs_of_labels = list(zip(scores.T, true.T, strict=True))
    each = {
        "auc": [area_under_curve(*pair) for pair in pairs_of_labels],
        "map": [RankedScores.of(*pair).average_precision() for pair in pairs_of_labels],
    }
    for name, values in each.items():
        if known := [value for value in values if value is not None]:
            found[name] = float(np.mean(known))
    return found


def per_label(
    scores: np.ndarray, targets: np.ndarray, names: list[str], thresholds: np.ndarray | float
) -> list[list[Any]]:
    """Return for each label `[name, threshold, precision, recall, f1, auc, rows]`; None where no row has the label."""
    from sklearn.metrics import precision_recall_fscore_support

    limits = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), (len(names),))
    *values, support = precision_recall_fscore_support(
        targets,
        (scores >= limits).astype(np.int8),
        average=None,
        # A single column is treated as two classes by scikit-learn: 1 is the label.
        labels=np.arange(len(names)) if len(names) > 1 else [1],
        zero_division=0,
    )
    rows: list[list[Any]] = []
    for i, name in enumerate(names):
        area = area_under_curve(scores[:, i], targets[:, i])
        rounded = [round(float(v[i]), 4) if support[i] else None for v in values]
        rows.append(
            [name, round(float(limits[i]), 4), *rounded, None if area is None else round(area, 4), int(support[i])]
        )
    return rows


def multi_label_from_counts(
    true_positives: np.ndarray, false_positives: np.ndarray, false_negatives: np.ndarray, wrong: np.ndarray
) -> dict[str, float]:
    """Return the metrics of `multi_label`, except auc and map, from counts (labels,) and wrong labels by row (rows,).

    They equal scikit-learn's on the complete matrix, with `zero_division=0`.
    """
    found = {
        "accuracy": float((wrong == 0).mean()),
        "hamming_loss": float(wrong.sum() / (len(wrong) * len(true_positives))),
    }
    each = np.array(
        [precision_recall_f1(*c) for c in zip(true_positives, false_positives, false_negatives, strict=True)]
    )
    support = true_positives + false_negatives
    averages = {
        "macro": each.mean(axis=0),
        "micro": precision_recall_f1(true_positives.sum(), false_positives.sum(), false_negatives.sum()),
        "weighted": np.average(each, axis=0, weights=support) if support.any() else np.zeros(3),
    }
    for average in AVERAGES:
        names = (f"precision_{average}", f"recall_{average}", f"f1_{average}")
        found |= dict(zip(names, map(float, averages[average]), strict=True))
    return found


def precision_recall_f1(
    true_positives: float, false_positives: float, false_negatives: float
) -> tuple[float, float, float]:
    """Return precision, recall and F1; a ratio with a denominator of zero is 0."""
    predicted, support = true_positives + false_positives, true_positives + false_negatives
    return (
        float(true_positives / predicted) if predicted else 0.0,
        float(true_positives / support) if support else 0.0,
        float(2 * true_positives / (predicted + support)) if predicted + support else 0.0,
    )
