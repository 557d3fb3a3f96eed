"""Tokenized texts in overlapping windows, the words that are tagged in each, and their labels."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from autotrain_gradio.tasks.token_classification.labels import TagLabels
from autotrain_gradio.tasks.token_classification.words import pattern
from autotrain_gradio.training.pretrained import ModelError

IGNORED = -100
"""Label of tokens that are not scored: all but the first of each word."""
CHUNK = 500
"""Batch size of the tokenization."""


@dataclass(frozen=True)
class Windows:
    """The windows of texts, in the order of the texts. All values of several windows are concatenated.

    ids: token ids, int32. starts: offset of the tokens of each window, and the end (windows + 1). types: token type
    ids, if any is not 0. text: number of the text of each window (windows,).
    places: positions in their window of the tokens that stand for words, int32. borders: start and end in the text of
    these words (words, 2), int32. joined: the same in the words joined by spaces. word_starts: offset of the words of
    each window, and the end (windows + 1).
    """

    ids: np.ndarray
    starts: np.ndarray
    types: np.ndarray | None
    text: np.ndarray
    places: np.ndarray
    borders: np.ndarray
    joined: np.ndarray
    word_starts: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each window (windows,)."""
        return np.diff(self.starts)

    @property
    def counts(self) -> np.ndarray:
        """Number of windows of each text (texts,)."""
        return np.bincount(self.text)

    def words(self, window: int) -> slice:
        """Return the place of a window's words in `places` and `borders`."""
        return slice(self.word_starts[window], self.word_starts[window + 1])

    def item(self, window: int) -> dict[str, Any]:
        """Return the model's inputs of a window."""
        part = slice(self.starts[window], self.starts[window + 1])
        item = {"input_ids": self.ids[part]}
        if self.types is not None:
            item["token_type_ids"] = self.types[part]
        return item


def prepare_tokenizer(tokenizer: Any, name: str) -> None:
    """Set a tokenizer up for words: padding to the right, and a space before each word where its tokens contain one.

    Raises:
        ModelError: it has no offsets, or treats words differently from their text.
    """
    if not tokenizer.is_fast:
        message = (
            f"The tokenizer of '{name}' ({type(tokenizer).__name__}) does not say where its tokens are in the text."
        )
        raise ModelError(message, "Choose a model with a fast tokenizer (tokenizer.json).", "model", "model-wrong-task")
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    made = tokenizer.backend_tokenizer.pre_tokenizer
    for part in [made, *(made if type(made).__name__ == "Sequence" else ())]:
        if hasattr(part, "add_prefix_space"):
            part.add_prefix_space = True  # byte-level BPE: without it a word looks like the end of another one
        if getattr(part, "prepend_scheme", "always") != "always":
            part.prepend_scheme = "always"
    if hasattr(tokenizer, "add_prefix_space"):
        tokenizer.add_prefix_space = True


