"""Sentence transformers: fine-tune embeddings of texts for search and similarity, in five data formats."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    BEIR,
    HUB,
    PATH,
    SAMPLE,
    SAVED_TEXT_PAIRS,
    TEXT_LANGUAGE,
    TEXT_LANGUAGES,
    TEXT_LENGTH,
    TEXT_PAIRS,
    TEXT_PAIRS_TABLE,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Check
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
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, FORMATS, SECOND, THIRD

_FOLDER = "autotrain_gradio.tasks.sentence_transformers."
BEIR_TRIPLETS = replace(BEIR, module=_FOLDER + "beir_triplets")
RELATIONS = Check("text-relations", "Names of relations", _FOLDER + "relations")


class SentenceTransformersParams(LoraParams, TrainerParams):
    """Parameters of sentence transformers."""

    batch_size: int = param(32, "basic", title="Batch size per device", ge=1, le=4096)
    """Batch size per device in training and evaluation. In pairs and triplets the other rows of a batch are the
    negatives of each: larger batches give better embeddings, and need more memory."""
    lr: float = param(2e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 2e-5 is usual for pretrained embedding models."""
    max_seq_length: int = param(128, "basic", ge=8, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum sequence length in tokens; longer texts are truncated, in the training and later. A token is a short word
    or a part of one. Longer sequences need more memory and time; the preview shows how many texts are truncated."""
    mini_batch_size: int | None = param(None, "training", title="Mini-batch size of the cached loss", ge=1, le=4096)
    """Pairs and triplets: rows of a batch that are encoded at a time (CachedMultipleNegativesRankingLoss, GradCache).
    The memory is that of the mini-batch, so that batches of hundreds of rows fit; the training is about 20% slower.
    Empty: 32 for batches of more than 64 rows; smaller ones are not split."""
    hard_negatives: int = param(0, "training", title="Mined hard negatives", ge=0, le=20)
    """Pairs and triplets: number of hard negatives that are mined for each row before the training: the texts that the
    base model finds most similar to the query, without its own positive and those about as similar. They can improve
    a search among similar texts; each one makes the batch larger. 0: none."""
    matryoshka_dims: str = param("", "training", title="Matryoshka dimensions")
    """Smaller numbers of dimensions that embeddings are trained for as well (MatryoshkaLoss), separated by commas, such
    as `256,128,64`. Embeddings can then be truncated, for a faster search with less memory. Not for pairs with a
    relation."""
    metric_for_best_model: Literal["score", "loss"] = param(
        "score", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches. `score`: nDCG@10 of
    pairs and triplets, Spearman's correlation of pairs with a similarity, accuracy of pairs with a relation."""
    compare_with_base: bool = param(True, "evaluation", title="Evaluate the base model first")
    """Evaluate the base model on the validation rows before the training, so that the report shows the gain."""

    @field_validator("matryoshka_dims", mode="before")
    @classmethod
    def _dimensions(cls, value: Any) -> str:
        parts = [str(v) for v in value] if isinstance(value, list | tuple) else re.split(r"[,\s]+", str(value or ""))
        parts = [p for p in (part.strip() for part in parts) if p]
        if wrong := [p for p in parts if not p.isdecimal() or int(p) < 1]:
            raise ValueError(f"'{wrong[0]}' is not a number of dimensions. Write whole numbers, such as 256,128,64")
        return ",".join(parts)


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 20, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="sentence-transformers",
    title="Embeddings",
    modality="Text",
    summary="Fine-tune embeddings of texts, for semantic search and similarity: pairs, triplets, or scored pairs.",
    module=_FOLDER + "train",
    requires=from_extra("embeddings", *TRAINER, "sentence_transformers=sentence-transformers"),
    preview_module=_FOLDER + "preview",
    params=SentenceTransformersParams,
    formats=FORMATS,
    column_aliases={
        **dict.fromkeys(("anchor", "premise", "query", "question"), FIRST),
        **dict.fromkeys(("positive", "hypothesis", "answer"), SECOND),
        "negative": THIRD,
        "score": "target",
        "label": "target",
    },
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_TEXT_PAIRS, BEIR_TRIPLETS, TEXT_PAIRS_TABLE),
    checks=(TEXT_PAIRS, RELATIONS, TEXT_LENGTH, TEXT_LANGUAGE, TEXT_LANGUAGES),
    metrics=(
        Metric(
            "ndcg_at_10",
            "nDCG@10",
            help="Pairs and triplets: how high the right texts rank among the ten that are found first; 1 is best.",
        ),
        Metric(
            "spearman",
            "Spearman correlation",
            help="Pairs with a similarity: agreement of the order by similarity with the targets; 1 is best.",
        ),
        Metric(
            "accuracy",
            "Accuracy",
            percent=True,
            help="Pairs with a relation: share of pairs whose class a linear classifier predicts from the embeddings.",
        ),
        Metric(
            "accuracy_at_1",
            "Accuracy@1",
            percent=True,
            help="Pairs and triplets: share of queries that find a right text first.",
        ),
        Metric("mrr_at_10", "MRR@10", help="Mean of 1 divided by the rank of the first right text, among ten."),
        Metric(
            "triplet_accuracy",
            "Triplet accuracy",
            percent=True,
            help="Share of triplets whose positive is closer to the anchor than the negative.",
        ),
        Metric("pearson", "Pearson correlation", help="Linear correlation of the similarities with the targets."),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="ndcg_at_10",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Validation metrics",
            {
                "eval_ndcg_at_10": "nDCG@10",
                "eval_accuracy_at_1": "accuracy@1",
                "eval_triplet_accuracy": "triplet accuracy",
                "eval_spearman": "Spearman",
                "eval_accuracy": "accuracy",
            },
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input(FIRST, "A text to search with", "text"),),
    loader_example="""\
from sentence_transformers import SentenceTransformer

embedder = SentenceTransformer(model)
answer = embedder.encode_query(value).tolist()  # embeddings of texts to search: embedder.encode_document(texts)
""",
    answer="embedding",
    models=(
        SuggestedModel(
            "sentence-transformers/all-MiniLM-L6-v2", "English; small and fast: for a CPU or a free Space.", 22.7
        ),
        SuggestedModel(
            "sentence-transformers/all-mpnet-base-v2", "English; more accurate, needs a GPU.", 109, gpu=True
        ),
        SuggestedModel("intfloat/multilingual-e5-small", "A hundred languages; small.", 118),
        SuggestedModel("microsoft/mpnet-base", "English; no embedding model yet: for much data.", 109, gpu=True),
        SuggestedModel("answerdotai/ModernBERT-base", "English; long texts, up to 8,192 tokens.", 149, gpu=True),
        SuggestedModel("google/embeddinggemma-300m", "A hundred languages; gated: accept its terms.", 308, gpu=True),
        SuggestedModel("Qwen/Qwen3-Embedding-0.6B", "A hundred languages; large: use LoRA.", 596, gpu=True),
    ),
    defaults=defaults,
    model_filter="sentence-similarity",
    shown=("max_seq_length",),
    samples=(
        Sample(
            "workshop",
            "Questions to a workshop",
            "sentence_transformers/workshop",
            "320 questions in a workshop's own words, each with the page of the manual that answers it.",
        ),
        Sample(
            "workshop-scores",
            "Pairs of questions with a similarity",
            "sentence_transformers/workshop_scores",
            "300 pairs of questions with a similarity from 0 to 5.",
        ),
    ),
    position=50,
    aliases=("st", "sentence_transformer", "embeddings"),
    alias_formats={
        f"{name}:{format.name}": format.name for name in ("sentence-transformers", "st") for format in FORMATS
    },
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
