"""Image classification: one class per image."""

from __future__ import annotations

from typing import Any, Literal

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    CLASS_FOLDERS,
    DUPLICATES,
    EMBEDDED,
    HUB,
    LABEL,
    LABEL_SPELLING,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE_WITH_FILES,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import (
    PROGRESS_CHARTS,
    Chart,
    Input,
    Metric,
    Sample,
    Task,
    param,
)
from autotrain_gradio.tasks.classification import classification_metrics
from autotrain_gradio.tasks.images import IMAGE_COLUMN, IMAGE_MODELS, AugmentationParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class ImageClassificationParams(AugmentationParams):
    """Parameters of image classification."""

    class_weights: Literal["none", "balanced"] = param("none", "training", title="Class weights")
    """Class weights of the loss. `balanced`: inversely proportional to the class frequencies, so that mistakes in rare
    classes count more."""
    label_smoothing: float = param(0.0, "training", title="Label smoothing", ge=0, lt=1)
    """Label smoothing factor. 0.1 helps where labels are uncertain."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new classification head: much faster, and often enough for few
    images."""
    metric_for_best_model: Literal["loss", "accuracy", "f1"] = param(
        "loss", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches (f1: macro average
    with more than two classes)."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 3e-3, "epochs": 20, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="image-classification",
    title="Image classification",
    modality="Images",
    summary="Classify images: products, plants, defects, species, documents.",
    module="autotrain_gradio.tasks.image_classification.train",
    requires=from_extra("images", *TRAINER, "albumentations"),
    preview_module="autotrain_gradio.tasks.image_classification.preview",
    params=ImageClassificationParams,
    columns=(
        IMAGE_COLUMN,
        Column(
            "target",
            "Label",
            LABEL,
            "The class of the image.",
            purpose="target",
            names=("target", "label", "labels", "class", "category", "fine_label", "species", "y"),
        ),
    ),
    column_aliases={"label": "target"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, EMBEDDED, TABLE_WITH_FILES, CLASS_FOLDERS),
    checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES),
    metrics=(
        Metric("accuracy", "Accuracy", percent=True, help="Share of images with the right class."),
        *classification_metrics("images"),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="accuracy",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Validation metrics",
            {"eval_accuracy": "accuracy", "eval_f1": "F1", "eval_f1_macro": "F1 (macro)", "eval_auc": "AUC"},
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("image", "An image", "image"),),
    loader_example="""\
from transformers import pipeline

classifier = pipeline("image-classification", model=model)
answer = classifier(value)[0]["label"]
""",
    models=IMAGE_MODELS,
    defaults=defaults,
    model_filter="image-classification",
    position=0,
    samples=(
        Sample(
            "shapes",
            "Drawn leaves, stars and hearts",
            "image_classification/shapes",
            "90 small images in three classes.",
        ),
    ),
    aliases=(
        "image_classification",
        "image-binary-classification",
        "image-multi-class-classification",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
