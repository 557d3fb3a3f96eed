"""Metrics and charts of the tasks that predict numbers with a model of transformers."""

from __future__ import annotations

from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Metric


def regression_metrics(rows: str) -> tuple[Metric, ...]:
    """Return the metrics of numeric predictions. rows: what they are made for, as "texts"."""
    return (
        Metric("r2", "R²", help="Coefficient of determination: 1 is perfect, 0 is no better than the mean."),
        Metric("mae", "MAE", higher_is_better=False, help="Mean absolute error, in the unit of the target."),
        Metric("rmse", "RMSE", higher_is_better=False, help="Root mean squared error, in the unit of the target."),
        Metric("mse", "MSE", higher_is_better=False, help="Mean squared error."),
        Metric("spearman", "Spearman", help=f"Rank correlation: 1 if the {rows} are in the right order, 0 by chance."),
        Metric(
            "explained_variance",
            "Explained variance",
            help="Share of the variance that is explained; unlike R², a constant error does not count.",
        ),
        Metric("loss", "Loss", higher_is_better=False, help="The loss function, on standardized targets."),
    )


REGRESSION_CHARTS = (
    Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
    Chart("Validation metrics", {"eval_r2": "R²", "eval_spearman": "Spearman"}),
    Chart("Validation error", {"eval_mae": "MAE", "eval_rmse": "RMSE"}),
    *PROGRESS_CHARTS,
)
