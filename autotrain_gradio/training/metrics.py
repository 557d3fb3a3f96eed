"""Figures of classifiers.

They equal scikit-learn's (a test compares them); importing it would hold up the first evaluation by up to a second.
"""

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
    classes = logits.shape[-1]
    places = targets.astype(np.int64) * classes + logits.argmax(axis=-1)
    return np.bincount(places, minlength=classes * classes).reshape(classes, classes)


def classification(logits: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Measure predictions: logits (rows, classes) against classes (rows,).

    Two classes: accuracy, and f1, precision and recall of class 1, and auc; auc is left out where the rows are of
    one class, since it means nothing then. More classes: accuracy, and f1, precision and recall as macro, micro and
    weighted averages over the classes that occur in the rows or among the predictions. A share of nothing is 0.
    """
    counts = confusion(logits, targets)
    hit, called, there = (a.astype(np.float64) for a in (np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)))
    figures = _figures(hit, called, there)
    found = {"accuracy": float(hit.sum() / max(1, len(targets)))}
    if logits.shape[-1] == 2:
        found.update({name: float(values[1]) for name, values in figures.items()})
        area = auc(softmax(logits)[:, 1], targets)
        return found if area is None else {**found, "auc": area}
    occurs = (called + there) > 0
    total = _figures(hit.sum(), called.sum(), there.sum())
    for name, values in figures.items():
        found[f"{name}_macro"] = float(values[occurs].mean()) if occurs.any() else 0.0
        found[f"{name}_micro"] = float(total[name])
        found[f"{name}_weighted"] = float((values * there).sum() / max(1.0, there.sum()))
    return found


def auc(scores: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the area under the ROC curve: the chance that a row of class 1 scores above one of class 0.

    None where one of the two classes does not occur.
    """
    positive = int((targets == 1).sum())
    negative = len(targets) - positive
    if not positive or not negative:
        return None
    _, place, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties - 1) / 2  # rows with the same score share their mean rank
    rank_sum = ranks[place][targets == 1].sum()
    return float((rank_sum - positive * (positive + 1) / 2) / (positive * negative))


def per_class(logits: np.ndarray, targets: np.ndarray, names: list[str]) -> list[list[Any]]:
    """Return for each class `[name, precision, recall, f1, rows]`; None where a class has no rows to judge by."""
    counts = confusion(logits, targets)
    there = counts.sum(axis=1)
    figures = _figures(*(a.astype(np.float64) for a in (np.diag(counts), counts.sum(axis=0), there)))
    order = ("precision", "recall", "f1")
    return [
        [name, *(round(float(figures[f][i]), 4) if there[i] else None for f in order), int(there[i])]
        for i, name in enumerate(names)
    ]


def _figures(hit: Any, called: Any, there: Any) -> dict[str, np.ndarray]:
    """Precision, recall and f1 of counts: rightly called so, called so, being so."""
    return {
        "precision": np.divide(hit, called, out=np.zeros_like(hit, dtype=np.float64), where=np.asarray(called) > 0),
        "recall": np.divide(hit, there, out=np.zeros_like(hit, dtype=np.float64), where=np.asarray(there) > 0),
        "f1": np.divide(
            2 * hit, called + there, out=np.zeros_like(hit, dtype=np.float64), where=np.asarray(called + there) > 0
        ),
    }
