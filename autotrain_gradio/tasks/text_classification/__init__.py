"""Text classification: one label for each text, or any number of them."""

from __future__ import annotations

from typing import Any, Literal

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    DUPLICATES,
    EMBEDDED,
    HUB,
    LABEL_SPELLING,
    LABELS,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    TABLE,
    TEXT,
    TEXT_FOLDERS,
    TEXT_LANGUAGE,
    TEXT_LENGTH,
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
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class TextClassificationParams(LoraParams, TrainerParams):
    """Parameters of text classification."""

    max_seq_length: int = param(128, "basic", ge=8, le=131_072, title="Longest text, in tokens")
    """Tokens of a text that the model reads; the rest is cut off. A token is a short word or a part of one. Longer
    takes more memory and time; the preview shows how many texts are cut."""
    class_weights: Literal["none", "balanced"] = param("none", "training")
    """`balanced`: mistakes in a rare class count more, in proportion to its rarity."""
    label_smoothing: float = param(0.0, "training", ge=0, lt=1)
    """Share of the certainty that is taken from the true label; 0.1 helps where labels are doubtful."""
    freeze_backbone: bool = param(False, "training")
    """Train only the new last layers: much faster, and often enough for few texts."""
    metric_for_best_model: Literal["loss", "accuracy", "f1"] = param("loss", "evaluation")
    """Validation figure by which the best checkpoint is chosen (f1: macro average for several classes)."""
    tune_thresholds: bool = param(True, "evaluation")
    """Several labels a text: choose for each label the score from which on it is given, so that F1 is best on the
    validation texts."""
    threshold: float = param(0.5, "evaluation", gt=0, lt=1)
    """Several labels a text: the score from which on a label is given, where it is not tuned."""


def defaults(model: str) -> dict[str, Any]:
    """A model that starts from nothing has more to learn, and can take larger steps."""
    return {"lr": 1e-3, "epochs": 10, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="text-classification",
    title="Text classification",
    modality="Text",
    summary="Sort texts into classes, or give each its labels: topics, moods, intents, languages, spam.",
    module="autotrain_gradio.tasks.text_classification.train",
    requires=from_extra("text", *TRAINER),
    preview_module="autotrain_gradio.tasks.text_classification.preview",
    params=TextClassificationParams,
    columns=(
        Column(
            "text",
            "Text",
            TEXT,
            "The text. Of several columns, the parts are joined.",
            purpose="input",
            many=True,
            join=True,
            names=(
                "text",
                "sentence",
                "review",
                "comment",
                "body",
                "content",
                "tweet",
                "message",
                "document",
                "description",
                "title",
                "headline",
                "question",
                "utterance",
                "query",
            ),
        ),
        Column(
            "target",
            "Label",
            LABELS,
            "The class that the text belongs to, or its labels. Of several columns of 0 and 1, each is a label.",
            purpose="target",
            many=True,
            join=True,
            names=(
                "target",
                "label",
                "labels",
                "class",
                "category",
                "categories",
                "sentiment",
                "topic",
                "topics",
                "tags",
                "intent",
                "emotion",
                "label_text",
                "y",
            ),
        ),
    ),
    column_aliases={"label": "target", "labels": "target", "sentence": "text"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, EMBEDDED, TABLE, TEXT_FOLDERS),
    checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES, TEXT_LENGTH, TEXT_LANGUAGE),
    metrics=(
        Metric("accuracy", "Accuracy", percent=True, help="Share of texts with the right label, or all right labels."),
        *figures("texts"),
        Metric(
            "hamming_loss",
            "Hamming loss",
            higher_is_better=False,
            help="Share of all yes and no that are wrong (several labels a text).",
        ),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="accuracy",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Quality on the validation texts",
            {"eval_accuracy": "accuracy", "eval_f1": "F1", "eval_f1_macro": "F1 (macro)", "eval_auc": "AUC"},
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("text", "A text", "text"),),
    loader_example="""\
from transformers import pipeline

classifier = pipeline("text-classification", model=model)
answer = classifier(value, truncation=True)[0]["label"]
""",
    models=(
        SuggestedModel("distilbert/distilbert-base-uncased", "English; quick, and good enough for most.", 67),
        SuggestedModel(
            "sentence-transformers/all-MiniLM-L6-v2",
            "English; the quickest: for a CPU, a free Space, few texts.",
            22.7,
        ),
        SuggestedModel(
            "distilbert/distilbert-base-multilingual-cased", "A hundred languages, at twice DistilBERT's size.", 135
        ),
        SuggestedModel(
            "FacebookAI/roberta-base", "English; more accurate than DistilBERT, wants a GPU.", 125, gpu=True
        ),
        SuggestedModel(
            "answerdotai/ModernBERT-base", "English; long texts, up to 8,192 tokens; wants a recent GPU.", 149, gpu=True
        ),
        SuggestedModel("FacebookAI/xlm-roberta-base", "A hundred languages; accurate, wants a GPU.", 278, gpu=True),
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
    aliases=(
        "text_classification",
        "text-binary-classification",
        "text-multi-class-classification",
        "text-multi-label-classification",
    ),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
