"""From the logits of start and end positions to answers: the best span of each window, and of all windows of a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autotrain_gradio.tasks.extractive_question_answering.windows import Windows

MIN_ANSWER_TOKENS = 30
"""Longest answer in tokens if all training answers are shorter, as in the scripts of transformers."""


@dataclass(frozen=True)
class Span:
    """An answer in a context: begin and end in characters; score: start logit plus end logit."""

    start: int
    end: int
    score: float


def span_scores(start: np.ndarray, end: np.ndarray, most: int) -> np.ndarray:
    """Return the scores of all spans of up to `most` tokens (tokens, most): [i, k] begins at i and ends at i + k."""
    if not len(start):
        return np.empty((0, most))
    padded = np.concatenate([end, np.full(most - 1, -np.inf, dtype=end.dtype)])
    return start[:, None] + np.lib.stride_tricks.sliding_window_view(padded, most)


def log_sum_exp(values: np.ndarray) -> float:
    """Return the logarithm of the sum of exponentials; -inf of none."""
    top = values.max(initial=-np.inf)
    return float(top + np.log(np.exp(values - top).sum())) if np.isfinite(top) else -np.inf


def characters(context: str, offsets: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """Return the characters of a span of tokens, without spaces around them."""
    begin, end = int(offsets[first][0]), int(offsets[last][1])
    text = context[begin:end]
    return begin + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))


class RowSpans:
    """The best span of each row, gathered window by window; a few bytes a row.

    score: of the best span (rows,), -inf if there is none. null: the lowest score of "no answer" of the row's windows.
    total: logarithm of the sum of the exponential scores of all spans. starts, ends: of the best span, in characters.
    """

    def __init__(self, contexts: Any, most: int) -> None:
        rows = len(contexts)
        self._contexts, self._most = contexts, most
        self.score, self.total = np.full(rows, -np.inf), np.full(rows, -np.inf)
        self.null = np.full(rows, np.inf)
        self.starts, self.ends = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)

    def add(self, windows: Windows, window: int, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Add the logits of a window (tokens,), which may be padded; return the scores of its spans."""
        row, first, count = int(windows.rows[window]), int(windows.first[window]), int(windows.counts[window])
        null = int(windows.null[window])
        start, end = start.astype(np.float64), end.astype(np.float64)
        self.null[row] = min(self.null[row], start[null] + end[null])
        scores = span_scores(start[first : first + count], end[first : first + count], self._most)
        if scores.size:
            token, more = np.unravel_index(int(scores.argmax()), scores.shape)
            self.total[row] = np.logaddexp(self.total[row], log_sum_exp(scores))
            if scores[token, more] > self.score[row]:
                self.score[row] = scores[token, more]
                offsets = windows.offsets_of(window)
                place = characters(self._contexts[row], offsets, int(token), int(token + more))
                self.starts[row], self.ends[row] = place
        return scores

    @property
    def difference(self) -> np.ndarray:
        """The score of "no answer" minus that of the best span (rows,)."""
        return self.null - self.score

    def context(self, row: int) -> str:
        """Return the context of a row."""
        return str(self._contexts[row])

    def text(self, row: int) -> str:
        """Return the text of the best span of a row."""
        return str(self._contexts[row][self.starts[row] : self.ends[row]])

    def refused(self, threshold: float | None) -> np.ndarray:
        """Return whether "no answer" is predicted (rows,). threshold: of `difference`; None: always a span."""
        nothing = ~np.isfinite(self.score)
        return nothing if threshold is None else nothing | (self.difference > threshold)

    def probabilities(self, *, may_refuse: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities of the best span and of "no answer" (rows,), among all spans and, perhaps, it."""
        total = np.logaddexp(self.total, self.null) if may_refuse else self.total
        total = np.where(np.isfinite(total), total, 0.0)
        return np.exp(self.score - total), np.exp(self.null - total) if may_refuse else np.zeros(len(self.null))
