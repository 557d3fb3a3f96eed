"""Scores for model selection. Internally higher is always better; `shown` restores the usual sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics

from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training.tabular.model import Predictions, Target

IMBALANCE = 0.5
"""Targets are imbalanced if the rarest class has less than this share of rows / classes."""


@dataclass(frozen=True)
class Score:
    """A metric of one target's predictions. Its title and direction are those that the task declares."""

    metric: Metric
    of: Callable[[np.ndarray, Target], float]

    @property
    def name(self) -> str:
        """Name of the metric."""
        return self.metric.name

    @property
    def title(self) -> str:
        """Title of the metric."""
        return self.metric.title

    def __call__(self, predictions: Predictions, targets: Sequence[Target]) -> float:
        """Return the mean over the targets; higher is better."""
        return self.shown(float(np.mean([self.of(a, t) for a, t in zip(predictions, targets, strict=True)])))

    def shown(self, value: float) -> float:
        """Return a score in the usual sign of its metric: the inverse of a call, and the same function."""
        return value if self.metric.higher_is_better else -value


def _codes(prediction: np.ndarray) -> np.ndarray:
    return prediction.argmax(axis=1)


def _auc(prediction: np.ndarray, target: Target) -> float:
    """Return the area under the ROC curve, the mean over the classes that some rows have and others do not."""
    classes = range(1, 2) if prediction.shape[1] == 2 else range(prediction.shape[1])
    known = [k for k in classes if 0 < (target.values == k).sum() < len(target.values)]
    return (
        float(np.mean([metrics.roc_auc_score(target.values == k, prediction[:, k]) for k in known])) if known else 0.5
    )


def _log_loss(prediction: np.ndarray, target: Target) -> float:
    return float(metrics.log_loss(target.values, np.clip(prediction, 1e-7, 1), labels=np.arange(prediction.shape[1])))


def _f1(prediction: np.ndarray, target: Target) -> float:
    return float(metrics.f1_score(target.values, _codes(prediction), average="macro", zero_division=0))


def _recall(prediction: np.ndarray, target: Target) -> float:
    found = metrics.recall_score(
        target.values, _codes(prediction), average="macro", zero_division=0, labels=np.unique(target.values)
    )
    return float(found)


def _r2(prediction: np.ndarray, target: Target) -> float:
    return float(metrics.r2_score(target.values, prediction)) if len(prediction) > 1 else 0.0


def _rmsle(prediction: np.ndarray, target: Target) -> float:
    return float(metrics.root_mean_squared_log_error(target.values, np.maximum(prediction, 0)))


FUNCTIONS: Mapping[str, Callable[[np.ndarray, Target], float]] = {
    "accuracy": lambda a, t: float(metrics.accuracy_score(t.values, _codes(a))),
    "balanced_accuracy": _recall,
    "f1_macro": _f1,
    "auc": _auc,
    "log_loss": _log_loss,
    "rmse": lambda a, t: float(metrics.root_mean_squared_error(t.values, a)),
    "mae": lambda a, t: float(metrics.mean_absolute_error(t.values, a)),
    "r2": _r2,
    "rmsle": _rmsle,
}
"""Metric → (prediction, target) → value."""


def score(name: str, declared: Sequence[Metric]) -> Score:
    """Return a score by its name. declared: metrics of the task.

    Raises:
        KeyError: the task does not declare the metric.
    """
    return Score({metric.name: metric for metric in declared}[name], FUNCTIONS[name])


def choose(name: str, targets: Sequence[Target], declared: Sequence[Metric]) -> Score:
    """Return a score by its name. `auto`: R² for numbers; accuracy for classes, F1 (macro) if they are imbalanced."""
    if name == "auto":
        name = "accuracy" if targets[0].classes is not None else "r2"
        if name == "accuracy" and any(is_imbalanced(t) for t in targets):
            name = "f1_macro"
    return score(name, declared)


def is_imbalanced(target: Target) -> bool:
    """Whether the classes of a target are imbalanced."""
    counts = np.bincount(target.values)
    counts = counts[counts > 0]
    return bool(counts.min() < IMBALANCE * len(target.values) / len(counts))


def baseline_predictions(targets: Sequence[Target], of: Sequence[Target]) -> Predictions:
    """Return the predictions of a baseline: class frequencies, or the mean, of the training targets.

    of: the targets of the rows to predict.
    """
    found: list[Any] = []
    for target, wanted in zip(targets, of, strict=True):
        if target.classes is None:
            found.append(np.full(len(wanted.values), target.values.mean()))
        else:
            frequencies = np.bincount(target.values, minlength=len(target.classes)) / len(target.values)
            found.append(np.tile(frequencies, (len(wanted.values), 1)))
    return found
