"""Shared declarations of the tabular tasks: parameters, model families, columns, aliases."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from autotrain_gradio.data.catalog import FEATURE, HUB, PATH, SAMPLE, SAVED_DATASET, TABLE, UPLOAD, VALUE
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import Chart, Input, Metric, Params, SuggestedModel, param
from autotrain_gradio.tasks.requirements import from_extra

AUTO = "auto"
REQUIRES = from_extra("tables", "sklearn=scikit-learn", "optuna", "skops", "skrub", "xgboost=xgboost-cpu")


class TabularParams(Params):
    """Parameters of both tabular tasks."""

    no_effect: ClassVar[dict[str, str]] = {"log": "tabular tasks support no experiment tracker"}

    num_trials: int = param(30, "basic", title="Trials", ge=1, le=10_000)
    """Number of trials of the hyperparameter search: each model family once with its default hyperparameters, then the
    best families with others."""
    time_limit: int = param(600, "basic", title="Time limit (seconds)", ge=1, le=604_800)
    """Time limit of the search in seconds. The best model so far is used."""
    folds: int | None = param(None, "evaluation", title="Cross-validation folds", ge=1, le=20)
    """Number of cross-validation folds. 1: a single hold-out split of a fifth of the training rows. Empty: 5 up to
    5,000 rows, 3 up to 50,000, then 1."""
    log: Literal["none", "tensorboard", "wandb", "trackio"] = param("none", "tracking", title="Experiment tracker")
    """Experiment tracker. Accepted for compatibility with AutoTrain; tabular tasks do not support any,
    and a warning says so."""
    numerical_imputer: Literal["auto", "median", "mean", "most_frequent"] = param(
        "auto", "training", title="Imputation of numbers"
    )
    """Imputation of missing numbers. auto: the median, and none for trees that handle missing values themselves."""
    categorical_imputer: Literal["auto", "most_frequent"] = param("auto", "training", title="Imputation of categories")
    """Imputation of missing categories. auto: missing is a category of its own."""
    numeric_scaler: Literal["auto", "none", "standard", "minmax", "maxabs", "robust"] = param(
        "auto", "training", title="Scaling of numbers"
    )
    """Scaling of numeric features. auto: standard scaling for models that depend on the scale, none for trees."""

    @field_validator("numerical_imputer", "categorical_imputer", "numeric_scaler", mode="before")
    @classmethod
    def _none_is_auto(cls, value: Any) -> Any:
        # Configs of AutoTrain have null for the default.
        return AUTO if value in (None, "") else value


SELECTION_METRICS = (
    Metric("balanced_accuracy", "Balanced accuracy"),
    Metric("log_loss", "Log loss", higher_is_better=False),
)
"""Metrics that can select the model, and are not reported under these names."""
FEATURES = Column(
    "features",
    "Feature columns",
    FEATURE,
    "All columns without another role. Their kinds can be corrected below.",
    purpose="input",
    many=True,
    rest=True,
)
ID = Column(
    "id",
    "Id",
    VALUE,
    "Names the rows in the results; not a feature.",
    purpose="meta",
    required=False,
    names=("id", "row_id", "uuid", "index"),
)
COLUMN_ALIASES = {"label": "target", "target_columns": "target", "targets": "target"}
SOURCES = (UPLOAD, PATH, HUB, SAMPLE)
LAYOUTS = (SAVED_DATASET, TABLE)
INPUTS = (Input("row", "A row", "form"), Input("table", "A table of rows", "table"))
CHARTS = (
    Chart("Cross-validation score", {"eval_cv_score": "best so far", "trial_score": "this trial"}),
    Chart("Trial duration", {"trial_seconds": "seconds"}, unit="s"),
)
MODEL_ALIASES = {
    "xgb": "xgboost",
    "rf": "random_forest",
    "hgb": "hist_gradient_boosting",
    "k_neighbors": "knn",
    "k_nearest_neighbors": "knn",
    "svc": "svm",
    "svr": "svm",
    "elasticnet": "elastic_net",
    "logistic": "logistic_regression",
}

_ALL = SuggestedModel(
    AUTO, "Tries all model families that suit the number of rows, and tunes the best ones.", title="All of them"
)
_TREES = (
    SuggestedModel(
        "hist_gradient_boosting",
        "Gradient-boosted trees, fast on many rows; usually among the best.",
        title="Histogram gradient boosting",
    ),
    SuggestedModel("xgboost", "Gradient-boosted trees with more regularization.", title="XGBoost"),
    SuggestedModel("random_forest", "Average of many trees: robust, few hyperparameters.", title="Random forest"),
    SuggestedModel(
        "extra_trees",
        "A random forest with random splits: faster, sometimes better.",
        title="Extra trees",
    ),
    SuggestedModel(
        "gradient_boosting", "Gradient-boosted trees without histograms; slow on many rows.", title="Gradient boosting"
    ),
    SuggestedModel("adaboost", "Small trees, each weighted towards the mistakes of those before.", title="AdaBoost"),
    SuggestedModel(
        "decision_tree",
        "A single tree: fast, interpretable, rarely the best.",
        title="Decision tree",
    ),
)
_OTHERS = (
    SuggestedModel("knn", "Predicts from the most similar training rows.", title="Nearest neighbours"),
    SuggestedModel("svm", "Strong on a few hundred or thousand rows; slow beyond.", title="Support vector machine"),
)
CLASSIFIERS = (
    _ALL,
    *_TREES[:4],
    SuggestedModel("logistic_regression", "Linear: fast, and a good baseline.", title="Logistic regression"),
    *_OTHERS,
    *_TREES[4:],
)
REGRESSORS = (
    _ALL,
    *_TREES[:4],
    SuggestedModel("ridge", "Linear: fast, and a good baseline.", title="Ridge regression"),
    SuggestedModel("elastic_net", "Linear with L1 and L2 regularization.", title="Elastic net"),
    SuggestedModel("lasso", "Linear with L1 regularization: selects few features.", title="Lasso"),
    *_OTHERS,
    *_TREES[4:],
)


def loader_example(answer: str) -> str:
    """Return example code that loads a model and predicts a row. answer: key in the prediction."""
    return f"""\
import skops.io

from autotrain_gradio.training.tabular.predictor import Predictor

path = f"{{model}}/model.skops"
parts = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))  # transformer and estimators
answer = Predictor(model)([{{"row": value}}])[0]["{answer}"]
"""
