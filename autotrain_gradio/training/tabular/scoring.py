"""The score by which the search chooses. Inside it is always better when higher; shown as people know it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics

from autotrain_gradio.training.tabular.model import Answers, Target

UNEVEN = 0.5
"""A class with less than this share of an even part of the rows makes accuracy misleading."""


@dataclass(frozen=True)
class Score:
    """A figure of one target's answers. sign: -1 for errors, so that higher is better inside."""

    name: str
    title: str
    of: Callable[[np.ndarray, Target], float]
    sign: int = 1

    def __call__(self, answers: Answers, targets: Sequence[Target]) -> float:
        """Return the mean over the targets; higher is better."""
        return self.sign * float(np.mean([self.of(a, t) for a, t in zip(answers, targets, strict=True)]))

    def shown(self, value: float) -> float:
        """Return a score as people know it."""
        return self.sign * value


def _codes(answer: np.ndarray) -> np.ndarray:
    return answer.argmax(axis=1)


def _auc(answer: np.ndarray, target: Target) -> float:
    """Return the area under the ROC curve, the mean over the classes that some rows have and some have not."""
    classes = range(1, 2) if answer.shape[1] == 2 else range(answer.shape[1])
    known = [k for k in classes if 0 < (target.values == k).sum() < len(target.values)]
    return float(np.mean([metrics.roc_auc_score(target.values == k, answer[:, k]) for k in known])) if known else 0.5


def _log_loss(answer: np.ndarray, target: Target) -> float:
    return float(metrics.log_loss(target.values, np.clip(answer, 1e-7, 1), labels=np.arange(answer.shape[1])))


def _f1(answer: np.ndarray, target: Target) -> float:
    return float(metrics.f1_score(target.values, _codes(answer), average="macro", zero_division=0))


def _recall(answer: np.ndarray, target: Target) -> float:
    found = metrics.recall_score(
        target.values, _codes(answer), average="macro", zero_division=0, labels=np.unique(target.values)
    )
    return float(found)


def _r2(answer: np.ndarray, target: Target) -> float:
    return float(metrics.r2_score(target.values, answer)) if len(answer) > 1 else 0.0


def _rmsle(answer: np.ndarray, target: Target) -> float:
    return float(metrics.root_mean_squared_log_error(target.values, np.maximum(answer, 0)))


SCORES = {
    s.name: s
    for s in (
        Score("accuracy", "accuracy", lambda a, t: float(metrics.accuracy_score(t.values, _codes(a)))),
        Score("balanced_accuracy", "balanced accuracy", _recall),
        Score("f1_macro", "F1 (macro)", _f1),
        Score("auc", "AUC", _auc),
        Score("log_loss", "log loss", _log_loss, -1),
        Score("rmse", "RMSE", lambda a, t: float(metrics.root_mean_squared_error(t.values, a)), -1),
        Score("mae", "MAE", lambda a, t: float(metrics.mean_absolute_error(t.values, a)), -1),
        Score("r2", "R²", _r2),
        Score("rmsle", "RMSLE", _rmsle, -1),
    )
}


def choose(name: str, targets: Sequence[Target]) -> Score:
    """Return the score of that name. `auto`: R² for numbers; accuracy for classes, F1 (macro) where one is rare."""
    if name != "auto":
        return SCORES[name]
    if targets[0].classes is None:
        return SCORES["r2"]
    return SCORES["f1_macro"] if any(uneven(t) for t in targets) else SCORES["accuracy"]


def uneven(target: Target) -> bool:
    """Whether a class is rare among the rows of a target."""
    counts = np.bincount(target.values)
    counts = counts[counts > 0]
    return bool(counts.min() < UNEVEN * len(target.values) / len(counts))


def guess(targets: Sequence[Target], of: Sequence[Target]) -> Answers:
    """Answer as one who knows the training rows' targets only, and no column: the shares of the classes, or the mean.

    of: the rows to answer for.
    """
    found: list[Any] = []
    for target, wanted in zip(targets, of, strict=True):
        if target.classes is None:
            found.append(np.full(len(wanted.values), target.values.mean()))
        else:
            shares = np.bincount(target.values, minlength=len(target.classes)) / len(target.values)
            found.append(np.tile(shares, (len(wanted.values), 1)))
    return found