def window_sizes(tokenizer: Any, limit: int, overlap: int) -> tuple[int, int]:
    """Return the tokens of a window, and the overlap of windows: at most half of their tokens without special ones."""
    return limit, max(0, min(overlap, (limit - tokenizer.num_special_tokens_to_add()) // 2))


def make_windows(
    tokenizer: Any,
    texts: Sequence[str],
    limit: int,
    overlap: int,
    *,
    word_pattern: str | None = None,
    should_continue: Callable[[int], bool] = lambda done: True,
) -> Windows | None:
    """Tokenize texts by words, in windows of `limit` tokens of which `overlap` are in the window before, too.

    word_pattern: of a saved model; None: the current one. should_continue: called after each batch with the number of
    texts; False cancels, and None is returned.
    """
    compiled = pattern(word_pattern) if word_pattern else pattern()
    reads = _Reader(tokenizer)
    for first in range(0, len(texts), CHUNK):
        borders = [[w.span() for w in compiled.finditer(text)] for text in texts[first : first + CHUNK]]
        words = [
            [text[a:b] for a, b in spans] for text, spans in zip(texts[first : first + CHUNK], borders, strict=True)
        ]
        made = tokenizer(
            words,
            is_split_into_words=True,
            truncation=True,
            max_length=limit,
            stride=overlap,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            verbose=False,
        )
        for encoding, row in zip(made.encodings, made["overflow_to_sample_mapping"], strict=True):
            reads.add(encoding, borders[row], first + row)
        if not should_continue(min(first + CHUNK, len(texts))):
            return None
    return reads.windows()


class _Reader:
    """Collects windows, and finds the tokens that stand for words as the pipeline does.

    With WordPiece a token stands for a word unless it is shorter or longer than its text, as `##ing` is; with other
    tokenizers if a space is in front of it; an unknown token and the first one of a window always.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._by_length = bool(getattr(tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None))
        self._unknown = tokenizer.unk_token_id
        self._with_types = "token_type_ids" in tokenizer.model_input_names
        self._ids: list[np.ndarray] = []
        self._types: list[np.ndarray] = []
        self._text: list[int] = []
        self._places: list[np.ndarray] = []
        self._borders: list[np.ndarray] = []
        self._joined: list[np.ndarray] = []

    def add(self, encoding: Any, words: Sequence[tuple[int, int]], text: int) -> None:
        """Add a window. words: where the words of its text are."""
        ids = np.asarray(encoding.ids, dtype=np.int32)
        self._ids.append(ids)
        self._text.append(text)
        if self._with_types:
            self._types.append(np.asarray(encoding.type_ids, dtype=np.int32))
        tokens = np.flatnonzero(np.asarray(encoding.special_tokens_mask) == 0)
        if not len(tokens) or not words:
            self._places.append(np.empty(0, dtype=np.int32))
            self._borders.append(np.empty((0, 2), dtype=np.int32))
            self._joined.append(np.empty((0, 2), dtype=np.int32))
            return
        spans = np.asarray(encoding.offsets, dtype=np.int64)[tokens]
        of_word = np.array([-1 if w is None else w for w in encoding.word_ids])[tokens]
        places = np.asarray(words, dtype=np.int64)
        where = places[of_word]
        # How far a word is from its place in the words joined by spaces.
        shift = (np.cumsum(np.diff(places, axis=1)[:, 0] + 1) - 1 - places[:, 1])[of_word]
        if self._by_length:
            names = encoding.tokens
            stands = np.array([len(names[t]) for t in tokens.tolist()]) == spans[:, 1] - spans[:, 0]
        else:
            at_end = (spans[:, 0] == where[:, 1] - where[:, 0]) & (of_word < len(words) - 1)
            stands = (spans[:, 0] == 0) | at_end
        if self._unknown is not None:
            stands |= ids[tokens] == self._unknown
        stands[0] = True
        first = np.flatnonzero(stands)
        last = np.append(first[1:], len(tokens)) - 1
        borders = np.stack([where[first, 0] + spans[first, 0], where[last, 0] + spans[last, 1]], axis=1)
        self._places.append(tokens[first].astype(np.int32))
        self._borders.append(borders.astype(np.int32))
        self._joined.append((borders + np.stack([shift[first], shift[last]], axis=1)).astype(np.int32))

    def windows(self) -> Windows:
        """Return all windows."""
        types = np.concatenate(self._types) if self._types else None
        return Windows(
            ids=_concatenated(self._ids),
            starts=_offsets(self._ids),
            types=types if types is not None and types.any() else None,
            text=np.asarray(self._text, dtype=np.int64),
            places=_concatenated(self._places),
            borders=np.concatenate(self._borders) if self._borders else np.empty((0, 2), dtype=np.int32),
            joined=np.concatenate(self._joined) if self._joined else np.empty((0, 2), dtype=np.int32),
            word_starts=_offsets(self._places),
        )


def _concatenated(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


def _offsets(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([0, *accumulate(len(p) for p in parts)], dtype=np.int64)


def word_labels(
    windows: Windows, entities: Sequence[Sequence[Mapping[str, Any]]], labels: TagLabels
) -> tuple[np.ndarray, int]:
    """Return the label of each word of the windows (words,), int16, and the number of entities without a label B-.

    Words of types that the model does not have are `IGNORED`. An entity has no B- if the tokenizer joins its first word
    with the one before it.
    """
    found = np.zeros(len(windows.places), dtype=np.int16)
    begun: set[tuple[int, int]] = set()
    total = sum(s["label"] in labels.begin for spans in entities for s in spans)
    for window, text in enumerate(windows.text.tolist()):
        spans = entities[text]
        if not spans:
            continue
        starts = [s["start"] for s in spans]
        words, current = windows.words(window), -1
        for place, begin in enumerate(windows.borders[words, 0].tolist(), words.start):
            number = bisect_right(starts, begin) - 1
            if number < 0 or begin >= spans[number]["end"]:
                continue
            name = spans[number]["label"]
            if name not in labels.begin:
                found[place] = IGNORED
            elif begin == starts[number] and current != number:
                found[place] = labels.begin[name]
                begun.add((text, number))
            else:
                found[place] = labels.inside[name]
            current = number
    return found, total - len(begun)
