"""Metrics. Nothing is downloaded: they are `evaluate.Metric` modules of the app, those of several labels functions.

scikit-learn and jiwer compute the modules; they are imported when a metric is first computed, so that training starts
sooner.
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
)
from autotrain_gradio.training.metrics.ranking import RankedScores
from autotrain_gradio.training.metrics.regression import numbers, regression
from autotrain_gradio.training.metrics.summaries import compare_with_majority_class, compare_with_mean, formatted, title

__all__ = [
    "AVERAGES",
    "RankedScores",
    "compare_with_majority_class",
    "compare_with_mean",
    "area_under_curve",
    "classification",
    "confusion_matrix",
    "most_frequent_confusions",
    "multi_label",
    "multi_label_from_counts",
    "per_class",
    "numbers",
    "per_label",
    "precision_recall_f1",
    "regression",
    "formatted",
    "sigmoid",
    "softmax",
    "title",
]
