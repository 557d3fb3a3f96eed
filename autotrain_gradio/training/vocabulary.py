"""Transcripts as the symbols that a recognizer learns: normalisation, graphemes, and vocabularies of any script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PAD, UNKNOWN, DELIMITER = "[PAD]", "[UNK]", "|"
"""The blank of CTC, what stands for any symbol without a place of its own, and the space between words."""
RARE = 5
"""A symbol that occurs less often can hardly be learned."""
JOINERS = "\u200c\u200d"
"""Zero-width joiners: spelling in several scripts, though Unicode calls them control characters."""
APOSTROPHES = "'’ʼ"
DOUBLE_MARKS = frozenset([*map(chr, range(0x035C, 0x0363)), "\u1dcd", "\u1dfc"])
"""Marks that bind their symbol to the next one, as the tie bar of an affricate in the IPA does."""
CASES = ("keep", "lower", "upper")


def clean(text: str) -> str:
    """Return a transcript in Unicode's composed form (NFC), on one line, its words one space apart."""
    kept = [c for c in unicodedata.normalize("NFC", text) if c in JOINERS or not _invisible(c)]
    return " ".join("".join(kept).split())


def _invisible(symbol: str) -> bool:
    category = unicodedata.category(symbol)
    return category == "Cf" or (category == "Cc" and not symbol.isspace())


def in_case(text: str, case: str) -> str:
    """Return the text in a case of `CASES`; scripts without case stay as they are."""
    changed = text.lower() if case == "lower" else text.upper() if case == "upper" else text
    return unicodedata.normalize("NFC", changed)


def without_punctuation(text: str) -> str:
    """Remove punctuation (Unicode categories P*), which is not spoken.

    An apostrophe between letters is kept, since it is spelling there; combining marks and symbols stay too. A hyphen
    or another mark between letters becomes a space.
    """
    kept = []
    for place, symbol in enumerate(text):
        spelling = symbol in APOSTROPHES and _letter(text[place - 1 : place]) and _letter(text[place + 1 : place + 2])
        kept.append(symbol if spelling or unicodedata.category(symbol)[0] != "P" else " ")
    return " ".join("".join(kept).split())


def _letter(symbol: str) -> bool:
    return bool(symbol) and unicodedata.category(symbol)[0] in "LM"


def for_scoring(text: str) -> str:
    """Return a text as normalized error rates compare it: one case, no punctuation, compatibility forms made equal.

    Unicode's NFKC, but superscripts and subscripts stay (in the IPA `pʰ` is not `ph`), and so do combining marks. The
    typographic apostrophe is the plain one, and `DELIMITER`, which no CTC model can write, a space.
    """
    compatible = "".join(c if _raised(c) else unicodedata.normalize("NFKC", c) for c in clean(text))
    compatible = compatible.replace("’", "'").replace(DELIMITER, " ")
    return without_punctuation(unicodedata.normalize("NFC", compatible).lower())


def _raised(symbol: str) -> bool:
    return unicodedata.decomposition(symbol).startswith(("<super>", "<sub>"))


def graphemes(text: str) -> list[str]:
    """Split a text into base characters, each with the combining marks and joiners that follow it.

    A mark at the beginning stands alone. Marks that bind two symbols (the tie bar) keep the next one too.
    """
    found: list[str] = []
    for symbol in text:
        joined = unicodedata.category(symbol)[0] == "M" or symbol in JOINERS
        tied = found and any(mark in DOUBLE_MARKS for mark in found[-1]) and _single(found[-1])
        if found and found[-1] != " " and symbol != " " and (joined or tied):
            found[-1] += symbol
        else:
            found.append(symbol)
    return found


def _single(cluster: str) -> bool:
    """Whether a cluster has one base only: a tie bar binds no third symbol."""
    return sum(unicodedata.category(c)[0] != "M" for c in cluster) < 2


def split(text: str, unit: str) -> list[str]:
    """Return the symbols of a text: `characters` (code points) or `graphemes`."""
    return graphemes(text) if unit == "graphemes" else list(text)


def count(texts: Iterable[str], unit: str = "characters") -> Counter[str]:
    """Count the symbols of all texts, spaces excluded."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(s for s in split(text, unit) if not s.isspace() and s != DELIMITER)
    return counts


def build(counts: Mapping[str, int], least: int = 1) -> list[str]:
    """Return a vocabulary as a list: the place of a symbol is its number. Blank, unknown and space come first.

    least: how often a symbol must occur to get a place.
    """
    return [PAD, UNKNOWN, DELIMITER, *sorted(s for s, n in counts.items() if n >= least)]


@dataclass(frozen=True)
class Coverage:
    """How much of the transcripts a vocabulary can write.

    share: part of the symbols that it lacks, from 0 to 1. missing: those symbols and how often each occurs.
    """

    share: float
    missing: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Mapping[str, int], known: Iterable[str]) -> Coverage:
        """Compare counted symbols with a vocabulary's."""
        there = set(known)
        missing = {s: n for s, n in counts.items() if s not in there}
        total = sum(counts.values())
        return cls(sum(missing.values()) / total if total else 0.0, missing)

    def examples(self, most: int = 12) -> str:
        """Name the most frequent missing symbols."""
        order = sorted(self.missing, key=lambda s: (-self.missing[s], s))
        return " ".join(order[:most]) + (" …" if len(order) > most else "")


class Encoder:
    """Turns texts into numbers by a table of symbols, the longest that fits first.

    A tokenizer's own way is not used for it: that of wav2vec2 swallows the spaces beside a symbol of several
    characters (transformers 5.23).

    table: symbol → number. unknown: number of a symbol that is not in it; None: it is skipped.
    """

    def __init__(self, table: Mapping[str, int], unknown: int | None, delimiter: str = DELIMITER) -> None:
        self._table, self._unknown, self._delimiter = dict(table), unknown, delimiter
        self._longest = max(map(len, self._table), default=1)

    def __call__(self, text: str) -> list[int]:
        """Return the numbers of a text."""
        text = self._delimiter.join(text.replace(self._delimiter, " ").split())
        found, place = [], 0
        while place < len(text):
            for length in range(min(self._longest, len(text) - place), 0, -1):
                number = self._table.get(text[place : place + length])
                if number is not None:
                    found.append(number)
                    break
            else:
                length = 1
                if self._unknown is not None:
                    found.append(self._unknown)
            place += length
        return found


def frames_needed(labels: Sequence[int]) -> int:
    """Return how many frames CTC needs at least for these labels: one each, and a blank between two that are alike."""
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))
