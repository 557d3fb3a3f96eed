"""Image classification: one label for each picture."""

from __future__ import annotations

from typing import Any, Literal

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    CLASS_FOLDERS,
    DUPLICATES,
    EMBEDDED,
    HUB,
    IMAGE,
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
    SuggestedModel,
    Task,
    TrainerParams,
    param,
)
from autotrain_gradio.tasks.classification import figures
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class ImageClassificationParams(TrainerParams):
    """Parameters of image classification."""

    random_resized_crop: bool = param(True, "augmentation")
    """Train on random cutouts, so that the size and place of the subject do not matter."""
    random_rotate90: bool = param(True, "augmentation", title="Random 90° rotation")
    """Turn images by a multiple of 90 degrees. Switch it off where up and down matter, as in digits."""
    horizontal_flip: bool = param(True, "augmentation")
    """Mirror every second image. Switch it off where left and right matter, as in text."""
    random_brightness_contrast: bool = param(True, "augmentation")
    """Change brightness and contrast of every fifth image a little."""
    class_weights: Literal["none", "balanced"] = param("none", "training")
    """`balanced`: mistakes in a rare class count more, in proportion to its rarity."""
    label_smoothing: float = param(0.0, "training", ge=0, lt=1)
    """Share of the certainty that is taken from the true label; 0.1 helps where labels are doubtful."""
    freeze_backbone: bool = param(False, "training")
    """Train only the new last layer: much faster, and often enough for few images."""
    metric_for_best_model: Literal["loss", "accuracy", "f1"] = param("loss", "evaluation")
    """Validation figure by which the best checkpoint is chosen (f1: macro average for several classes)."""


def defaults(model: str) -> dict[str, Any]:
    """A model that starts from nothing has more to learn, and can take larger steps."""
    return {"lr": 3e-3, "epochs": 20, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="image-classification",
    title="Image classification",
    modality="Images",
    summary="Sort pictures into classes: products, plants, defects, species, documents.",
    module="autotrain_gradio.tasks.image_classification.train",
    requires=from_extra("images", *TRAINER, "albumentations"),
    preview_module="autotrain_gradio.tasks.image_classification.preview",
    params=ImageClassificationParams,
    columns=(
        Column(
            "image",
            "Image",
            IMAGE,
            "The picture, or the name of its file.",
            purpose="input",
            names=("image", "img", "file_name", "filename", "file", "image_path", "path", "picture", "photo"),
        ),
        Column(
            "target",
            "Label",
            LABEL,
            "The class that the picture belongs to.",
            purpose="target",
            names=("target", "label", "labels", "class", "category", "fine_label", "species", "y"),
        ),
    ),
    column_aliases={"label": "target"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, EMBEDDED, TABLE_WITH_FILES, CLASS_FOLDERS),
    checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES),
    metrics=(
        Metric("accuracy", "Accuracy", percent=True, help="Share of pictures with the right label."),
        *figures("pictures"),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="accuracy",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Quality on the validation images",
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
    models=(
        SuggestedModel(
            "google/vit-base-patch16-224", "A solid first choice with a GPU; good with few images.", 86, gpu=True
        ),
        SuggestedModel("microsoft/resnet-50", "A classic that trains well on a CPU.", 25.6),
        SuggestedModel("microsoft/resnet-18", "The quickest; for a CPU, a free Space, or a first look.", 11.7),
        SuggestedModel("facebook/convnext-tiny-224", "More accurate than ResNet at about the same speed.", 28.6),
        SuggestedModel(
            "microsoft/swin-base-patch4-window7-224",
            "For fine detail and over 1,000 images; wants a GPU.",
            88,
            gpu=True,
        ),
        SuggestedModel("google/vit-large-patch16-224", "For over 10,000 images and a large GPU.", 304, gpu=True),
    ),
    defaults=defaults,
    model_filter="image-classification",
    samples=(
        Sample(
            "shapes",
            "Drawn leaves, stars and hearts",
            "image_classification/shapes",
            "90 small pictures in three classes.",
        ),
    ),
    aliases=(
        "image_classification",
        "image-binary-classification",
        "image-multi-class-classification",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
