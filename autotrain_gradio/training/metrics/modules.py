"""The `evaluate.Metric` modules; `evaluate.combine([...])` accepts them.

`module` creates one instance of each per process, with its data in memory.
"""

from __future__ import annotations

import tempfile
from typing import Any

import datasets
import numpy as np

from autotrain_gradio.training.metrics.classification import AVERAGES
from autotrain_gradio.training.metrics.lazy_evaluate import evaluate

NUMBER = datasets.Value("float64")
CITATION = "Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011."


class _Metric(evaluate.Metric):
    """Base class of the metrics; a subclass has `_compute(predictions, references)`."""

    about = ""
    predictions: Any = NUMBER
    references: Any = NUMBER

    def _info(self) -> evaluate.MetricInfo:
        features = datasets.Features({"predictions": self.predictions, "references": self.references})
        return evaluate.MetricInfo(
            description=self.about, citation=CITATION, inputs_description=self.about, features=features
        )


class Classification(_Metric):
    """Metrics of a classifier with two or more classes."""

    about = (
        "predictions: classes (rows,). references: classes (rows,). classes: their number. "
        "scores: of class 1 (rows,), with two classes; any monotonic function of the probability."
    )
    predictions = datasets.Value("int64")
    references = datasets.Value("int64")

    def _compute(self, predictions: Any, references: Any, classes: int, scores: Any = None) -> dict[str, float]:
        from sklearn.metrics import accuracy_score, precision_recall_fscore_support

        predicted, targets = np.asarray(predictions), np.asarray(references)
        found = {"accuracy": float(accuracy_score(targets, predicted))}
        if classes == 2:
            values = precision_recall_fscore_support(targets, predicted, pos_label=1, average="binary", zero_division=0)
            found |= dict(zip(("precision", "recall", "f1"), map(float, values[:3]), strict=True))
            area = None if scores is None else area_under_curve(np.asarray(scores), targets)
            return found if area is None else {**found, "auc": area}
        return found | _averages(predicted, targets)


class Regression(_Metric):
    """Metrics of a regression model."""

    about = "predictions: numbers (rows,). references: numbers (rows,)."

    def _compute(self, predictions: Any, references: Any) -> dict[str, float]:
        from sklearn import metrics

        predicted, targets = np.asarray(predictions, dtype=np.float64), np.asarray(references, dtype=np.float64)
        found = {
            "mse": float(metrics.mean_squared_error(targets, predicted)),
            "mae": float(metrics.mean_absolute_error(targets, predicted)),
            "rmse": float(metrics.root_mean_squared_error(targets, predicted)),
        }
        if len(targets) > 1:  # undefined for one row, which has no variance
            found["r2"] = float(metrics.r2_score(targets, predicted))
            found["explained_variance"] = float(metrics.explained_variance_score(targets, predicted))
        if (targets >= 0).all() and (predicted >= 0).all():
            found["rmsle"] = float(metrics.root_mean_squared_log_error(targets, predicted))
        return found


def _averages(predicted: np.ndarray, targets: np.ndarray) -> dict[str, float]:
    from sklearn.metrics import precision_recall_fscore_support

    found: dict[str, float] = {}
    for average in AVERAGES:
        values = precision_recall_fscore_support(targets, predicted, average=average, zero_division=0)
        names = (f"precision_{average}", f"recall_{average}", f"f1_{average}")
        found |= dict(zip(names, map(float, values[:3]), strict=True))
    return found


def area_under_curve(scores: np.ndarray, targets: np.ndarray) -> float | None:
    """Return the area under the ROC curve: the probability that a row of class 1 scores above one of class 0.

    None if one of the two classes does not occur: it is undefined.
    """
    from sklearn.metrics import roc_auc_score

    return None if len(np.unique(targets)) < 2 else float(roc_auc_score(targets, scores))


_MODULES: dict[Any, evaluate.Metric] = {}


def module(kind: type[evaluate.Metric]) -> evaluate.Metric:
    """Return the one instance of a metric. Its data stays in memory; the library needs a folder nevertheless."""
    if kind not in _MODULES:
        _MODULES[kind] = kind(keep_in_memory=True, cache_dir=tempfile.gettempdir())
    return _MODULES[kind]


def compute(kind: type[evaluate.Metric], predictions: Any, references: Any, **more: Any) -> dict[str, float]:
    """Compute one of the metrics above."""
    found = module(kind).compute(predictions=predictions, references=references, **more)
    assert found is not None  # None on other ranks of a distributed metric only
    return {name: float(value) for name, value in found.items()}
