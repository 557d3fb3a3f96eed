"""Spellings of categories: which ones are the same, and boolean values: yes, TRUE, 1."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PAIRS = (
    *(("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("1", "0"), ("on", "off"), ("wahr", "falsch")),
    *(("ja", "nein"), ("j", "n"), ("vrai", "faux"), ("oui", "non"), ("verdadero", "falso"), ("sí", "no")),
    *(("si", "no"), ("vero", "falso"), ("sì", "no"), ("verdadeiro", "falso"), ("sim", "não"), ("waar", "onwaar")),
    *(("ja", "nee"), ("ja", "nej"), ("prawda", "fałsz"), ("tak", "nie"), ("истина", "ложь"), ("да", "нет")),
)
"""Words for true and false, folded: those of spreadsheets, R and surveys in several languages."""
TRUTH = {word: value for pair in PAIRS for word, value in zip(pair, (True, False), strict=True)}
CLEAR = frozenset(word for word in TRUTH if len(word) > 2 or word in {"no", "ja", "1", "0"})
"""Words that mean a boolean value beside another pair of words, too."""
MOST_SPELLINGS = 12
"""Distinct values beyond which a column does not hold boolean values."""
_NUMBER = re.compile(r"([+-]?)0*(\d+)(?:[.,](\d*?)0*)?")


def fold(text: str) -> str:
    """Return a text without differences of case, spaces and Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def visible(name: str) -> str:
    """Return a name without differences that cannot be seen: Unicode form, kinds and number of spaces."""
    return " ".join(unicodedata.normalize("NFC", name).split())


def _fold_number(text: str) -> str:
    """Fold a text; of a number, also leading zeros, and zeros at the end of its decimals: 007, 1.0."""
    folded = fold(text)
    found = _NUMBER.fullmatch(folded)
    if found is None:
        return folded
    return found[1].replace("+", "") + found[2] + (f".{found[3]}" if found[3] else "")


def truth_value(text: str) -> bool | None:
    """Return the boolean value that a text means; None for other texts."""
    return TRUTH.get(_fold_number(text))


def truth_spellings(counts: Mapping[str, int]) -> dict[str, str]:
    """Return spelling → the most frequent spelling of its boolean value, a word if possible; {} for other texts.

    counts: text → rows. Words and numbers may be mixed: TRUE, True, 1.
    """
    if not 1 < len(counts) <= MOST_SPELLINGS:
        return {}
    words = {text: _fold_number(text) for text in counts}
    paired = {word for pair in PAIRS if set(pair) <= set(words.values()) for word in pair}
    if not paired.union(CLEAR).issuperset(words.values()) or len({TRUTH[word] for word in words.values()}) < 2:
        return {}
    best: dict[bool, str] = {}
    for text in sorted(counts, key=lambda text: (words[text] in {"1", "0"}, -counts[text], text)):
        best.setdefault(TRUTH[words[text]], text)
    return {text: best[TRUTH[word]] for text, word in words.items()}


def are_truth_values(texts: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether all texts that are not null are boolean values, and both occur."""
    values = pc.unique(texts).drop_null()
    return len(values) <= MOST_SPELLINGS and bool(truth_spellings(dict.fromkeys(values.to_pylist(), 1)))


def merge_truth_values(values: pa.Array, codes: Any) -> pa.Array:
    """Return distinct texts with one spelling for each boolean value, if all are boolean values; else the texts.

    codes: of the rows, as `encode` returns them.
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(values)).tolist()
    texts = values.to_pylist()
    merged = truth_spellings(dict(zip(texts, counts, strict=True)))
    if not merged or all(merged[text] == text for text in texts):
        return values
    return pa.array([merged[text] for text in texts], values.type)


class Spellings:
    """The categories that a model knows, and which other spellings mean one of them.

    A spelling that could mean two of the categories means none: `berlin`, where `BERLIN` and `Berlin` are known.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)
        self._folded = [_unambiguous(self.known, key) for key in (fold, _fold_number)]
        truth = truth_spellings(dict.fromkeys(self.known, 1)) if len(self.known) == 2 else {}
        self._truth = {truth_value(text): text for text in truth}

    def find(self, text: str) -> str | None:
        """Return the category that a text means; None for an unknown one."""
        if text in self.known:
            return text
        for by_key, key in zip(self._folded, (fold, _fold_number), strict=True):
            if (found := by_key.get(key(text))) is not None:
                return found
        value = truth_value(text)
        return None if value is None else self._truth.get(value)


def _unambiguous(known: Iterable[str], key: Any) -> dict[str, str]:
    counts = Counter(key(text) for text in known)
    return {folded: text for text in known if counts[folded := key(text)] == 1}
