"""Parameters, column, metrics and charts of the tasks that predict numbers with a model of transformers."""

from __future__ import annotations

from typing import Literal

from autotrain_gradio.data.catalog import NUMBER
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import PROGRESS_CHARTS, Chart, Metric, TrainerParams, param


class RegressionParams(TrainerParams):
    """Parameters of models that predict numbers."""

    loss_function: Literal["mse", "huber", "mae"] = param("mse", "training", title="Loss function")
    """Loss function, computed on standardized targets. `mse`: mean squared error. `huber`: as `mse` for errors below
    one standard deviation, as `mae` above. `mae`: mean absolute error. The last two are less sensitive to outliers."""
    metric_for_best_model: Literal["loss", "r2", "mae", "rmse", "spearman"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches (of several targets
    the mean)."""


TARGET_ALIASES = {name: "target" for name in ("label", "labels", "targets", "target_columns")}
"""AutoTrain's names of the column with the number."""


def number_column(*names: str) -> Column:
    """Return the column of the number, or of several numbers. names: usual ones besides the general."""
    general = ("target", "score", "rating", "stars", "value", "label", "labels", "grade", "price", "points", "y")
    return Column(
        "target",
        "Target",
        NUMBER,
        "The number to predict; several columns are predicted together.",
        purpose="target",
        many=True,
        names=(*general, *names),
    )


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
