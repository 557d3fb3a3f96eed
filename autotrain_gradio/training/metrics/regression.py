"""Metrics of regression models."""

from __future__ import annotations

import numpy as np


def regression(predictions: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    """Compute the metrics of predicted numbers (rows,) against true numbers (rows,).

    mse, mae, rmse in the unit of the target (mse: squared); r2 and explained_variance, for two rows or more; rmsle
    where neither holds negative numbers.
    """
    from autotrain_gradio.training.metrics import modules

    return modules.compute(modules.Regression, predictions, targets)
