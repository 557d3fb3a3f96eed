"""What the two tasks on tables declare alike: parameters, families of models, columns, aliases."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.data.catalog import FEATURE, HUB, PATH, SAMPLE, SAVED_DATASET, TABLE, UPLOAD, VALUE
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import Chart, Input, Params, SuggestedModel, param
from autotrain_gradio.tasks.requirements import from_extra

AUTO = "auto"
REQUIRES = from_extra("tables", "sklearn=scikit-learn", "optuna", "skops", "skrub", "xgboost=xgboost-cpu")


class TabularParams(Params):
    """Parameters of both tasks on tables."""

    num_trials: int = param(30, "basic", title="Trials", ge=1, le=10_000)
    """How many models are tried: each family once with its usual settings, then the promising ones with others."""
    time_limit: int = param(600, "basic", title="Time limit in seconds", ge=1, le=604_800)
    """The search ends after this time, and the best model until then is kept."""
    folds: int | None = param(None, "evaluation", title="Cross-validation folds", ge=1, le=20)
    """Parts in which the training rows are cut, each judged by a model that learnt from the others; 1: a fifth is kept
    aside once; empty: 5 up to 5,000 rows, 3 up to 50,000, then 1."""
    log: Literal["none", "tensorboard", "wandb", "trackio"] = param("none", "tracking", title="Experiment tracker")
    """Taken over from AutoTrain's files: a search over models of tables reports to no tracker, and says so if asked."""
    numerical_imputer: Literal["auto", "median", "mean", "most_frequent"] = param("auto", "training")
    """What stands in for a missing number. auto: the median, and nothing for trees that know of missing numbers."""
    categorical_imputer: Literal["auto", "most_frequent"] = param("auto", "training")
    """What stands in for a missing category. auto: missing is a category of its own."""
    numeric_scaler: Literal["auto", "none", "standard", "minmax", "maxabs", "robust"] = param("auto", "training")
    """How numbers are brought to one scale. auto: standard for models that compare sizes, none for trees."""

    @field_validator("numerical_imputer", "categorical_imputer", "numeric_scaler", mode="before")
    @classmethod
    def _none_is_auto(cls, value: Any) -> Any:
        # AutoTrain's configs write null where nothing was chosen.
        return AUTO if value in (None, "") else value


FEATURES = Column(
    "features",
    "Columns to learn from",
    FEATURE,
    "All that no other role takes. What each one holds can be corrected below.",
    purpose="input",
    many=True,
    rest=True,
)
ID = Column(
    "id",
    "Id",
    VALUE,
    "Names the rows in the results; nothing is learnt from it.",
    purpose="meta",
    required=False,
    names=("id", "row_id", "uuid", "index"),
)
COLUMN_ALIASES = {"label": "target", "target_columns": "target", "targets": "target"}
SOURCES = (UPLOAD, PATH, HUB, SAMPLE)
LAYOUTS = (SAVED_DATASET, TABLE)
INPUTS = (Input("row", "A row", "form"), Input("table", "A table of rows", "table"))
CHARTS = (
    Chart("Score in cross-validation", {"eval_cv_score": "best so far", "trial_score": "this trial"}),
    Chart("Time of a trial", {"trial_seconds": "seconds"}, unit="s"),
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
    AUTO, "Tries all families that suit the number of rows, and tunes the best ones.", title="All of them"
)
_TREES = (
    SuggestedModel(
        "hist_gradient_boosting",
        "Boosted trees that are quick on many rows; usually among the best.",
        title="Histogram gradient boosting",
    ),
    SuggestedModel(
        "xgboost", "Boosted trees too, with more ways to keep them from learning by heart.", title="XGBoost"
    ),
    SuggestedModel("random_forest", "Many trees that vote: robust, little to set.", title="Random forest"),
    SuggestedModel(
        "extra_trees",
        "As a random forest, with more chance in each tree: quicker, sometimes better.",
        title="Extra trees",
    ),
    SuggestedModel(
        "gradient_boosting", "The classic form of boosted trees; slow on many rows.", title="Gradient boosting"
    ),
    SuggestedModel("adaboost", "Small trees, each looking at the mistakes of those before.", title="AdaBoost"),
    SuggestedModel(
        "decision_tree",
        "A single tree: quick, easy to follow, seldom the best.",
        title="Decision tree",
    ),
)
_OTHERS = (
    SuggestedModel("knn", "Answers as the most similar training rows do.", title="Nearest neighbours"),
    SuggestedModel("svm", "Strong on a few hundred or thousand rows; slow beyond.", title="Support vector machine"),
)
CLASSIFIERS = (
    _ALL,
    *_TREES[:4],
    SuggestedModel(
        "logistic_regression", "Linear: quick, and a good yardstick for all others.", title="Logistic regression"
    ),
    *_OTHERS,
    *_TREES[4:],
)
REGRESSORS = (
    _ALL,
    *_TREES[:4],
    SuggestedModel("ridge", "Linear: quick, and a good yardstick for all others.", title="Ridge regression"),
    SuggestedModel("elastic_net", "Linear, and leaves out columns that do not help.", title="Elastic net"),
    SuggestedModel("lasso", "Linear, and uses as few columns as it can.", title="Lasso"),
    *_OTHERS,
    *_TREES[4:],
)


def loader_example(answer: str) -> str:
    """Return code that loads a model and predicts a row. answer: key of the prediction."""
    return f"""\
import skops.io

from autotrain_gradio.training.tabular.predictor import Predictor

path = f"{{model}}/model.skops"
parts = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))  # transformer and estimators
answer = Predictor(model)([{{"row": value}}])[0]["{answer}"]
"""
