"""Evaluators of the data formats: each text is encoded once, and the evaluators of the library compute the metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from datasets import Dataset, DatasetDict
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.sentence_transformer.evaluation import (
    EmbeddingSimilarityEvaluator,
    InformationRetrievalEvaluator,
    TripletEvaluator,
)
from sentence_transformers.util import truncate_embeddings
from sklearn.linear_model import LogisticRegression

from autotrain_gradio.tasks.sentence_transformers.formats import FIRST, PAIR_CLASS, PAIR_SCORE, SECOND, TARGET, THIRD

CORPUS = 10_000
"""Maximum number of texts that are searched in an evaluation: first those of the validation split."""
QUERIES = 2_000
"""Maximum number of validation queries or pairs that are evaluated."""
PROBE_ROWS = 2_000
"""Training pairs on which a linear classifier is trained, to measure the base model."""
CHUNK = 256
BATCH = 32


@dataclass
class Measured:
    """One evaluation of a model.

    metrics: name → value. best: name of the metric that is the format's score. truncated: dimensions → the score with
    truncated embeddings. Of searches, for each query: ranks, of its best right text among `texts`, from 1; first, the
    number of the text that is found first; right, that of its best right text. Of pairs: similarities, and predicted
    classes.
    """

    metrics: dict[str, float]
    truncated: dict[int, float] = field(default_factory=dict)
    ranks: np.ndarray | None = None
    first: np.ndarray | None = None
    right: np.ndarray | None = None
    similarities: np.ndarray | None = None
    predicted: np.ndarray | None = None


class FormatEvaluator(BaseEvaluator, ABC):
    """Base of the evaluators; `latest` is the latest evaluation. dimensions: to which embeddings are truncated, too."""

    score = ""
    """Name of the metric that is the format's score."""

    def __init__(self, dimensions: Sequence[int], batch_size: int) -> None:
        super().__init__()
        self.dimensions, self.batch_size = list(dimensions), batch_size
        self.latest: Measured | None = None

    @abstractmethod
    def measure(self, model: SentenceTransformer) -> Measured:
        """Encode the texts and compute the metrics."""

    def __call__(
        self, model: SentenceTransformer, output_path: str | None = None, epoch: float = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return the metrics, and keep the evaluation as `latest`."""
        was_training = model.training
        self.latest = self.measure(model)
        model.train(was_training)
        return dict(self.latest.metrics)

    def encode(self, model: SentenceTransformer, texts: Sequence[str], *, query: bool) -> torch.Tensor:
        """Return embeddings (texts, dimensions), with the prompt of queries or of documents."""
        encode = model.encode_query if query else model.encode_document
        found = encode(list(texts), batch_size=self.batch_size, convert_to_tensor=True, show_progress_bar=False)
        assert isinstance(found, torch.Tensor)
        return found.float()


class SearchEvaluator(FormatEvaluator):
    """Searches each validation query among the positives (and negatives) of all rows.

    Attributes:
        queries: the distinct queries. texts: the distinct texts that are searched.
        right_texts: for each query, the numbers of its positives.
    """

    score = "ndcg_at_10"

    def __init__(self, rows: DatasetDict, dimensions: Sequence[int], batch_size: int = BATCH) -> None:
        super().__init__(dimensions, batch_size)
        valid = rows["validation"]
        self.queries: list[str] = list(dict.fromkeys(valid[FIRST]))[:QUERIES]
        wanted = set(self.queries)
        needed = [d for q, d in zip(valid[FIRST], valid[SECOND], strict=True) if q in wanted]
        columns = [part[role] for part in (valid, rows["train"]) for role in (SECOND, THIRD) if role in part.features]
        self.total = len({text for column in columns for text in column})
        texts = dict.fromkeys(needed)
        for column in columns:
            for text in column:
                if len(texts) >= max(CORPUS, len(needed)):
                    break
                texts[text] = None
        self.texts = list(texts)
        number = {text: i for i, text in enumerate(self.texts)}
        place = {query: i for i, query in enumerate(self.queries)}
        self.right_texts: list[set[int]] = [set() for _ in self.queries]
        for part in (valid, rows["train"]):
            for query, document in zip(part[FIRST], part[SECOND], strict=True):
                if query in place and document in number:
                    self.right_texts[place[query]].add(number[document])
        self.triplets = valid.select(range(min(len(valid), QUERIES))) if THIRD in valid.features else None

    def measure(self, model: SentenceTransformer) -> Measured:
        """Compute nDCG@10, accuracy@1 and MRR@10, of triplets also how often the positive is closer."""
        queries = self.encode(model, self.queries, query=True)
        texts = self.encode(model, self.texts, query=False)
        metrics = self._search_metrics(model, queries, texts)
        if self.triplets is not None:
            metrics["triplet_accuracy"] = self._triplet_accuracy(model, queries, texts)
        truncated = {
            d: self._search_metrics(model, truncate_embeddings(queries, d), truncate_embeddings(texts, d))[self.score]
            for d in self.dimensions
        }
        ranks, first, right = self._ranks(model, queries, texts)
        return Measured(metrics, truncated, ranks, first, right)

    def _search_metrics(
        self, model: SentenceTransformer, queries: torch.Tensor, texts: torch.Tensor
    ) -> dict[str, float]:
        names = {str(i): text for i, text in enumerate(self.queries)}
        corpus = {str(i): text for i, text in enumerate(self.texts)}
        right = {str(i): {str(c) for c in found} for i, found in enumerate(self.right_texts)}
        evaluator = _Search(
            names,
            corpus,
            right,
            corpus_chunk_size=len(self.texts),
            accuracy_at_k=[1],
            precision_recall_at_k=[10],
            map_at_k=[10],
            write_csv=False,
        )
        evaluator.embeddings = {"query": queries, "document": texts}
        found = evaluator(model)
        endings = {"ndcg@10": "ndcg_at_10", "accuracy@1": "accuracy_at_1", "mrr@10": "mrr_at_10"}
        return {ours: float(v) for end, ours in endings.items() for k, v in found.items() if k.endswith(end)}

    def _triplet_accuracy(self, model: SentenceTransformer, queries: torch.Tensor, texts: torch.Tensor) -> float:
        known = {text: texts[i] for i, text in enumerate(self.texts)}
        asked = {text: queries[i] for i, text in enumerate(self.queries)}
        assert self.triplets is not None
        columns = {role: list(self.triplets[role]) for role in (FIRST, SECOND, THIRD)}
        complete = [
            i
            for i in range(len(self.triplets))
            if columns[FIRST][i] in asked and columns[SECOND][i] in known and columns[THIRD][i] in known
        ]
        chosen = {role: [texts_[i] for i in complete] for role, texts_ in columns.items()}
        evaluator = _Triplets(chosen[FIRST], chosen[SECOND], chosen[THIRD], write_csv=False)
        evaluator.vectors = [
            torch.stack([asked[t] for t in chosen[FIRST]]),
            *(torch.stack([known[t] for t in chosen[role]]) for role in (SECOND, THIRD)),
        ]
        return float(next(iter(evaluator(model).values())))

    def _ranks(
        self, model: SentenceTransformer, queries: torch.Tensor, texts: torch.Tensor
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ranks, first, best = [], [], []
        for start in range(0, len(self.queries), CHUNK):
            scores = model.similarity(queries[start : start + CHUNK], texts).cpu()
            for i, row in enumerate(scores):
                right = sorted(self.right_texts[start + i])
                own = max(right, key=lambda c: float(row[c]))
                ranks.append(1 + int((row > row[own]).sum()))
                first.append(int(row.argmax()))
                best.append(own)
        return np.array(ranks), np.array(first), np.array(best)


class _Search(InformationRetrievalEvaluator):
    """The library's evaluator on embeddings that were computed before: of queries and of documents."""

    embeddings: Mapping[str, torch.Tensor]

    def embed_inputs(self, model: Any, sentences: Any, encode_fn_name: str | None = None, **_: Any) -> torch.Tensor:
        """Return the embeddings."""
        return self.embeddings[encode_fn_name or ""]


class _Triplets(TripletEvaluator):
    """The library's evaluator on embeddings that were computed before: of anchors, positives and negatives."""

    vectors: list[torch.Tensor]

    def embed_inputs(self, model: Any, sentences: Any, **_: Any) -> Any:
        """Return the embeddings, in the order of the calls."""
        return self.vectors.pop(0).cpu().numpy()


class _Similarities(EmbeddingSimilarityEvaluator):
    """The library's evaluator on embeddings that were computed before: of first and second texts."""

    vectors: list[torch.Tensor]

    def embed_inputs(self, model: Any, sentences: Any, **_: Any) -> Any:
        """Return the embeddings, in the order of the calls."""
        return self.vectors.pop(0).cpu().numpy()


class PairEvaluator(FormatEvaluator):
    """Compares the similarity of validation pairs with their target. rows: the pairs that are evaluated."""

    def __init__(self, rows: DatasetDict, dimensions: Sequence[int], batch_size: int = BATCH) -> None:
        super().__init__(dimensions, batch_size)
        valid = rows["validation"]
        self.rows: Dataset = valid.select(range(min(len(valid), QUERIES)))
        self.targets = np.asarray(self.rows[TARGET])

    def embed(self, model: SentenceTransformer, rows: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the embeddings of both texts of each row; texts that occur several times are encoded once."""
        both = [*rows[FIRST], *rows[SECOND]]
        distinct = {text: i for i, text in enumerate(dict.fromkeys(both))}
        vectors = self.encode(model, list(distinct), query=True)
        found = vectors[torch.tensor([distinct[t] for t in both], device=vectors.device)]
        return found[: len(rows)], found[len(rows) :]


class ScoreEvaluator(PairEvaluator):
    """Correlates the similarities of validation pairs with their targets."""

    score = "spearman"

    def measure(self, model: SentenceTransformer) -> Measured:
        """Compute Spearman's and Pearson's correlation; none where all targets are the same."""
        first, second = self.embed(model, self.rows)
        similarities = model.similarity_pairwise(first, second).cpu().numpy()
        metrics = self._correlations(model, first, second)
        truncated = {
            d: self._correlations(model, truncate_embeddings(first, d), truncate_embeddings(second, d))[self.score]
            for d in self.dimensions
            if metrics
        }
        return Measured(metrics, truncated, similarities=similarities)

    def _correlations(self, model: SentenceTransformer, first: torch.Tensor, second: torch.Tensor) -> dict[str, float]:
        if not can_correlate(self.targets):
            return {}
        texts = [""] * len(self.targets)
        evaluator = _Similarities(texts, texts, self.targets.tolist(), write_csv=False)
        evaluator.vectors = [first, second]
        found = {k: float(np.nan_to_num(v)) for k, v in evaluator(model).items()}
        return {name: next(v for k, v in found.items() if k.startswith(name)) for name in ("spearman", "pearson")}


class ClassEvaluator(PairEvaluator):
    """Predicts the class of validation pairs from their embeddings.

    By the classifier of the loss; for the base model, whose classifier is not trained, by logistic regression on the
    training pairs.
    """

    score = "accuracy"

    def __init__(self, rows: DatasetDict, dimensions: Sequence[int], batch_size: int = BATCH) -> None:
        super().__init__(rows, dimensions, batch_size)
        train = rows["train"]
        self._probe_rows = train.shuffle(seed=0).select(range(min(len(train), PROBE_ROWS)))
        self.classifier: torch.nn.Module | None = None

    def measure(self, model: SentenceTransformer) -> Measured:
        """Compute the accuracy."""
        first, second = self.embed(model, self.rows)
        similarities = model.similarity_pairwise(first, second).cpu().numpy()
        features = pair_features(first, second)
        if self.classifier is None:
            trained = pair_features(*self.embed(model, self._probe_rows)).cpu().numpy()
            classes = np.asarray(self._probe_rows[TARGET])
            if len(np.unique(classes)) > 1:
                probe = LogisticRegression(max_iter=1000).fit(trained, classes)
                predicted = probe.predict(features.cpu().numpy())
            else:
                predicted = np.full(len(self.rows), classes[0])
        else:
            with torch.inference_mode():
                predicted = self.classifier(features).argmax(dim=1).cpu().numpy()
        accuracy = float((predicted == self.targets).mean())
        return Measured({"accuracy": accuracy}, similarities=similarities, predicted=predicted)


def pair_features(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the features of the library's SoftmaxLoss: both embeddings and their absolute difference."""
    return torch.cat([first, second, (first - second).abs()], dim=1)


def can_correlate(targets: np.ndarray) -> bool:
    """Whether a correlation with these targets exists: there are two different ones among at least three."""
    return len(targets) > 2 and len(np.unique(targets)) > 1


def evaluator_of(
    format: str, rows: DatasetDict, dimensions: Sequence[int], batch_size: int
) -> SearchEvaluator | ScoreEvaluator | ClassEvaluator:
    """Return the evaluator of a data format."""
    kinds = {PAIR_SCORE.name: ScoreEvaluator, PAIR_CLASS.name: ClassEvaluator}
    return kinds.get(format, SearchEvaluator)(rows, dimensions, batch_size)
