"""Tokenize questions with their contexts: a context that is too long becomes several overlapping windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotrain_gradio.training.pretrained import ModelError

CHUNK = 500
"""Questions that are tokenized at once."""
QUESTION_SHARE = 0.5
"""Largest share of a window that a question takes; a longer one is truncated."""
NO_ANSWER_FALLBACK = 0
"""Position that stands for "no answer" in models without a classification token."""


@dataclass(frozen=True)
class Windows:
    """Windows of questions and parts of their contexts, in the order of the rows.

    ids, types: token ids (and types, if any is not 0) of all windows, concatenated, int32. starts: offset of each
    window in them, and the end (windows + 1).
    rows: row number of each window. first: position of its first context token. counts: number of its context tokens.
    offsets: begin and end in characters of the context of each context token, concatenated (tokens, 2);
    offset_starts: as starts.
    positions: start and end of the answer in each window (windows, 2); that of "no answer" in windows without it.
    null: the position that stands for "no answer" (windows,).
    full: tokens of each row in a single window (rows,). answer_tokens: of each row's first answer, 0 without one.
    truncated: whether the question of each row was truncated (rows,).
    """

    ids: np.ndarray
    types: np.ndarray | None
    starts: np.ndarray
    rows: np.ndarray
    first: np.ndarray
    counts: np.ndarray
    offsets: np.ndarray
    offset_starts: np.ndarray
    positions: np.ndarray
    null: np.ndarray
    full: np.ndarray
    answer_tokens: np.ndarray
    truncated: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def offsets_of(self, window: int) -> np.ndarray:
        """Return begin and end of each context token of a window (tokens, 2)."""
        return self.offsets[self.offset_starts[window] : self.offset_starts[window + 1]]


def overlap_of(room: int, stride: int) -> int:
    """Return the overlap of two windows with room for so many context tokens: at most half of it."""
    return min(stride, room // 2)


def make_windows(
    tokenizer: Any,
    questions: Sequence[str],
    contexts: Sequence[str],
    answers: Sequence[Mapping[str, Sequence[Any]]] | None,
    *,
    limit: int,
    stride: int,
    should_continue: Callable[[int], bool] = lambda done: True,
) -> Windows | None:
    """Tokenize questions and contexts.

    limit: maximum sequence length. stride: tokens by which two windows overlap. answers: `{text, answer_start}` of each
    row; None: for prediction. should_continue: called with the number of tokenized rows; False cancels.

    Raises:
        ModelError: the tokenizer is not a fast one, or does not put the question before the context.
    """
    if not getattr(tokenizer, "is_fast", False):
        message = (
            f"The tokenizer of the model ({type(tokenizer).__name__}) does not know where in a text its tokens are."
        )
        raise ModelError(message, "Choose a model with a fast tokenizer.", "model", "model-wrong-task")
    made = _Made()
    for begin in range(0, len(questions), CHUNK):
        part = slice(begin, begin + CHUNK)
        encoded = tokenizer(
            [q.strip() for q in questions[part]],
            list(contexts[part]),
            return_offsets_mapping=True,
            return_attention_mask=False,
            verbose=False,
        )
        for row in range(len(encoded["input_ids"])):
            answer = None if answers is None else answers[begin + row]
            made.add(encoded, row, begin + row, answer, tokenizer, limit, stride)
        if not should_continue(min(begin + CHUNK, len(questions))):
            return None
    return made.windows()


class _Made:
    """Collects windows."""

    def __init__(self) -> None:
        self._ids: list[np.ndarray] = []
        self._types: list[np.ndarray] = []
        self._offsets: list[np.ndarray] = []
        self._facts: list[tuple[int, int, int, int, int, int]] = []
        self._full: list[int] = []
        self._answers: list[int] = []
        self._truncated: list[bool] = []

    def add(
        self,
        encoded: Any,
        item: int,
        row: int,
        answer: Mapping[str, Sequence[Any]] | None,
        tokenizer: Any,
        limit: int,
        stride: int,
    ) -> None:
        """Add the windows of a row. item: its number in a batch of the tokenizer."""
        ids = np.asarray(encoded["input_ids"][item], dtype=np.int32)
        sequence = np.array([-1 if s is None else s for s in encoded.sequence_ids(item)], dtype=np.int8)
        types = np.asarray(encoded["token_type_ids"][item], dtype=np.int32) if "token_type_ids" in encoded else None
        inside, asked = np.flatnonzero(sequence == 1), np.flatnonzero(sequence == 0)
        begin, end = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (len(ids) - 1, len(ids) - 1)
        if len(asked) and asked[0] > begin:
            name = type(tokenizer).__name__
            message = f"The tokenizer of the model ({name}) puts the context before the question."
            raise ModelError(message, "Choose another model.", "model", "model-wrong-task")
        self._full.append(len(ids))
        most = int(limit * QUESTION_SHARE)
        before = np.arange(begin)
        self._truncated.append(len(ids) > limit and len(asked) > most)
        if self._truncated[-1]:
            before = np.setdiff1d(before, asked[most:])
        after = np.arange(end, len(ids))
        offsets = np.asarray(encoded["offset_mapping"][item], dtype=np.int32)[begin:end]
        span = _token_span(offsets, answer)
        self._answers.append(0 if span is None else span[1] - span[0] + 1)
        room = max(1, limit - len(before) - len(after))
        for first, last in window_bounds(end - begin, room, overlap_of(room, stride)):
            chosen = np.concatenate([before, np.arange(begin + first, begin + last), after])
            null = _null_position(ids[chosen], tokenizer)
            start = stop = null
            if span is not None and first <= span[0] and span[1] < last:
                start, stop = (int(len(before) + place - first) for place in span)
            self._ids.append(ids[chosen])
            if types is not None:
                self._types.append(types[chosen])
            self._offsets.append(offsets[first:last])
            self._facts.append((row, len(before), last - first, start, stop, null))

    def windows(self) -> Windows:
        """Return all windows."""
        facts = np.array(self._facts, dtype=np.int64).reshape(-1, 6)
        types = np.concatenate(self._types) if self._types else None
        return Windows(
            ids=np.concatenate(self._ids) if self._ids else np.empty(0, dtype=np.int32),
            types=types if types is not None and types.any() else None,
            starts=_starts(self._ids),
            rows=facts[:, 0],
            first=facts[:, 1],
            counts=facts[:, 2],
            offsets=np.concatenate(self._offsets) if self._offsets else np.empty((0, 2), dtype=np.int32),
            offset_starts=_starts(self._offsets),
            positions=facts[:, 3:5],
            null=facts[:, 5],
            full=np.asarray(self._full, dtype=np.int64),
            answer_tokens=np.asarray(self._answers, dtype=np.int64),
            truncated=np.asarray(self._truncated, dtype=bool),
        )


def window_bounds(tokens: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """Return begin and end of each window over so many tokens. overlap: tokens that two windows share."""
    bounds = [(0, min(tokens, room))]
    while bounds[-1][1] < tokens:
        begin = bounds[-1][1] - overlap
        bounds.append((begin, min(tokens, begin + room)))
    return bounds


def _starts(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)]).astype(np.int64)


def _token_span(offsets: np.ndarray, answer: Mapping[str, Sequence[Any]] | None) -> tuple[int, int] | None:
    """Return the first and last context token of a row's first answer; None: it has none, or no token has a part."""
    if answer is None or not len(answer["text"]):
        return None
    begin = answer["answer_start"][0]
    end = begin + len(answer["text"][0])
    first = int(np.searchsorted(offsets[:, 1], begin, side="right"))
    last = int(np.searchsorted(offsets[:, 0], end, side="left")) - 1
    return (first, last) if first <= last else None


def _null_position(ids: np.ndarray, tokenizer: Any) -> int:
    """Return the position of the classification token, which stands for "no answer"."""
    found = np.flatnonzero(ids == tokenizer.cls_token_id) if tokenizer.cls_token_id is not None else []
    return int(found[0]) if len(found) else NO_ANSWER_FALLBACK
