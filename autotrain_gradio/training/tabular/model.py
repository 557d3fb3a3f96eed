"""Fitted estimators, one for each target where the estimator needs that, and what they say about rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.utils.class_weight import compute_sample_weight

from autotrain_gradio.training.tabular.families import Family, Task

Answers = list[np.ndarray]
"""For each target, in their order: shares (rows, classes), or numbers (rows,)."""


@dataclass(frozen=True)
class Target:
    """What is predicted: numbers of classes (rows,) int64 and their names, or numbers (rows,) float64.

    unit: of numbers, where they had one.
    """

    name: str
    values: np.ndarray
    classes: list[str] | None = None
    unit: str = ""

    def take(self, rows: np.ndarray) -> Target:
        """Return the target of these rows."""
        return Target(self.name, self.values[rows], self.classes, self.unit)


@dataclass
class Fitted:
    """Estimators and what their answers mean.

    parts: of classes: estimator and the classes (their numbers) that it knows, per target. Of numbers: estimator, and
        the mean and the spread of each target that it answers for: targets are scaled to 0 and 1 before a fit.
    """

    task: Task
    sizes: list[int]
    parts: list[dict[str, Any]] = field(default_factory=list)

    def predict(self, rows: np.ndarray) -> Answers:
        """Answer for prepared rows (rows, columns)."""
        if self.task == "regression":
            found: Answers = []
            for part in self.parts:
                values = np.asarray(part["estimator"].predict(rows), dtype=np.float64).reshape(len(rows), -1)
                found += list((values * part["spread"] + part["mean"]).T)
            return found
        answers = []
        for part, size in zip(self.parts, self.sizes, strict=True):
            shares = np.zeros((len(rows), size))
            shares[:, part["classes"]] = part["estimator"].predict_proba(rows)
            answers.append(shares)
        return answers


def fit(
    family: Family,
    settings: Mapping[str, Any],
    rows: np.ndarray,
    targets: Sequence[Target],
    *,
    balanced: bool,
    seed: int,
    jobs: int,
) -> Fitted:
    """Fit a family's estimator, one for each target or one for all where it can.

    rows: prepared, (rows, columns). balanced: rows of a rare class weigh more, in proportion to its rarity.

    Raises:
        ValueError: the estimator cannot learn from these rows.
    """
    if targets[0].classes is None:
        return _fit_numbers(family, settings, rows, targets, seed, jobs)
    fitted = Fitted("classification", [len(t.classes or []) for t in targets])
    for target in targets:
        # A fold may lack a class; some estimators want the numbers of the classes without gaps.
        present, codes = np.unique(target.values, return_inverse=True)
        if len(present) == 1:
            estimator: Any = DummyClassifier(strategy="prior").fit(rows, codes)
        else:
            estimator = family.make("classification", settings, seed, jobs)
            used = np.arange(len(codes))
            if hasattr(estimator, "ensemble"):  # calibrated by folds of its own: each needs every class
                counts = np.bincount(codes)
                estimator.set_params(cv=max(2, min(3, int(counts.min()))))
                used = np.concatenate([used, np.flatnonzero(counts[codes] == 1)])  # the only row of a class, twice
            weigh = balanced and family.weights
            weights = {"sample_weight": compute_sample_weight("balanced", codes[used])} if weigh else {}
            estimator.fit(rows if len(used) == len(rows) else rows[used], codes[used], **weights)
        fitted.parts.append({"estimator": estimator, "classes": present})
    return fitted


def _fit_numbers(
    family: Family, settings: Mapping[str, Any], rows: np.ndarray, targets: Sequence[Target], seed: int, jobs: int
) -> Fitted:
    values = np.column_stack([t.values for t in targets])
    fitted = Fitted("regression", [1] * len(targets))
    groups = [list(range(len(targets)))] if family.several else [[k] for k in range(len(targets))]
    for group in groups:
        part = values[:, group]
        mean, spread = part.mean(axis=0), part.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        scaled = (part - mean) / spread
        estimator = family.make("regression", settings, seed, jobs)
        estimator.fit(rows, scaled[:, 0] if len(group) == 1 else scaled)
        fitted.parts.append({"estimator": estimator, "mean": mean, "spread": spread})
    return fitted
