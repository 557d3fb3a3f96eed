"""Figures of models. Each is an `evaluate.Metric` that comes with the app: nothing is fetched, all works offline.

The sums are done by the field's libraries. Those load when a figure is first asked for: a training begins sooner.
"""

from autotrain_gradio.training.metrics.classification import (
    AVERAGES,
    area_under_curve,
    classification,
    confusion_matrix,
    most_frequent_confusions,
    multi_label,
    multi_label_from_counts,
    per_class,
    per_label,
    precision_recall_f1,
    sigmoid,
    softmax,
    threshold_for_f1,
)
from autotrain_gradio.training.metrics.regression import regression
from autotrain_gradio.training.metrics.summaries import against_guessing, against_the_mean, shown, title

__all__ = [
    "AVERAGES",
    "against_guessing",
    "against_the_mean",
    "area_under_curve",
    "classification",
    "confusion_matrix",
    "most_frequent_confusions",
    "multi_label",
    "multi_label_from_counts",
    "per_class",
    "per_label",
    "precision_recall_f1",
    "regression",
    "shown",
    "sigmoid",
    "softmax",
    "threshold_for_f1",
    "title",
]
