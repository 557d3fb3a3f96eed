"""Text classification: one class per text, or multi-label."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    DUPLICATES,
    HUB,
    LABEL_SPELLING,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE,
    TEXT_FOLDERS,
    TEXT_LANGUAGE,
    TEXT_LENGTH,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Check
from autotrain_gradio.tasks.base import (
    Input,
    Sample,
    SuggestedModel,
    Task,
    param,
)
from autotrain_gradio.tasks.classification import CLASSIFIER_CHARTS, ClassifierParams, classifier_metrics, label_column
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.texts import DISTILBERT, LARGER_ENCODERS, text_column

FEW = 100
"""Number of training rows below which they are few examples."""
FEW_ROWS = Check("few-rows", "Few rows", "autotrain_gradio.tasks.text_classification.few_rows", after_split=True)


class TextClassificationParams(LoraParams, ClassifierParams):
    """Parameters of text classification."""

    max_seq_length: int = param(128, "basic", ge=8, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum sequence length in tokens; longer texts are truncated. A token is a short word or a part of one. Longer
    sequences need more memory and time; the preview shows how many texts are truncated."""
    few_examples: Literal["auto", "on", "off"] = param("auto", "basic", title="Few examples")
    """Training for few examples, as SetFit: a logistic regression on mean-pooled embeddings of the pretrained model,
    with or without contrastive fine-tuning of it. `auto`: with fewer than 100 training texts both are compared with
    ordinary fine-tuning by cross-validation, and the best is used; that takes about ten times as long as one of them.
    `on`: the better of the two is used, for any number of texts. `off`: ordinary fine-tuning."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the new classification head: much faster, and often enough for few
    texts."""

    @field_validator("few_examples", mode="before")
    @classmethod
    def _on_and_off_are_words(cls, value: Any) -> Any:
        # YAML reads an unquoted `on` as true, and `off` as false.
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 1e-3, "epochs": 10, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="text-classification",
    title="Text classification",
    modality="Text",
    summary="Classify texts, with one class or several labels each: topics, sentiment, intents, languages, spam.",
    module="autotrain_gradio.tasks.text_classification.train",
    requires=from_extra("text", *TRAINER),
    preview_module="autotrain_gradio.tasks.text_classification.preview",
    params=TextClassificationParams,
    columns=(
        text_column(),
        label_column("text", "sentiment", "topic", "topics", "intent", "emotion", "label_text"),
    ),
    column_aliases={"label": "target", "labels": "target", "sentence": "text"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, TABLE, TEXT_FOLDERS),
    checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES, TEXT_LENGTH, TEXT_LANGUAGE, FEW_ROWS),
    metrics=classifier_metrics("texts"),
    headline="accuracy",
    charts=CLASSIFIER_CHARTS,
    inputs=(Input("text", "A text", "text"),),
    loader_example="""\
from transformers import pipeline

classifier = pipeline("text-classification", model=model)
scores = classifier(value, top_k=None, truncation=True)
answer = scores[0]["label"]
if thresholds := getattr(classifier.model.config, "label_thresholds", None):  # a multi-label model
    answer = [s["label"] for s in scores if s["score"] >= thresholds[s["label"]]]
""",
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
            "messages",
            "Messages to a shop",
            "text_classification/messages",
            "480 short messages from customers in four classes.",
        ),
        Sample(
            "message-topics",
            "Messages with several topics",
            "text_classification/message_topics",
            "300 messages, each about none, one or several of four topics.",
        ),
    ),
    position=0,
    aliases=(
        "text_classification",
        "text-binary-classification",
        "text-multi-class-classification",
        "text-multi-label-classification",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
