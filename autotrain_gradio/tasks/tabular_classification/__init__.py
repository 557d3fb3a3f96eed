"""Tabular classification: one class per row of a table, or several targets."""

from __future__ import annotations

from typing import Literal

from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    DUPLICATES,
    LABEL_SPELLING,
    LABELS,
    TABLE_COLUMNS,
    TABLE_LEAKAGE,
    TABLE_ROWS,
    TABLE_TARGET,
)
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks import tabular
from autotrain_gradio.tasks.base import Metric, Sample, Task, param
from autotrain_gradio.tasks.classification import multi_label_metrics


class TabularClassificationParams(tabular.TabularParams):
    """Parameters of tabular classification."""

    scoring: Literal["auto", "accuracy", "balanced_accuracy", "f1_macro", "auc", "log_loss"] = param(
        "auto", "basic", title="Model selection metric"
    )
    """Metric by which the best model is selected in cross-validation. auto: accuracy, or F1 (macro) where a class is
    rare."""
    class_weights: Literal["auto", "none", "balanced"] = param("auto", "training", title="Class weights")
    """Class weights of the loss. balanced: inversely proportional to the class frequencies, so that mistakes in rare
    classes count more. auto: both are tried where a class is rare."""


TASK = Task(
    name="tabular-classification",
    title="Table classification",
    modality="Tables",
    summary="Predict a class from the other columns of a table: who will leave, which device will fail.",
    module="autotrain_gradio.tasks.tabular_classification.train",
    requires=tabular.REQUIRES,
    params=TabularClassificationParams,
    columns=(
        Column(
            "target",
            "Target",
            LABELS,
            "The column with the classes; several columns are predicted independently.",
            purpose="target",
            many=True,
            names=("target", "label", "labels", "class", "category", "outcome", "y", "species", "churn"),
        ),
        tabular.ID,
        tabular.FEATURES,
    ),
    column_aliases=tabular.COLUMN_ALIASES,
    sources=tabular.SOURCES,
    layouts=tabular.LAYOUTS,
    checks=(LABEL_SPELLING, CLASS_BALANCE, TABLE_TARGET, TABLE_COLUMNS, TABLE_LEAKAGE, DUPLICATES, TABLE_ROWS),
    metrics=(
        Metric(
            "accuracy",
            "Accuracy",
            percent=True,
            help="Share of rows with the right class; multi-label: with all labels right.",
        ),
        *multi_label_metrics("rows"),
        Metric("loss", "Log loss", higher_is_better=False, help="Negative log-likelihood of the true class."),
        Metric("cv_score", "Cross-validation score", help="Of the best model so far, by the model selection metric."),
    ),
    headline="accuracy",
    charts=tabular.CHARTS,
    inputs=tabular.INPUTS,
    loader_example=tabular.loader_example("label"),
    models=tabular.CLASSIFIERS,
    listed=True,
    model_aliases={**tabular.MODEL_ALIASES, "ridge": "logistic_regression"},
    unit="trial",
    samples_title="Leaderboard after each trial",
    samples=(
        Sample(
            "customers",
            "Customers who stay or leave",
            "tabular/customers",
            "600 invented customers with numbers, categories, dates and missing cells.",
        ),
    ),
    aliases=(
        "tabular",
        "tabular:classification",
        "tabular_binary_classification",
        "tabular_multi_class_classification",
        "tabular_multi_label_classification",
        "tabular_multi_class",
        "tabular_single_column_classification",
        "tabular_multi_column_classification",
    ),
    can=frozenset({"predict", "checkpoints"}),
)
