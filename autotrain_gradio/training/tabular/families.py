"""Families of estimators: their defaults, which are tried first, and the space in which better settings are sought."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sklearn import ensemble, linear_model, neighbors, svm, tree
from sklearn.calibration import CalibratedClassifierCV

from autotrain_gradio.training.tabular.prepare import Style

Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class Number:
    """A setting between two numbers; log: by orders of magnitude; whole: an integer."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """A setting that is one of a few words or numbers."""

    name: str
    values: tuple[Any, ...]
    default: Any


@dataclass(frozen=True)
class Family:
    """A family of estimators.

    make: (task, settings, seed, threads) → an estimator, not fitted.
    rows: training rows up to which it is tried when nobody asks for it; it takes too long beyond.
    weights: its `fit` takes a weight for each row. several: one regressor learns several targets.
    """

    name: str
    title: str
    style: Style
    make: Callable[[Task, Mapping[str, Any], int, int], Any]
    space: tuple[Number | Choice, ...]
    tasks: tuple[Task, ...] = ("classification", "regression")
    rows: int = 10_000_000
    weights: bool = True
    several: bool = False

    def defaults(self) -> dict[str, Any]:
        """Return the settings that are tried first."""
        return {d.name: d.default for d in self.space}


def _logistic(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    return linear_model.LogisticRegression(C=s["C"], max_iter=300, random_state=seed)


def _ridge(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    return linear_model.Ridge(alpha=s["alpha"], random_state=seed)


def _lasso(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    return linear_model.Lasso(alpha=s["alpha"], max_iter=3000, random_state=seed)


def _elastic_net(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    return linear_model.ElasticNet(alpha=s["alpha"], l1_ratio=s["l1_ratio"], max_iter=3000, random_state=seed)


def _decision_tree(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    kind = tree.DecisionTreeClassifier if task == "classification" else tree.DecisionTreeRegressor
    return kind(max_depth=s["max_depth"], min_samples_leaf=s["min_samples_leaf"], random_state=seed)


def _forest(kinds: tuple[Any, Any]) -> Callable[[Task, Mapping[str, Any], int, int], Any]:
    def make(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
        return kinds[task == "regression"](
            n_estimators=s["n_estimators"],
            max_features=s["max_features"],
            min_samples_leaf=s["min_samples_leaf"],
            random_state=seed,
            n_jobs=jobs,
        )

    return make


def _hist(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    kind = (
        ensemble.HistGradientBoostingClassifier if task == "classification" else ensemble.HistGradientBoostingRegressor
    )
    return kind(
        learning_rate=s["learning_rate"],
        max_iter=s["max_iter"],
        max_leaf_nodes=s["max_leaf_nodes"],
        min_samples_leaf=s["min_samples_leaf"],
        l2_regularization=s["l2_regularization"],
        early_stopping=False,
        random_state=seed,
    )


def _gradient(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    kind = ensemble.GradientBoostingClassifier if task == "classification" else ensemble.GradientBoostingRegressor
    return kind(
        learning_rate=s["learning_rate"],
        n_estimators=s["n_estimators"],
        max_depth=s["max_depth"],
        subsample=s["subsample"],
        random_state=seed,
    )


def _xgboost(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    import xgboost

    kind = xgboost.XGBClassifier if task == "classification" else xgboost.XGBRegressor
    return kind(
        n_estimators=s["n_estimators"],
        learning_rate=s["learning_rate"],
        max_depth=s["max_depth"],
        subsample=s["subsample"],
        colsample_bytree=s["colsample_bytree"],
        reg_lambda=s["reg_lambda"],
        tree_method="hist",
        random_state=seed,
        n_jobs=jobs,
        verbosity=0,
    )


def _adaboost(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    kind, base = (
        (ensemble.AdaBoostClassifier, tree.DecisionTreeClassifier)
        if task == "classification"
        else (ensemble.AdaBoostRegressor, tree.DecisionTreeRegressor)
    )
    return kind(
        base(max_depth=s["max_depth"], random_state=seed),
        n_estimators=s["n_estimators"],
        learning_rate=s["learning_rate"],
        random_state=seed,
    )


def _neighbours(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    kind = neighbors.KNeighborsClassifier if task == "classification" else neighbors.KNeighborsRegressor
    return kind(n_neighbors=s["n_neighbors"], weights=s["weights"], algorithm="brute", n_jobs=jobs)


def _svm(task: Task, s: Mapping[str, Any], seed: int, jobs: int) -> Any:
    if task == "regression":
        return svm.SVR(C=s["C"], gamma=s["gamma"], cache_size=400)
    # Its margins are no probabilities: Platt's sigmoid makes them such.
    inner = svm.SVC(C=s["C"], gamma=s["gamma"], cache_size=400, random_state=seed)
    return CalibratedClassifierCV(inner, method="sigmoid", cv=3, ensemble=False)


_BOOSTING = (
    Number("learning_rate", 0.02, 0.4, 0.1, log=True),
    Number("n_estimators", 50, 600, 200, log=True, whole=True),
    Number("max_depth", 2, 10, 5, whole=True),
    Number("subsample", 0.5, 1.0, 1.0),
)
_TREES = (
    Number("n_estimators", 50, 400, 200, log=True, whole=True),
    Choice("max_features", ("sqrt", 0.3, 0.6, 1.0), "sqrt"),
    Number("min_samples_leaf", 1, 20, 1, log=True, whole=True),
)
_PENALTY = (Number("alpha", 1e-4, 10.0, 0.01, log=True),)

FAMILIES: tuple[Family, ...] = (
    Family(
        "logistic_regression",
        "Logistic regression",
        "scaled",
        _logistic,
        (Number("C", 1e-3, 1e3, 1.0, log=True),),
        ("classification",),
    ),
    Family(
        "ridge",
        "Ridge regression",
        "scaled",
        _ridge,
        (Number("alpha", 1e-3, 1e3, 1.0, log=True),),
        ("regression",),
        several=True,
    ),
    Family(
        "decision_tree",
        "Decision tree",
        "trees",
        _decision_tree,
        (
            Number("max_depth", 2, 20, 8, whole=True),
            Number("min_samples_leaf", 1, 50, 5, log=True, whole=True),
        ),
        several=True,
    ),
    Family(
        "hist_gradient_boosting",
        "Histogram gradient boosting",
        "trees",
        _hist,
        (
            Number("learning_rate", 0.02, 0.4, 0.1, log=True),
            Number("max_iter", 50, 500, 100, log=True, whole=True),
            Number("max_leaf_nodes", 7, 127, 31, log=True, whole=True),
            Number("min_samples_leaf", 2, 100, 20, log=True, whole=True),
            Number("l2_regularization", 1e-6, 10.0, 1e-6, log=True),
        ),
    ),
    Family(
        "elastic_net",
        "Elastic net",
        "scaled",
        _elastic_net,
        (*_PENALTY, Number("l1_ratio", 0.05, 0.95, 0.5)),
        ("regression",),
        weights=True,
        several=True,
    ),
    Family(
        "xgboost",
        "XGBoost",
        "trees",
        _xgboost,
        (
            *_BOOSTING,
            Number("colsample_bytree", 0.4, 1.0, 1.0),
            Number("reg_lambda", 1e-3, 30.0, 1.0, log=True),
        ),
    ),
    Family(
        "extra_trees",
        "Extra trees",
        "trees",
        _forest((ensemble.ExtraTreesClassifier, ensemble.ExtraTreesRegressor)),
        _TREES,
        rows=500_000,
        several=True,
    ),
    Family(
        "random_forest",
        "Random forest",
        "trees",
        _forest((ensemble.RandomForestClassifier, ensemble.RandomForestRegressor)),
        _TREES,
        rows=500_000,
        several=True,
    ),
    Family(
        "knn",
        "Nearest neighbours",
        "scaled",
        _neighbours,
        (
            Number("n_neighbors", 1, 50, 7, log=True, whole=True),
            Choice("weights", ("uniform", "distance"), "distance"),
        ),
        rows=50_000,
        weights=False,
        several=True,
    ),
    Family(
        "svm",
        "Support vector machine",
        "scaled",
        _svm,
        (
            Number("C", 1e-2, 1e3, 1.0, log=True),
            Choice("gamma", ("scale", 0.001, 0.01, 0.1), "scale"),
        ),
        rows=5_000,
    ),
    Family("lasso", "Lasso", "scaled", _lasso, _PENALTY, ("regression",), rows=0, several=True),
    Family("gradient_boosting", "Gradient boosting", "filled", _gradient, _BOOSTING, rows=0),
    Family(
        "adaboost",
        "AdaBoost",
        "filled",
        _adaboost,
        (
            Number("n_estimators", 20, 300, 100, log=True, whole=True),
            Number("learning_rate", 0.01, 2.0, 0.5, log=True),
            Number("max_depth", 1, 6, 2, whole=True),
        ),
        rows=0,
    ),
)
"""In the order in which they are first tried: the quick ones, then those that usually win. `rows=0`: only on request,
as a near relative is tried anyway."""

BY_NAME = {f.name: f for f in FAMILIES}


def chosen(model: str, task: Task, rows: int) -> list[Family]:
    """Return the families that a spec's model names (`auto`, or names with commas), for so many training rows."""
    if model in ("", "auto"):
        return [f for f in FAMILIES if task in f.tasks and rows <= f.rows]
    names = [n.strip() for n in model.split(",")]
    return [f for f in FAMILIES if f.name in names]
