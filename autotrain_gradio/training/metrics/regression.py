"""Metrics of regression models."""

from __future__ import annotations

import numpy as np

VARIANCE = ("r2", "explained_variance")
"""Metrics that compare with the variance of the targets."""


def regression(predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Compute the metrics of predicted numbers (rows,) against true numbers (rows,).

    mse, mae, rmse in the unit of the target (mse: squared); r2 and explained_variance, for two rows or more; rmsle
    where neither holds negative numbers.
    """
    from autotrain_gradio.training.metrics import modules

    return modules.compute(modules.Regression, predictions, targets)


def numbers(predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Compute mae, rmse and mse, and where the targets differ r2, explained_variance and spearman. Both (rows,).

    Spearman's rank correlation of equal predictions is 0: they do not rank the rows.
    """
    found = {name: value for name, value in regression(predictions, targets).items() if name != "rmsle"}
    if (targets == targets[0]).all():
        return {name: value for name, value in found.items() if name not in VARIANCE}
    return {**found, "spearman": rank_correlation(predictions, targets)}


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two series (rows,), 0 if all values of one are equal."""
    ranks = np.stack([_ranks(first), _ranks(second)])
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1))
    return float(centred[0] @ centred[1] / (norms[0] * norms[1])) if norms.all() else 0.0


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each value (rows,), from 1; equal values have the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks
