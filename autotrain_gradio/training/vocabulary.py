"""Transcripts as sequences of symbols: normalization, graphemes, and vocabularies for any script."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

PAD, UNKNOWN, DELIMITER = "[PAD]", "[UNK]", "|"
"""CTC blank, unknown token, and word delimiter."""
RARE = 5
"""Number of occurrences below which a symbol can hardly be learned."""
JOINERS = "\u200c\u200d"
"""Zero-width joiners: spelling in several scripts, though Unicode calls them control characters."""
APOSTROPHES = "'’ʼ"
DOUBLE_MARKS = frozenset([*map(chr, range(0x035C, 0x0363)), "\u1dcd", "\u1dfc"])
"""Combining marks that join a symbol to the next one, such as the IPA tie bar."""
CASES = ("keep", "lower", "upper")


def clean(text: str) -> str:
    """Return a transcript in Unicode's composed form (NFC), on one line, its words one space apart."""
    visible = [c for c in unicodedata.normalize("NFC", text) if c in JOINERS or not _invisible(c)]
    return " ".join("".join(visible).split())


def _invisible(symbol: str) -> bool:
    category = unicodedata.category(symbol)
    return category == "Cf" or (category == "Cc" and not symbol.isspace())


def in_case(text: str, case: str) -> str:
    """Return the text in a case of `CASES`; scripts without case stay as they are."""
    changed = text.lower() if case == "lower" else text.upper() if case == "upper" else text
    return unicodedata.normalize("NFC", changed)


def without_punctuation(text: str) -> str:
    """Remove punctuation (Unicode categories P*), which is not spoken.

    An apostrophe between letters stays, since it is spelling there; combining marks and symbols stay too. A hyphen
    or another mark between letters becomes a space.
    """
    result = []
    for place, symbol in enumerate(text):
        spelling = symbol in APOSTROPHES and _letter(text[place - 1 : place]) and _letter(text[place + 1 : place + 2])
        result.append(symbol if spelling or unicodedata.category(symbol)[0] != "P" else " ")
    return " ".join("".join(result).split())


def _letter(symbol: str) -> bool:
    return bool(symbol) and unicodedata.category(symbol)[0] in "LM"


def for_scoring(text: str) -> str:
    """Normalize a text for error rates: lower case, no punctuation, Unicode compatibility forms unified.

    Unicode's NFKC, but superscripts and subscripts stay (in the IPA `pʰ` is not `ph`), and so do combining marks. The
    typographic apostrophe becomes the plain one, and `DELIMITER`, which no CTC model can output, a space.
    """
    compatible = "".join(c if _raised(c) else unicodedata.normalize("NFKC", c) for c in clean(text))
    compatible = compatible.replace("’", "'").replace(DELIMITER, " ")
    return without_punctuation(unicodedata.normalize("NFC", compatible).lower())


def _raised(symbol: str) -> bool:
    return unicodedata.decomposition(symbol).startswith(("<super>", "<sub>"))


def graphemes(text: str) -> list[str]:
    """Split a text into base characters, each with the combining marks and joiners that follow it.

    A leading mark is a symbol of its own. Double marks (the tie bar) join the next character too.
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
    """Whether a cluster has a single base character: a tie bar joins two at most."""
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
    """Return a vocabulary; the index of a symbol is its label id. Blank, unknown and delimiter come first.

    least: minimum number of occurrences of a symbol.
    """
    return [PAD, UNKNOWN, DELIMITER, *sorted(s for s, n in counts.items() if n >= least)]


@dataclass(frozen=True)
class Coverage:
    """Coverage of the transcripts by a vocabulary.

    share: share of the symbols that are missing, from 0 to 1. missing: missing symbol → number of occurrences.
    """

    share: float
    missing: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, counts: Mapping[str, int], known: Iterable[str]) -> Coverage:
        """Compare the counts of symbols with a vocabulary."""
        there = set(known)
        missing = {s: n for s, n in counts.items() if s not in there}
        total = sum(counts.values())
        return cls(sum(missing.values()) / total if total else 0.0, missing)

    def examples(self, most: int = 12) -> str:
        """Name the most frequent missing symbols."""
        order = sorted(self.missing, key=lambda s: (-self.missing[s], s))
        return " ".join(order[:most]) + (" …" if len(order) > most else "")


class Encoder:
    """Encodes texts as label ids by greedy longest match.

    Used instead of the tokenizer of wav2vec2, which drops the spaces next to a symbol of several characters
    (transformers 5.23).

    table: symbol → label id. unknown: id of unknown symbols; None: they are skipped.
    """

    def __init__(self, table: Mapping[str, int], unknown: int | None, delimiter: str = DELIMITER) -> None:
        self._table, self._unknown, self._delimiter = dict(table), unknown, delimiter
        self._longest = max(map(len, self._table), default=1)

    def __call__(self, text: str) -> list[int]:
        """Return the label ids of a text."""
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
    """Return the minimum number of frames that CTC needs for labels: one each, and a blank between repeated ones."""
    return len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))
