"""Fitted estimators (one per target where the estimator has a single output) and their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.utils.class_weight import compute_sample_weight

from autotrain_gradio.training.tabular.families import Family, ProblemType

THRESHOLD = 0.5
"""Probability from which a label is predicted (multi-label)."""
Predictions = list[np.ndarray]
"""For each target, in their order: probabilities (rows, classes), or numbers (rows,)."""


@dataclass(frozen=True)
class Target:
    """A target column: class ids int64 (rows,) and the class names, or numbers float64 (rows,).

    unit: of the numbers; empty: none.
    """

    name: str
    values: np.ndarray
    classes: list[str] | None = None
    unit: str = ""

    def take(self, rows: np.ndarray) -> Target:
        """Return the target of some rows."""
        return Target(self.name, self.values[rows], self.classes, self.unit)


@dataclass
class FittedEstimators:
    """Fitted estimators and how to read their outputs.

    sizes: number of classes of each target. parts: classification: estimator and its class ids, per target.
        Regression: estimator, and mean and standard deviation of its targets, which are standardized before a fit.
    """

    problem_type: ProblemType
    sizes: list[int]
    parts: list[dict[str, Any]] = field(default_factory=list)

    def predict(self, rows: np.ndarray) -> Predictions:
        """Predict transformed rows (rows, columns)."""
        if self.problem_type == "regression":
            found: Predictions = []
            for part in self.parts:
                values = np.asarray(part["estimator"].predict(rows), dtype=np.float64).reshape(len(rows), -1)
                found += list((values * part["spread"] + part["mean"]).T)
            return found
        predictions = []
        for part, size in zip(self.parts, self.sizes, strict=True):
            probabilities = np.zeros((len(rows), size))
            probabilities[:, part["classes"]] = part["estimator"].predict_proba(rows)
            predictions.append(probabilities)
        return predictions


def fit(
    family: Family,
    settings: Mapping[str, Any],
    rows: np.ndarray,
    targets: Sequence[Target],
    *,
    balanced: bool,
    seed: int,
    jobs: int,
) -> FittedEstimators:
    """Fit a family's estimator, one for each target or one for all where it can.

    rows: transformed, (rows, columns). balanced: class weights inversely proportional to the class frequencies.

    Raises:
        ValueError: the estimator cannot learn from these rows.
    """
    if targets[0].classes is None:
        return _fit_numbers(family, settings, rows, targets, seed, jobs)
    fitted = FittedEstimators("classification", [len(t.classes or []) for t in targets])
    for target in targets:
        # A fold may lack a class, and some estimators need class ids without gaps.
        present, codes = np.unique(target.values, return_inverse=True)
        if len(present) == 1:
            estimator: Any = DummyClassifier(strategy="prior").fit(rows, codes)
        else:
            estimator = family.make("classification", settings, seed, jobs)
            used = np.arange(len(codes))
            if hasattr(estimator, "ensemble"):  # calibrated by internal cross-validation: each fold needs every class
                counts = np.bincount(codes)
                estimator.set_params(cv=max(2, min(3, int(counts.min()))))
                used = np.concatenate([used, np.flatnonzero(counts[codes] == 1)])  # single rows: twice
            weighted = balanced and family.weights
            weights = {"sample_weight": compute_sample_weight("balanced", codes[used])} if weighted else {}
            estimator.fit(rows if len(used) == len(rows) else rows[used], codes[used], **weights)
        fitted.parts.append({"estimator": estimator, "classes": present})
    return fitted


def _fit_numbers(
    family: Family, settings: Mapping[str, Any], rows: np.ndarray, targets: Sequence[Target], seed: int, jobs: int
) -> FittedEstimators:
    values = np.column_stack([t.values for t in targets])
    fitted = FittedEstimators("regression", [1] * len(targets))
    groups = [list(range(len(targets)))] if family.multi_output else [[k] for k in range(len(targets))]
    for group in groups:
        part = values[:, group]
        mean, spread = part.mean(axis=0), part.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        scaled = (part - mean) / spread
        estimator = family.make("regression", settings, seed, jobs)
        estimator.fit(rows, scaled[:, 0] if len(group) == 1 else scaled)
        fitted.parts.append({"estimator": estimator, "mean": mean, "spread": spread})
    return fitted
