"""Text classification: fit the last linear layer of a model by logistic regression on its inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

REGULARIZATIONS = (1.0, 10.0, 100.0)
"""Inverse strengths of the L2 regularization that are compared, for features of about unit norm."""
FOLDS = 4
UNSEEN = 10.0
"""How far the logit of a class without rows is below all others."""


@dataclass(frozen=True)
class LogisticHead:
    """Weights float64 (outputs, features) and bias (outputs,) of a linear layer."""

    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def fit(cls, features: np.ndarray, targets: np.ndarray, outputs: int, *, balanced: bool, seed: int) -> LogisticHead:
        """Fit to features (rows, features).

        targets: classes (rows,), or 0 and 1 for each label (rows, outputs). balanced: weight classes inversely to their
        number of rows.
        """
        center = features.mean(axis=0)
        scale = float(np.sqrt(((features - center) ** 2).sum(axis=1).mean())) or 1.0
        scaled = (features - center) / scale
        weight, bias = np.zeros((outputs, features.shape[1])), np.zeros(outputs)
        if targets.ndim == 1:
            known = np.unique(targets)
            if len(known) > 1:
                model = _best(scaled, targets, balanced=balanced, seed=seed)
                found, free = model.coef_, model.intercept_
                if len(known) == 2:  # a single decision function, of the second class
                    found, free = np.concatenate([-found, found]) / 2, np.concatenate([-free, free]) / 2
                weight[known], bias[known] = found, free
            bias[np.setdiff1d(np.arange(outputs), known)] = bias[known].min() - UNSEEN
        else:
            for label, column in enumerate(targets.T):
                if column.min() == column.max():
                    bias[label] = UNSEEN if column[0] else -UNSEEN
                else:
                    model = _best(scaled, column.astype(np.int64), balanced=balanced, seed=seed)
                    weight[label], bias[label] = model.coef_[0], model.intercept_[0]
        weight /= scale
        return cls(weight, bias - weight @ center)

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits (rows, outputs)."""
        logits: np.ndarray = features @ self.weight.T + self.bias
        return logits


def _best(features: np.ndarray, classes: np.ndarray, *, balanced: bool, seed: int) -> LogisticRegression:
    """Return the logistic regression with the regularization whose log loss is the lowest in cross-validation."""

    def model(strength: float) -> LogisticRegression:
        weights = "balanced" if balanced else None
        return LogisticRegression(C=strength, class_weight=weights, max_iter=1000)

    folds = min(FOLDS, int(np.unique(classes, return_counts=True)[1].min()))
    if folds < 2:
        return model(REGULARIZATIONS[1]).fit(features, classes)
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(features, classes))
    known = np.unique(classes)

    def loss(strength: float) -> float:
        losses = []
        for train, test in splits:
            fitted = model(strength).fit(features[train], classes[train])
            losses.append(log_loss(classes[test], fitted.predict_proba(features[test]), labels=known))
        return float(np.mean(losses))

    return model(min(REGULARIZATIONS, key=loss)).fit(features, classes)
