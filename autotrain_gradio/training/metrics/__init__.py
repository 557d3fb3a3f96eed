"""Figures of models. Each is an `evaluate.Metric` that comes with the app: nothing is fetched, all works offline.

The sums are done by the field's libraries. Those load when a figure is first asked for: a training begins sooner.
"""

from autotrain_gradio.training.metrics.classification import (
    AVERAGES,
    area_under_curve,
    classification,
    confusion,
    multi_label,
    per_class,
    per_label,
    softmax,
    thresholds_for_f1,
)
from autotrain_gradio.training.metrics.regression import regression
from autotrain_gradio.training.metrics.summaries import against_guessing, against_the_mean, shown, title

__all__ = [
    "AVERAGES",
    "against_guessing",
    "against_the_mean",
    "area_under_curve",
    "classification",
    "confusion",
    "multi_label",
    "per_class",
    "per_label",
    "regression",
    "shown",
    "softmax",
    "thresholds_for_f1",
    "title",
]
