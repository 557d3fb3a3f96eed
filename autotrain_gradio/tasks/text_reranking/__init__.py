"""Text reranking: a cross-encoder scores how well a passage answers a query, to reorder what a search has found."""

from __future__ import annotations

from typing import Any, Literal

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
from autotrain_gradio.tasks.text_reranking.formats import FORMATS, PAIR, PASSAGE, QUERY, RELEVANCE, TRIPLET

_FOLDER = "autotrain_gradio.tasks.text_reranking."


class TextRerankingParams(LoraParams, TrainerParams):
    """Parameters of text reranking."""

    batch_size: int = param(32, "basic", title="Batch size per device", ge=1, le=4096)
    """Batch size per device in training and evaluation: pairs of a query and a passage. Smaller batches need less
    memory."""
    lr: float = param(2e-5, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 2e-5 is usual for pretrained models."""
    max_seq_length: int = param(256, "basic", ge=16, le=131_072, title="Maximum sequence length (tokens)")
    """Maximum sequence length in tokens of query and passage together; longer pairs are truncated. Longer sequences
    need more memory and time; the preview shows how many pairs are truncated."""
    negatives: int = param(5, "basic", title="Mined wrong passages", ge=0, le=100)
    """Number of wrong passages that are mined for each query whose rows have none: passages of other rows that the
    retriever (BM25) finds for it. More of them make the training longer, and the model more critical."""
    candidates: int = param(30, "evaluation", title="Reranked candidates", ge=2, le=1000)
    """Number of passages that the retriever finds for each validation query, and that the model puts in order."""
    positive_weight: Literal["balanced", "none"] = param("balanced", "training", title="Weight of right passages")
    """Weight of right passages in the binary cross-entropy. `balanced`: the number of wrong passages for each right
    one, so that both count the same in the loss."""
    metric_for_best_model: Literal["score", "loss"] = param(
        "score", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches. `score`: nDCG@10 of
    the reranked candidates."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 12, "early_stopping_patience": 0} if model == TINY else {}


def examples_per_row(params: TextRerankingParams, format: str) -> int:
    """Return the number of pairs that are made of a row at most: fewer where rows have the same query."""
    return {PAIR.name: 1 + params.negatives, TRIPLET.name: 2}.get(format, 1)


TASK = Task(
    name="text-reranking",
    title="Reranking",
    modality="Text",
    summary="Score how well passages answer a query, to put the results of a search in a better order.",
    module=_FOLDER + "train",
    requires=from_extra("embeddings", *TRAINER, "sentence_transformers=sentence-transformers"),
    preview_module=_FOLDER + "preview",
    params=TextRerankingParams,
    examples_per_row=examples_per_row,
    formats=FORMATS,
    column_aliases={"question": QUERY, "answer": PASSAGE, "positive": PASSAGE, "label": RELEVANCE, "target": RELEVANCE},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_TEXT_PAIRS, BEIR, TEXT_PAIRS_TABLE),
    checks=(TEXT_PAIRS, TEXT_LENGTH, TEXT_LANGUAGE, TEXT_LANGUAGES),
    metrics=(
        Metric(
            "reranked_ndcg_at_10",
            "nDCG@10",
            help="How high right passages are among the ten best candidates after reranking; 1 is best.",
        ),
        Metric(
            "reranked_mrr_at_10",
            "MRR@10",
            help="Mean of 1 divided by the rank of the first right passage, among the ten best candidates.",
        ),
        Metric(
            "reranked_accuracy_at_1",
            "Accuracy@1",
            percent=True,
            help="Share of queries with a right passage in the first place.",
        ),
        Metric("loss", "Loss", higher_is_better=False),
    ),
    headline="reranked_ndcg_at_10",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart(
            "Validation metrics", {"eval_reranked_ndcg_at_10": "nDCG@10", "eval_reranked_accuracy_at_1": "accuracy@1"}
        ),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input(QUERY, "A query", "text"), Input(PASSAGE, "Passages, one per line", "text")),
    loader_example="""\
from sentence_transformers import CrossEncoder

reranker = CrossEncoder(model)
passages = value["passage"].splitlines()
answer = reranker.predict([(value["query"], passage) for passage in passages]).tolist()
ranking = reranker.rank(value["query"], passages, return_documents=True)  # the best first
""",
    answer="scores",
    models=(
        SuggestedModel("cross-encoder/ms-marco-MiniLM-L6-v2", "English; small, and trained for search already.", 22.7),
        SuggestedModel("answerdotai/ModernBERT-base", "English; long passages, needs a GPU.", 149, gpu=True),
        SuggestedModel("BAAI/bge-reranker-v2-m3", "A hundred languages; large, needs a GPU.", 568, gpu=True),
        SuggestedModel("distilbert/distilbert-base-multilingual-cased", "A hundred languages; no reranker yet.", 135),
    ),
    defaults=defaults,
    model_filter="text-ranking",
    shown=("max_seq_length", "negatives"),
    samples=(
        Sample(
            "manual",
            "Passages of a manual",
            "text_reranking/manual",
            "100 questions, each with five passages that a search has found, one of which answers it.",
        ),
    ),
    position=60,
    aliases=("text-ranking", "reranking", "reranker", "cross-encoder"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints", "distributed"}),
)
