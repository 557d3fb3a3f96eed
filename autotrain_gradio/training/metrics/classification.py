"""Figures of classifiers: one label a row, or any number of them."""

from __future__ import annotations

from typing import Any

import numpy as np

AVERAGES = ("macro", "micro", "weighted")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (rows, classes) into probabilities of the same shape."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def confusion(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count rows: (classes, classes), true class × predicted class."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(targets, logits.argmax(axis=-1), labels=np.arange(logits.shape[-1]))


def classification(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Measure predictions: logits (rows, classes) against classes (rows,).

    Two classes: accuracy, and f1, precision and recall of class 1, and auc; auc is left out where the rows are of
    one class, since it means nothing then. More classes: accuracy, and f1, precision and recall as macro, micro and
    weighted averages over the classes that occur in the rows or among the predictions. A share of nothing is 0.
    """
    from autotrain_gradio.training.metrics import modules

    classes = logits.shape[-1]
    scores = logits[:, 1] - logits[:, 0] if classes == 2 else None
    return modules.compute(modules.Classification, logits.argmax(axis=-1), targets, classes=classes, scores=scores)


def area_under_curve(scores: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the area under the ROC curve of scores (rows,) against 0 or 1 (rows,); None where all are alike."""
    from autotrain_gradio.training.metrics import modules

    return modules.area_under_curve(scores, targets)


def per_class(logits: np.ndarray, targets: np.ndarray, names: list[str]) -> list[list[Any]]:
    """Return for each class `[name, precision, recall, f1, rows]`; None where a class has no rows to judge by."""
    from sklearn.metrics import precision_recall_fscore_support

    every = np.arange(len(names))
    *figures, there = precision_recall_fscore_support(targets, logits.argmax(axis=-1), labels=every, zero_division=0)
    return [
        [name, *(round(float(f[i]), 4) if there[i] else None for f in figures), int(there[i])]
        for i, name in enumerate(names)
    ]


def multi_label(scores: np.ndarray, targets: np.ndarray, thresholds: np.ndarray | float = 0.5) -> dict[str, float]:
    """Measure predictions of any number of labels a row.

    scores: (rows, labels) from 0 to 1. targets: 0 or 1 (rows, labels). thresholds: one for each label, for all, or for
    each score; a score that reaches it gives the label. accuracy: share of the rows whose labels are all right. f1,
    precision and recall as macro, micro and weighted averages; auc: mean over the labels that some rows have and some
    have not.
    """
    from autotrain_gradio.training.metrics import modules

    targets = targets.astype(np.int8)
    found = modules.compute(modules.MultiLabel, (scores >= thresholds).astype(np.int8), targets)
    areas = [modules.area_under_curve(scores[:, k], targets[:, k]) for k in range(targets.shape[1])]
    known = [a for a in areas if a is not None]
    return {**found, "auc": float(np.mean(known))} if known else found


def per_label(
    scores: np.ndarray,
    targets: np.ndarray,
    names: list[str],
    thresholds: np.ndarray | float = 0.5,
    *,
    given: np.ndarray | None = None,
) -> list[list[Any]]:
    """Return for each label `[name, threshold, precision, recall, f1, auc, rows]`; None where no row tells.

    given: whether each label was given (rows, labels), where the thresholds listed do not say it.
    """
    from sklearn.metrics import precision_recall_fscore_support

    limits = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), (len(names),))
    *figures, there = precision_recall_fscore_support(
        targets,
        (scores >= limits if given is None else given).astype(np.int8),
        average=None,
        # A single label in a column of its own is taken for two classes: 1 is that it applies.
        labels=np.arange(len(names)) if len(names) > 1 else [1],
        zero_division=0,
    )
    rows: list[list[Any]] = []
    for i, name in enumerate(names):
        area = area_under_curve(scores[:, i], targets[:, i])
        told = [round(float(f[i]), 4) if there[i] else None for f in figures]
        rows.append([name, round(float(limits[i]), 4), *told, None if area is None else round(area, 4), int(there[i])])
    return rows


def thresholds_for_f1(scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return for each label the threshold with the best F1 on these rows; 0.5 where no row has the label.

    scores: (rows, labels) from 0 to 1. targets: 0 or 1, same shape. Of thresholds that are as good the one nearest to
    0.5 is taken; each lies half-way between two scores that occur, so that rounding decides nothing.
    """
    from sklearn.metrics import precision_recall_curve

    found = np.full(scores.shape[1], 0.5)
    for k in range(scores.shape[1]):
        if not targets[:, k].any():
            continue
        precision, recall, limits = precision_recall_curve(targets[:, k], scores[:, k])
        total = precision + recall
        f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)[: len(limits)]
        below = np.concatenate([[0.0], limits[:-1]])
        between = (below + limits) / 2
        best = np.flatnonzero(f1 >= f1.max() - 1e-12)
        chosen = best[np.abs(between[best] - 0.5).argmin()]
        # Between two neighbouring scores any threshold gives the same: 0.5 itself, where it lies there.
        found[k] = 0.5 if below[chosen] < 0.5 <= limits[chosen] else between[chosen]
    return found
