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


Make = Callable[[Mapping[str, Any], int, int], Any]
"""(settings, seed, threads) → an estimator, not fitted."""


@dataclass(frozen=True)
class Family:
    """A family of estimators.

    classifier, regressor: how its estimators of classes and of numbers are made; None where it has none.
    rows: training rows up to which it is tried when nobody asks for it; it takes too long beyond.
    weights: its `fit` takes a weight for each row. several: one regressor learns several targets.
    keeps_rows: what it has learnt are training rows.
    """

    name: str
    title: str
    style: Style
    classifier: Make | None
    regressor: Make | None
    space: tuple[Number | Choice, ...]
    rows: int = 10_000_000
    weights: bool = True
    several: bool = False
    keeps_rows: bool = False

    def of(self, task: Task) -> Make | None:
        """Return how its estimator for a task is made, None where it has none."""
        makers: dict[Task, Make | None] = {"classification": self.classifier, "regression": self.regressor}
        return makers[task]

    def make(self, task: Task, settings: Mapping[str, Any], seed: int, jobs: int) -> Any:
        """Return its estimator for a task, not fitted.

        Raises:
            ValueError: it has none.
        """
        make = self.of(task)
        if make is None:
            raise ValueError(f"{self.name} has no estimator for {task}")
        return make(settings, seed, jobs)

    def defaults(self) -> dict[str, Any]:
        """Return the settings that are tried first."""
        return {d.name: d.default for d in self.space}


def _made(kind: Callable[..., Any], *, seeded: bool = True, threaded: bool = False, **fixed: Any) -> Make:
    """Return how a class of estimators is made, whose parameters are called as the settings are.

    seeded: chance decides in it. threaded: it uses several threads when told to. fixed: parameters that are not sought.
    """

    def make(settings: Mapping[str, Any], seed: int, jobs: int) -> Any:
        more = {**({"random_state": seed} if seeded else {}), **({"n_jobs": jobs} if threaded else {})}
        return kind(**settings, **more, **fixed)

    return make


def _xgboost(name: str) -> Make:
    """Return how a class of XGBoost is made; it is loaded when it is needed."""

    def kind(**settings: Any) -> Any:
        import xgboost

        return getattr(xgboost, name)(**settings)

    return _made(kind, threaded=True, tree_method="hist", verbosity=0)


def _adaboost(kind: Callable[..., Any], base: Callable[..., Any]) -> Make:
    """Return how trees of a small depth are boosted."""

    def boosted(max_depth: int, random_state: int, **settings: Any) -> Any:
        tree_ = base(max_depth=max_depth, random_state=random_state)
        return kind(tree_, random_state=random_state, **settings)

    return _made(boosted)


def _calibrated_svc(**settings: Any) -> Any:
    # Its margins are no probabilities: Platt's sigmoid makes them such.
    return CalibratedClassifierCV(svm.SVC(cache_size=400, **settings), method="sigmoid", cv=3, ensemble=False)


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
        _made(linear_model.LogisticRegression, max_iter=300),
        None,
        (Number("C", 1e-3, 1e3, 1.0, log=True),),
    ),
    Family(
        "ridge",
        "Ridge regression",
        "scaled",
        None,
        _made(linear_model.Ridge),
        (Number("alpha", 1e-3, 1e3, 1.0, log=True),),
        several=True,
    ),
    Family(
        "decision_tree",
        "Decision tree",
        "trees",
        _made(tree.DecisionTreeClassifier),
        _made(tree.DecisionTreeRegressor),
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
        _made(ensemble.HistGradientBoostingClassifier, early_stopping=False),
        _made(ensemble.HistGradientBoostingRegressor, early_stopping=False),
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
        None,
        _made(linear_model.ElasticNet, max_iter=3000),
        (*_PENALTY, Number("l1_ratio", 0.05, 0.95, 0.5)),
        several=True,
    ),
    Family(
        "xgboost",
        "XGBoost",
        "trees",
        _xgboost("XGBClassifier"),
        _xgboost("XGBRegressor"),
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
        _made(ensemble.ExtraTreesClassifier, threaded=True),
        _made(ensemble.ExtraTreesRegressor, threaded=True),
        _TREES,
        rows=500_000,
        several=True,
    ),
    Family(
        "random_forest",
        "Random forest",
        "trees",
        _made(ensemble.RandomForestClassifier, threaded=True),
        _made(ensemble.RandomForestRegressor, threaded=True),
        _TREES,
        rows=500_000,
        several=True,
    ),
    Family(
        "knn",
        "Nearest neighbours",
        "scaled",
        _made(neighbors.KNeighborsClassifier, seeded=False, threaded=True, algorithm="brute"),
        _made(neighbors.KNeighborsRegressor, seeded=False, threaded=True, algorithm="brute"),
        (
            Number("n_neighbors", 1, 50, 7, log=True, whole=True),
            Choice("weights", ("uniform", "distance"), "distance"),
        ),
        rows=50_000,
        weights=False,
        several=True,
        keeps_rows=True,
    ),
    Family(
        "svm",
        "Support vector machine",
        "scaled",
        _made(_calibrated_svc),
        _made(svm.SVR, seeded=False, cache_size=400),
        (
            Number("C", 1e-2, 1e3, 1.0, log=True),
            Choice("gamma", ("scale", 0.001, 0.01, 0.1), "scale"),
        ),
        rows=5_000,
        keeps_rows=True,
    ),
    Family(
        "lasso",
        "Lasso",
        "scaled",
        None,
        _made(linear_model.Lasso, max_iter=3000),
        _PENALTY,
        rows=0,
        several=True,
    ),
    Family(
        "gradient_boosting",
        "Gradient boosting",
        "filled",
        _made(ensemble.GradientBoostingClassifier),
        _made(ensemble.GradientBoostingRegressor),
        _BOOSTING,
        rows=0,
    ),
    Family(
        "adaboost",
        "AdaBoost",
        "filled",
        _adaboost(ensemble.AdaBoostClassifier, tree.DecisionTreeClassifier),
        _adaboost(ensemble.AdaBoostRegressor, tree.DecisionTreeRegressor),
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


def select(model: str, task: Task, rows: int) -> list[Family]:
    """Return the families that a spec's model names (`auto`, or names with commas), for so many training rows."""
    if model in ("", "auto"):
        return [f for f in FAMILIES if f.of(task) and rows <= f.rows]
    names = [n.strip() for n in model.split(",")]
    return [f for f in FAMILIES if f.name in names]
