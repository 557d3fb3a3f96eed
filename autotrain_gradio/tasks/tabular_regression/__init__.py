"""Tabular regression: one number per row of a table, or several targets."""

from __future__ import annotations

from typing import Literal

from autotrain_gradio.data.catalog import DUPLICATES, NUMBER, TABLE_COLUMNS, TABLE_LEAKAGE, TABLE_ROWS
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks import tabular
from autotrain_gradio.tasks.base import Metric, Sample, Task, param


class TabularRegressionParams(tabular.TabularParams):
    """Parameters of tabular regression."""

    scoring: Literal["auto", "r2", "rmse", "mae", "rmsle"] = param("auto", "basic", title="Model selection metric")
    """Metric by which the best model is selected in cross-validation. auto: R²."""


TASK = Task(
    name="tabular-regression",
    title="Table regression",
    modality="Tables",
    summary="Predict a number from the other columns of a table: a price, a demand, a duration.",
    module="autotrain_gradio.tasks.tabular_regression.train",
    requires=tabular.REQUIRES,
    params=TabularRegressionParams,
    columns=(
        Column(
            "target",
            "Target",
            NUMBER,
            "The column with the numbers; several columns are predicted together.",
            purpose="target",
            many=True,
            names=("target", "price", "rent", "value", "amount", "score", "y", "label", "sales", "demand"),
        ),
        tabular.ID,
        tabular.FEATURES,
    ),
    column_aliases=tabular.COLUMN_ALIASES,
    sources=tabular.SOURCES,
    layouts=tabular.LAYOUTS,
    checks=(TABLE_COLUMNS, TABLE_LEAKAGE, DUPLICATES, TABLE_ROWS),
    metrics=(
        Metric("r2", "R²", help="Coefficient of determination: 1 is perfect, 0 is no better than the mean."),
        Metric("rmse", "RMSE", higher_is_better=False, help="Root mean squared error, in the unit of the target."),
        Metric("mae", "MAE", higher_is_better=False, help="Mean absolute error, in the unit of the target."),
        Metric("mse", "MSE", higher_is_better=False, help="Mean squared error."),
        Metric(
            "rmsle",
            "RMSLE",
            higher_is_better=False,
            help="Root mean squared logarithmic error: about the relative error.",
        ),
        Metric(
            "explained_variance",
            "Explained variance",
            help="Share of the variance that is explained; unlike R², a constant error does not count.",
        ),
        Metric("cv_score", "Cross-validation score", help="Of the best model so far, by the model selection metric."),
    ),
    headline="r2",
    charts=tabular.CHARTS,
    inputs=tabular.INPUTS,
    loader_example=tabular.loader_example("values"),
    answer="values",
    models=tabular.REGRESSORS,
    listed=True,
    model_aliases={**tabular.MODEL_ALIASES, "linear_regression": "ridge"},
    unit="trial",
    samples_title="Leaderboard after each trial",
    samples=(
        Sample(
            "flats",
            "Rents of flats",
            "tabular/flats",
            "500 invented flats with size, district, date and missing cells.",
        ),
    ),
    aliases=(
        "tabular:regression",
        "tabular_single_column_regression",
        "tabular_multi_column_regression",
    ),
    can=frozenset({"predict", "checkpoints"}),
)
