"""Image regression: one or several numbers per image."""

from __future__ import annotations

from typing import Any, Literal

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    EMBEDDED,
    HUB,
    NUMBER,
    NUMBER_TARGETS,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE_WITH_FILES,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import Input, Sample, Task, param
from autotrain_gradio.tasks.images import IMAGE_COLUMN, IMAGE_MODELS, AugmentationParams
from autotrain_gradio.tasks.regression import REGRESSION_CHARTS, regression_metrics
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class ImageRegressionParams(AugmentationParams):
    """Parameters of image regression."""

    random_resized_crop: bool = param(False, "augmentation", title="Random resized crop")
    """Random resized crop of the training images. Leave it off where the number depends on the size of the subject or
    on how much of it is visible."""
    loss_function: Literal["mse", "huber", "mae"] = param("mse", "training", title="Loss function")
    """Loss function, computed on standardized targets. `mse`: mean squared error. `huber`: as `mse` for errors below
    one standard deviation, as `mae` above. `mae`: mean absolute error. The last two are less sensitive to outliers."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new regression head: much faster, and often enough for few
    images."""
    metric_for_best_model: Literal["loss", "r2", "mae", "rmse", "spearman"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches (of several targets
    the mean)."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 3e-3, "epochs": 20, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="image-regression",
    title="Image regression",
    modality="Images",
    summary="Predict one or several numbers from an image: a rating, a price, an age, a count, a fill level.",
    module="autotrain_gradio.tasks.image_regression.train",
    requires=from_extra("images", *TRAINER, "albumentations"),
    preview_module="autotrain_gradio.tasks.image_regression.preview",
    params=ImageRegressionParams,
    columns=(
        IMAGE_COLUMN,
        Column(
            "target",
            "Target",
            NUMBER,
            "The number to predict; several columns are predicted together.",
            purpose="target",
            many=True,
            names=(
                "target",
                "score",
                "rating",
                "stars",
                "value",
                "label",
                "labels",
                "grade",
                "price",
                "points",
                "y",
                "age",
                "count",
                "filled",
            ),
        ),
    ),
    column_aliases={"label": "target", "labels": "target", "targets": "target", "target_columns": "target"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, EMBEDDED, TABLE_WITH_FILES),
    checks=(DUPLICATES, NUMBER_TARGETS),
    metrics=regression_metrics("images"),
    headline="r2",
    charts=REGRESSION_CHARTS,
    inputs=(Input("image", "An image", "image"),),
    loader_example="""\
from transformers import pipeline

regressor = pipeline("image-classification", model=model)
scores = regressor(value, function_to_apply="none", top_k=regressor.model.config.num_labels)
answer = {s["label"]: s["score"] for s in scores}  # in the units of the targets
if offsets := getattr(regressor.model.config, "target_offsets", None):  # the last layer of the model has no bias
    answer = {target: number + offsets[target] for target, number in answer.items()}
""",
    answer="values",
    models=IMAGE_MODELS,
    defaults=defaults,
    model_filter="image-classification",
    position=10,
    samples=(
        Sample(
            "gauges",
            "Drawn gauges",
            "image_regression/gauges",
            "120 small drawn gauges, each with the filled share of its disc in percent.",
        ),
    ),
    aliases=("image_regression", "image-scoring", "image_scoring", "image_single_column_regression"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
