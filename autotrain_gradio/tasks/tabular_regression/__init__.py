"""Tabular regression: one number, or several, for each row of a table."""

from __future__ import annotations

from typing import Literal

from autotrain_gradio.data.catalog import DUPLICATES, NUMBER, TABLE_COLUMNS, TABLE_LEAKAGE, TABLE_ROWS
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks import tabular
from autotrain_gradio.tasks.base import Metric, Sample, Task, param


class TabularRegressionParams(tabular.TabularParams):
    """Parameters of tabular regression."""

    scoring: Literal["auto", "r2", "rmse", "mae", "rmsle"] = param("auto", "basic", title="Compare models by")
    """The figure by which the best model is chosen. auto: R²."""


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
            "What to predict",
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
        Metric("r2", "R²", help="Share of the variation that is explained: 1 is perfect, 0 no better than the mean."),
        Metric("rmse", "RMSE", higher_is_better=False, help="Typical error, large ones counting more."),
        Metric("mae", "MAE", higher_is_better=False, help="Mean error, in the unit of the target."),
        Metric("mse", "MSE", higher_is_better=False, help="Mean of the squared errors."),
        Metric("rmsle", "RMSLE", higher_is_better=False, help="Typical error of the logarithms: by how many per cent."),
        Metric("explained_variance", "Explained variance", help="As R², whatever the mean error is."),
        Metric("cv_score", "Score in cross-validation", help="Of the best model so far, by the figure chosen."),
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
    samples_title="The leaderboard, trial by trial",
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
