"""Image classification: one class per image, or multi-label."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    CLASS_FOLDERS,
    DUPLICATES,
    EMBEDDED,
    HUB,
    LABEL_SPELLING,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE_WITH_FILES,
    UPLOAD,
)
from autotrain_gradio.tasks.base import (
    Input,
    Sample,
    Task,
    param,
)
from autotrain_gradio.tasks.classification import CLASSIFIER_CHARTS, ClassifierParams, classifier_metrics, label_column
from autotrain_gradio.tasks.images import EXPLAIN, IMAGE_COLUMN, IMAGE_MODELS, AugmentationParams, GradientMapParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class ImageClassificationParams(AugmentationParams, ClassifierParams, GradientMapParams):
    """Parameters of image classification."""

    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new classification head: much faster, and often enough for few
    images."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 3e-3, "epochs": 20, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="image-classification",
    title="Image classification",
    modality="Images",
    summary="Classify images, with one class or several labels each: products, plants, defects, species, documents.",
    module="autotrain_gradio.tasks.image_classification.train",
    requires=from_extra("images", *TRAINER, "albumentations"),
    preview_module="autotrain_gradio.tasks.image_classification.preview",
    params=ImageClassificationParams,
    columns=(
        IMAGE_COLUMN,
        label_column("image", "fine_label", "species"),
    ),
    column_aliases={"label": "target", "labels": "target"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, EMBEDDED, TABLE_WITH_FILES, CLASS_FOLDERS),
    checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES),
    metrics=classifier_metrics("images"),
    headline="accuracy",
    charts=CLASSIFIER_CHARTS,
    inputs=(Input("image", "An image", "image"),),
    loader_example="""\
from transformers import pipeline

classifier = pipeline("image-classification", model=model)
config = classifier.model.config
scores = classifier(value, top_k=config.num_labels)
answer = scores[0]["label"]
if thresholds := getattr(config, "label_thresholds", None):  # a multi-label model
    answer = [s["label"] for s in scores if s["score"] >= thresholds[s["label"]]]
""",
    models=IMAGE_MODELS,
    defaults=defaults,
    verbs=(EXPLAIN,),
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
        "image-multi-label-classification",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
