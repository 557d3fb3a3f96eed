"""Pairs of a query and a passage: those that are trained on, and the candidates of each query that are reranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from datasets import DatasetDict

from autotrain_gradio.tasks.text_reranking.formats import NEGATIVE, PASSAGE, QUERY, RELEVANCE
from autotrain_gradio.tasks.text_reranking.retriever import Bm25

CORPUS = 50_000
"""Maximum number of passages that are searched, first those of the validation split."""
QUERIES = 500
"""Maximum number of validation queries that are evaluated."""
RELEVANT = 0.5
"""Relevance from which a passage answers its query."""


@dataclass
class Pairs:
    """Queries, passages and their relevance (pairs,), from 0 to 1. mined: number of the pairs with a mined passage."""

    queries: list[str] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)
    relevance: list[float] = field(default_factory=list)
    mined: int = 0

    def __len__(self) -> int:
        return len(self.queries)

    def add(self, query: str, passage: str, relevance: float) -> None:
        """Add a pair."""
        self.queries.append(query)
        self.passages.append(passage)
        self.relevance.append(relevance)

    @property
    def positive_weight(self) -> float:
        """Number of negatives for each positive, at least 1: the weight of the positives in the loss."""
        positives = sum(r >= RELEVANT for r in self.relevance)
        return max(1.0, (len(self) - positives) / positives) if positives else 1.0


@dataclass(frozen=True)
class Candidates:
    """The passages of one query in the order of the retriever, and whether each is right."""

    query: str
    passages: list[str]
    right: np.ndarray


def right_passages(rows: DatasetDict) -> dict[str, set[str]]:
    """Return query → the passages that answer it, in all splits."""
    found: dict[str, set[str]] = {}
    for part in rows.values():
        degrees = part[RELEVANCE] if RELEVANCE in part.features else [1.0] * len(part)
        for query, passage, degree in zip(part[QUERY], part[PASSAGE], degrees, strict=True):
            if degree >= RELEVANT:
                found.setdefault(query, set()).add(passage)
    return found


def corpus_of(rows: DatasetDict) -> list[str]:
    """Return the distinct passages of all splits, those of the validation split first."""
    parts = [rows[name] for name in ("validation", "train") if name in rows]
    roles = [role for role in (PASSAGE, NEGATIVE) if role in rows["train"].features]
    return list(dict.fromkeys(text for part in parts for role in roles for text in part[role]))[:CORPUS]


def training_pairs(rows: DatasetDict, count: int) -> Pairs:
    """Return the pairs of the training rows.

    count: number of wrong passages that are mined for each query whose rows have none: the best ones of the retriever
    that are not right.
    """
    part, found = rows["train"], Pairs()
    if RELEVANCE in part.features:
        for query, passage, degree in zip(part[QUERY], part[PASSAGE], part[RELEVANCE], strict=True):
            found.add(query, passage, float(degree))
    else:
        for query, passage in dict.fromkeys(zip(part[QUERY], part[PASSAGE], strict=True)):
            found.add(query, passage, 1.0)
        if NEGATIVE in part.features:
            for query, passage in dict.fromkeys(zip(part[QUERY], part[NEGATIVE], strict=True)):
                found.add(query, passage, 0.0)
    lacking = sorted(
        set(part[QUERY]) - {q for q, r in zip(found.queries, found.relevance, strict=True) if r < RELEVANT}
    )
    if lacking and count:
        corpus, right = corpus_of(rows), right_passages(rows)
        most = max((len(right.get(q, ())) for q in lacking), default=0)
        for query, order in zip(lacking, Bm25(corpus).order(lacking, count + most), strict=True):
            wrong = [corpus[i] for i in order if corpus[i] not in right.get(query, ())][:count]
            for passage in wrong:
                found.add(query, passage, 0.0)
            found.mined += len(wrong)
    return found


def validation_candidates(rows: DatasetDict, count: int) -> list[Candidates]:
    """Return the candidates of the validation queries.

    Where most queries have right and wrong passages in the data, these are the candidates; else the `count` best ones
    of the retriever among all passages. A query without a right passage is not evaluated.
    """
    if "validation" not in rows:
        return []
    part, right = rows["validation"], right_passages(rows)
    own: dict[str, dict[str, None]] = {}
    for role in (PASSAGE, NEGATIVE):
        if role in part.features and (role == NEGATIVE or RELEVANCE in part.features):
            for query, passage in zip(part[QUERY], part[role], strict=True):
                own.setdefault(query, {})[passage] = None
    queries = [q for q in dict.fromkeys(part[QUERY]) if right.get(q)][:QUERIES]
    judged = {q: list(own.get(q, ())) for q in queries}
    several = sum(0 < sum(p in right[q] for p in judged[q]) < len(judged[q]) for q in queries)
    if RELEVANCE in part.features and queries and several > len(queries) / 2:
        return [_ordered(query, judged[query], right[query]) for query in queries if len(judged[query]) > 1]
    corpus = corpus_of(rows)
    orders = Bm25(corpus).order(queries, count)
    return [_candidates(q, [corpus[i] for i in order], right[q]) for q, order in zip(queries, orders, strict=True)]


def _ordered(query: str, passages: Sequence[str], right: set[str]) -> Candidates:
    order = Bm25(passages).order([query], len(passages))[0]
    return _candidates(query, [passages[i] for i in order], right)


def _candidates(query: str, passages: list[str], right: set[str]) -> Candidates:
    return Candidates(query, passages, np.array([passage in right for passage in passages], dtype=bool))


def pairs_of(candidates: Sequence[Candidates]) -> Pairs:
    """Return the pairs of all candidates, one query after another."""
    found = Pairs()
    for one in candidates:
        for passage, right in zip(one.passages, one.right.tolist(), strict=True):
            found.add(one.query, passage, float(right))
    return found
