"""Tabular classification: one class, or several, for each row of a table."""

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
from autotrain_gradio.tasks.classification import figures


class TabularClassificationParams(tabular.TabularParams):
    """Parameters of tabular classification."""

    scoring: Literal["auto", "accuracy", "balanced_accuracy", "f1_macro", "auc", "log_loss"] = param(
        "auto", "basic", title="Compare models by"
    )
    """The figure by which the best model is chosen. auto: accuracy, and F1 (macro) where a class is rare."""
    class_weights: Literal["auto", "none", "balanced"] = param("auto", "training")
    """balanced: mistakes in a rare class count more, in proportion to its rarity. auto: where a class is rare, both
    ways are tried."""


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
            "What to predict",
            LABELS,
            "The column with the classes; several columns are predicted each by itself.",
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
        Metric("accuracy", "Accuracy", percent=True, help="Share of rows with the right class (several labels: all)."),
        *figures("rows"),
        Metric("hamming_loss", "Hamming loss", higher_is_better=False, help="Share of wrong labels (several labels)."),
        Metric("loss", "Log loss", higher_is_better=False, help="How far the shares are from the truth."),
        Metric("cv_score", "Score in cross-validation", help="Of the best model so far, by the figure chosen."),
    ),
    headline="accuracy",
    charts=tabular.CHARTS,
    inputs=tabular.INPUTS,
    loader_example=tabular.loader_example("label"),
    models=tabular.CLASSIFIERS,
    listed=True,
    model_aliases={**tabular.MODEL_ALIASES, "ridge": "logistic_regression"},
    unit="trial",
    samples_title="The leaderboard, trial by trial",
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
