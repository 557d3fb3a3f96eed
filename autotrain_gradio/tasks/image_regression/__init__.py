"""Image regression: one or several numbers per image."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    EMBEDDED,
    HUB,
    NUMBER_TARGETS,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE_WITH_FILES,
    UPLOAD,
)
from autotrain_gradio.tasks.base import Input, Sample, Task, param
from autotrain_gradio.tasks.images import EXPLAIN, IMAGE_COLUMN, IMAGE_MODELS, AugmentationParams, GradientMapParams
from autotrain_gradio.tasks.regression import (
    REGRESSION_CHARTS,
    TARGET_ALIASES,
    RegressionParams,
    number_column,
    regression_metrics,
)
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class ImageRegressionParams(AugmentationParams, RegressionParams, GradientMapParams):
    """Parameters of image regression."""

    random_resized_crop: bool = param(False, "augmentation", title="Random resized crop")
    """Random resized crop of the training images. Leave it off where the number depends on the size of the subject or
    on how much of it is visible."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new regression head: much faster, and often enough for few
    images."""


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
        number_column("age", "count", "filled"),
    ),
    column_aliases=TARGET_ALIASES,
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
    verbs=(EXPLAIN,),
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
