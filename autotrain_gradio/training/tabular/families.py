"""Model families: their default hyperparameters, which are tried first, and their search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sklearn import ensemble, linear_model, neighbors, svm, tree
from sklearn.calibration import CalibratedClassifierCV

from autotrain_gradio.training.tabular.prepare import Style

ProblemType = Literal["classification", "regression"]


@dataclass(frozen=True)
class Number:
    """A numeric hyperparameter. log: sampled on a log scale. integer: integer numbers only."""

    name: str
    low: float
    high: float
    default: float
    log: bool = False
    integer: bool = False


@dataclass(frozen=True)
class Choice:
    """A categorical hyperparameter."""

    name: str
    values: tuple[Any, ...]
    default: Any


Factory = Callable[[Mapping[str, Any], int, int], Any]
"""(hyperparameters, seed, threads) → unfitted estimator."""


@dataclass(frozen=True)
class Family:
    """A family of estimators.

    classifier, regressor: factories of its estimators; None: the family has none for that problem type.
    rows: `auto` excludes it for more training rows than this, because it would be too slow.
    weights: its `fit` takes `sample_weight`. multi_output: one regressor predicts multi_output targets.
    stores_rows: the fitted model contains training rows.
    """

    name: str
    title: str
    style: Style
    classifier: Factory | None
    regressor: Factory | None
    space: tuple[Number | Choice, ...]
    rows: int = 10_000_000
    weights: bool = True
    multi_output: bool = False
    stores_rows: bool = False

    def of(self, problem_type: ProblemType) -> Factory | None:
        """Return the factory of its estimator for a problem type; None: it has none."""
        factories: dict[ProblemType, Factory | None] = {"classification": self.classifier, "regression": self.regressor}
        return factories[problem_type]

    def make(self, problem_type: ProblemType, settings: Mapping[str, Any], seed: int, jobs: int) -> Any:
        """Return an unfitted estimator for a problem type.

        Raises:
            ValueError: it has none.
        """
        make = self.of(problem_type)
        if make is None:
            raise ValueError(f"{self.name} has no estimator for {problem_type}")
        return make(settings, seed, jobs)

    def defaults(self) -> dict[str, Any]:
        """Return the default hyperparameters."""
        return {d.name: d.default for d in self.space}


def _factory(kind: Callable[..., Any], *, seeded: bool = True, threaded: bool = False, **fixed: Any) -> Factory:
    """Return the factory of an estimator class, whose parameters have the names of the hyperparameters.

    seeded: it takes `random_state`. threaded: it takes `n_jobs`. fixed: parameters that are not searched.
    """

    def make(settings: Mapping[str, Any], seed: int, jobs: int) -> Any:
        more = {**({"random_state": seed} if seeded else {}), **({"n_jobs": jobs} if threaded else {})}
        return kind(**settings, **more, **fixed)

    return make


def _xgboost(name: str) -> Factory:
    """Return the factory of an XGBoost estimator; XGBoost is imported on first use."""

    def kind(**settings: Any) -> Any:
        import xgboost

        return getattr(xgboost, name)(**settings)

    return _factory(kind, threaded=True, tree_method="hist", verbosity=0)


def _adaboost(kind: Callable[..., Any], base: Callable[..., Any]) -> Factory:
    """Return the factory of AdaBoost over shallow trees."""

    def boosted(max_depth: int, random_state: int, **settings: Any) -> Any:
        tree_ = base(max_depth=max_depth, random_state=random_state)
        return kind(tree_, random_state=random_state, **settings)

    return _factory(boosted)


def _calibrated_svc(**settings: Any) -> Any:
    # Platt scaling turns its margins into probabilities.
    return CalibratedClassifierCV(svm.SVC(cache_size=400, **settings), method="sigmoid", cv=3, ensemble=False)


_BOOSTING = (
    Number("learning_rate", 0.02, 0.4, 0.1, log=True),
    Number("n_estimators", 50, 600, 200, log=True, integer=True),
    Number("max_depth", 2, 10, 5, integer=True),
    Number("subsample", 0.5, 1.0, 1.0),
)
_TREES = (
    Number("n_estimators", 50, 400, 200, log=True, integer=True),
    Choice("max_features", ("sqrt", 0.3, 0.6, 1.0), "sqrt"),
    Number("min_samples_leaf", 1, 20, 1, log=True, integer=True),
)
_PENALTY = (Number("alpha", 1e-4, 10.0, 0.01, log=True),)

FAMILIES: tuple[Family, ...] = (
    Family(
        "logistic_regression",
        "Logistic regression",
        "scaled",
        _factory(linear_model.LogisticRegression, max_iter=300),
        None,
        (Number("C", 1e-3, 1e3, 1.0, log=True),),
    ),
    Family(
        "ridge",
        "Ridge regression",
        "scaled",
        None,
        _factory(linear_model.Ridge),
        (Number("alpha", 1e-3, 1e3, 1.0, log=True),),
        multi_output=True,
    ),
    Family(
        "decision_tree",
        "Decision tree",
        "trees",
        _factory(tree.DecisionTreeClassifier),
        _factory(tree.DecisionTreeRegressor),
        (
            Number("max_depth", 2, 20, 8, integer=True),
            Number("min_samples_leaf", 1, 50, 5, log=True, integer=True),
        ),
        multi_output=True,
    ),
    Family(
        "hist_gradient_boosting",
        "Histogram gradient boosting",
        "trees",
        _factory(ensemble.HistGradientBoostingClassifier, early_stopping=False),
        _factory(ensemble.HistGradientBoostingRegressor, early_stopping=False),
        (
            Number("learning_rate", 0.02, 0.4, 0.1, log=True),
            Number("max_iter", 50, 500, 100, log=True, integer=True),
            Number("max_leaf_nodes", 7, 127, 31, log=True, integer=True),
            Number("min_samples_leaf", 2, 100, 20, log=True, integer=True),
            Number("l2_regularization", 1e-6, 10.0, 1e-6, log=True),
        ),
    ),
    Family(
        "elastic_net",
        "Elastic net",
        "scaled",
        None,
        _factory(linear_model.ElasticNet, max_iter=3000),
        (*_PENALTY, Number("l1_ratio", 0.05, 0.95, 0.5)),
        multi_output=True,
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
        _factory(ensemble.ExtraTreesClassifier, threaded=True),
        _factory(ensemble.ExtraTreesRegressor, threaded=True),
        _TREES,
        rows=500_000,
        multi_output=True,
    ),
    Family(
        "random_forest",
        "Random forest",
        "trees",
        _factory(ensemble.RandomForestClassifier, threaded=True),
        _factory(ensemble.RandomForestRegressor, threaded=True),
        _TREES,
        rows=500_000,
        multi_output=True,
    ),
    Family(
        "knn",
        "Nearest neighbours",
        "scaled",
        _factory(neighbors.KNeighborsClassifier, seeded=False, threaded=True, algorithm="brute"),
        _factory(neighbors.KNeighborsRegressor, seeded=False, threaded=True, algorithm="brute"),
        (
            Number("n_neighbors", 1, 50, 7, log=True, integer=True),
            Choice("weights", ("uniform", "distance"), "distance"),
        ),
        rows=50_000,
        weights=False,
        multi_output=True,
        stores_rows=True,
    ),
    Family(
        "svm",
        "Support vector machine",
        "scaled",
        _factory(_calibrated_svc),
        _factory(svm.SVR, seeded=False, cache_size=400),
        (
            Number("C", 1e-2, 1e3, 1.0, log=True),
            Choice("gamma", ("scale", 0.001, 0.01, 0.1), "scale"),
        ),
        rows=5_000,
        stores_rows=True,
    ),
    Family(
        "lasso",
        "Lasso",
        "scaled",
        None,
        _factory(linear_model.Lasso, max_iter=3000),
        _PENALTY,
        rows=0,
        multi_output=True,
    ),
    Family(
        "gradient_boosting",
        "Gradient boosting",
        "filled",
        _factory(ensemble.GradientBoostingClassifier),
        _factory(ensemble.GradientBoostingRegressor),
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
            Number("n_estimators", 20, 300, 100, log=True, integer=True),
            Number("learning_rate", 0.01, 2.0, 0.5, log=True),
            Number("max_depth", 1, 6, 2, integer=True),
        ),
        rows=0,
    ),
)
"""In the order in which they are first tried: fast ones, then those that usually win. `rows=0`: only on request,
because a similar family is tried anyway."""

BY_NAME = {f.name: f for f in FAMILIES}


def select(model: str, problem_type: ProblemType, rows: int) -> list[Family]:
    """Return the families that a spec's model names (`auto`, or names with commas), for so many training rows."""
    if model in ("", "auto"):
        return [f for f in FAMILIES if f.of(problem_type) and rows <= f.rows]
    names = [n.strip() for n in model.split(",")]
    return [f for f in FAMILIES if f.name in names]
