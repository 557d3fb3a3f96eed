"""The loss of each data format, and the mining of hard negatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    CoSENTLoss,
    MatryoshkaLoss,
    MultipleNegativesRankingLoss,
    SoftmaxLoss,
)

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, PAIR_CLASS, RETRIEVAL, SECOND
from autotrain_gradio.tasks.sentence_transformers.models import dimension
from autotrain_gradio.training import distributed

CACHED_FROM, MINI_BATCH = 65, 32
"""Batch size from which the loss is computed in mini-batches by default, and their size."""
MARGIN = 0.95
"""Share of the positive's similarity that a mined negative may have: others may be right answers (arXiv 2407.15831)."""
QUERIES = 256
"""Queries that are compared with the corpus at a time."""


def loss_of(model: SentenceTransformer, format: str, params: Any, classes: Sequence[str]) -> torch.nn.Module:
    """Return the loss of a data format. classes: of pairs with a relation.

    Raises:
        UserError: the Matryoshka dimensions do not fit the model.
    """
    found: torch.nn.Module
    if format in RETRIEVAL:
        size = params.mini_batch_size or (MINI_BATCH if params.batch_size >= CACHED_FROM else 0)
        several = distributed.world_size() > 1
        found = (
            CachedMultipleNegativesRankingLoss(model, mini_batch_size=size, gather_across_devices=several)
            if 0 < size < params.batch_size
            else MultipleNegativesRankingLoss(model, gather_across_devices=several)
        )
    elif format == PAIR_CLASS.name:
        return SoftmaxLoss(model, dimension(model), len(classes))
    else:
        found = CoSENTLoss(model)
    dimensions = matryoshka_dimensions(params, dimension(model))
    return MatryoshkaLoss(model, found, [dimension(model), *dimensions]) if dimensions else found


def matryoshka_dimensions(params: Any, most: int) -> list[int]:
    """Return the smaller dimensions to train, the largest first. most: dimensions of the model.

    Raises:
        UserError: one is not smaller than that.
    """
    dimensions = [int(part) for part in params.matryoshka_dims.replace(",", " ").split()]
    if wrong := [d for d in dimensions if d > most]:
        message = f"The model has embeddings of {most:,} dimensions: {wrong[0]:,} are not possible."
        raise UserError(message, f"Choose smaller ones, such as {most // 2},{most // 4}.", WHERE, "too-many-dimensions")
    return sorted({d for d in dimensions if d < most}, reverse=True)


WHERE = "params.matryoshka_dims"


def mine_negatives(model: SentenceTransformer, rows: Dataset, count: int, seed: int) -> tuple[Dataset, int]:
    """Return the rows with `count` mined negatives each, in columns `negative_1` …, and how many were drawn at random.

    The negatives of a query are the most similar positives of other rows by the model, without those that are nearly as
    similar as its own positive. Where there are too few, others are drawn at random.

    Raises:
        UserError: every row has the same positives.
    """
    queries, documents = rows[FIRST], rows[SECOND]
    corpus = list(dict.fromkeys(documents))
    number = {text: i for i, text in enumerate(corpus)}
    right: dict[str, set[int]] = {}
    for query, document in zip(queries, documents, strict=True):
        right.setdefault(query, set()).add(number[document])
    known = model.encode_document(corpus, convert_to_tensor=True, show_progress_bar=False)
    rng = np.random.default_rng(seed)
    chosen = np.zeros((len(rows), count), dtype=np.int64)
    drawn = 0
    for start in range(0, len(rows), QUERIES):
        part = list(queries[start : start + QUERIES])
        asked = model.encode_query(part, convert_to_tensor=True, show_progress_bar=False)
        scores = model.similarity(asked, known).cpu()
        order = scores.topk(min(len(corpus), 4 * count + 16), dim=1).indices.tolist()
        for i, query in enumerate(part):
            own = float(scores[i, number[documents[start + i]]])
            limit = own * MARGIN if own > 0 else own
            hard = [c for c in order[i] if c not in right[query] and float(scores[i, c]) <= limit][:count]
            drawn += count - len(hard)
            spare = rng.choice(len(corpus), min(len(corpus), count + len(right[query])), replace=False).tolist()
            found = (hard + [c for c in spare if c not in right[query] and c not in hard])[:count]
            if not found:
                message = "There are no hard negatives: every row has the same positives."
                raise UserError(message, "Set hard_negatives to 0.", "params.hard_negatives", "no-hard-negatives")
            chosen[start + i] = (found * count)[:count]
    for n in range(count):
        rows = rows.add_column(f"negative_{n + 1}", [corpus[c] for c in chosen[:, n].tolist()])
    return rows, drawn
