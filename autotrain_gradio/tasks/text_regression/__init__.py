"""Text regression: one or several numbers per text."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    DUPLICATES,
    HUB,
    NUMBER_TARGETS,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE,
    TEXT_LANGUAGE,
    TEXT_LENGTH,
    UPLOAD,
)
from autotrain_gradio.tasks.base import (
    Input,
    Sample,
    SuggestedModel,
    Task,
    param,
)
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.regression import (
    REGRESSION_CHARTS,
    TARGET_ALIASES,
    RegressionParams,
    number_column,
    regression_metrics,
)
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.texts import DISTILBERT, LARGER_ENCODERS, text_column


class TextRegressionParams(LoraParams, RegressionParams):
    """Parameters of text regression."""

    max_seq_length: int = param(128, "basic", ge=8, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum sequence length in tokens; longer texts are truncated. A token is a short word or a part of one. Longer
    sequences need more memory and time; the preview shows how many texts are truncated."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new regression head: much faster, and often enough for few
    texts."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 15, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="text-regression",
    title="Text regression",
    modality="Text",
    summary="Predict one or several numbers from a text: a rating, a price, a readability or a similarity score.",
    module="autotrain_gradio.tasks.text_regression.train",
    requires=from_extra("text", *TRAINER),
    preview_module="autotrain_gradio.tasks.text_regression.preview",
    params=TextRegressionParams,
    columns=(
        text_column("essay", "excerpt"),
        number_column(),
    ),
    column_aliases={**TARGET_ALIASES, "sentence": "text"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, TABLE),
    checks=(DUPLICATES, NUMBER_TARGETS, TEXT_LENGTH, TEXT_LANGUAGE),
    metrics=regression_metrics("texts"),
    headline="r2",
    charts=REGRESSION_CHARTS,
    inputs=(Input("text", "A text", "text"),),
    loader_example="""\
from transformers import pipeline

regressor = pipeline("text-classification", model=model)
scores = regressor(value, top_k=None, truncation=True)
answer = {s["label"]: s["score"] for s in scores}  # in the units of the targets
if offsets := getattr(regressor.model.config, "target_offsets", None):  # the last layer of the model has no bias
    answer = {target: number + offsets[target] for target, number in answer.items()}
""",
    answer="values",
    models=(
        DISTILBERT,
        SuggestedModel(
            "sentence-transformers/all-MiniLM-L6-v2", "English; the fastest: for a CPU, a free Space, few texts.", 22.7
        ),
        *LARGER_ENCODERS,
    ),
    defaults=defaults,
    model_filter="text-classification",
    shown=("max_seq_length",),
    samples=(
        Sample(
            "reviews",
            "Ratings of a hotel",
            "text_regression/reviews",
            "480 invented reviews of hotels with a rating from 1 to 10.",
        ),
        Sample(
            "review-scores",
            "Reviews with three scores",
            "text_regression/review_scores",
            "400 invented reviews of hotels with scores of room, food and service.",
        ),
    ),
    position=10,
    aliases=("text_regression", "text_single_column_regression", "text_multi_column_regression"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
