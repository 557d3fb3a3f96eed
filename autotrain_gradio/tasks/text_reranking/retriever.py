"""The retriever whose order is improved: BM25 (Robertson and Zaragoza 2009) on words, without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

K1, B = 1.5, 0.75
WITHOUT_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts without spaces between words (Thai, Lao, Burmese, Khmer, Japanese, Chinese): a character is a term."""
TERM = re.compile(rf"[{WITHOUT_SPACES}]|[^\W_{WITHOUT_SPACES}]+")
CHUNK = 256


def terms(text: str) -> list[str]:
    """Return the terms of a text in lower case."""
    return TERM.findall(text.lower())


class Bm25:
    """An index of passages."""

    def __init__(self, passages: Sequence[str]) -> None:
        # Its import takes a second, and previews of pairs with labels need no retriever.
        from sklearn.feature_extraction.text import CountVectorizer

        self._counter = CountVectorizer(analyzer=terms)
        try:
            counts = self._counter.fit_transform(passages).astype(np.float32).tocsr()
        except ValueError:  # no passage has a term
            self._weights: csr_array | None = None
            self._size = len(passages)
            return
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        present = np.bincount(counts.indices, minlength=counts.shape[1])
        rarity = np.log(1 + (len(passages) - present + 0.5) / (present + 0.5))
        rows = np.repeat(np.arange(len(passages)), np.diff(counts.indptr))
        norm = K1 * (1 - B + B * lengths / max(1e-9, float(lengths.mean())))
        counts.data = rarity[counts.indices] * counts.data * (K1 + 1) / (counts.data + norm[rows])
        self._weights, self._size = counts, len(passages)

    def scores(self, queries: Sequence[str]) -> np.ndarray:
        """Return the score of each passage (queries, passages), float32."""
        if self._weights is None:
            return np.zeros((len(queries), self._size), dtype=np.float32)
        asked = self._counter.transform(queries).sign()
        return np.asarray((asked @ self._weights.T).toarray(), dtype=np.float32)

    def order(self, queries: Sequence[str], count: int) -> list[list[int]]:
        """Return for each query the numbers of the best passages, the best first; ties in the order of the passages."""
        found: list[list[int]] = []
        for start in range(0, len(queries), CHUNK):
            scores = self.scores(queries[start : start + CHUNK])
            found += np.argsort(-scores, axis=1, kind="stable")[:, :count].tolist()
        return found
