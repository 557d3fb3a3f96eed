"""Alignment of two texts: their words, and the characters of words that differ.

The alignment is that of the word error rate: the fewest substitutions, deletions and insertions (Levenshtein).
A character is a grapheme cluster: a letter with its combining marks, and in Indic scripts letters joined by a virama.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein

Part = list[str]
"""`[operation, reference, prediction]`; the operation is `same`, `swap`, `missing` (in the prediction) or `extra`."""

OPERATIONS = {"equal": "same", "replace": "swap", "delete": "missing", "insert": "extra"}
JOINERS = {"\u200c", "\u200d"}
VIRAMA = 9
"""Unicode's combining class of the signs that join two consonants."""
LARGE_TABLE = 250_000
"""Pairs of words above which swapped words are aligned without regard to their similarity."""
LEAST_SIMILARITY = 0.4
"""Fraction of equal characters from which two words are compared character by character."""


def words(reference: str, prediction: str) -> list[Part]:
    """Align two texts word by word; adjacent parts of one operation are merged, except swaps, which are pairs of words.

    Of the alignments with the fewest edits, that with the most similar swapped words is returned.
    """
    before, after = reference.split(), prediction.split()
    if len(before) * len(after) > LARGE_TABLE:
        return _parts(before, after, " ")
    return _merged(_aligned(before, after))


def _aligned(before: Sequence[str], after: Sequence[str]) -> list[Part]:
    """Align by dynamic programming (Wagner-Fischer, 1974): an edit costs 1, a swap of unlike words slightly more."""
    penalty = 0.5 / (len(before) + len(after) + 1)  # the sum of all penalties stays below one edit
    best = [[float(i + j) if not i or not j else 0.0 for j in range(len(after) + 1)] for i in range(len(before) + 1)]
    for i, old in enumerate(before, 1):
        for j, new in enumerate(after, 1):
            swap = 0.0 if old == new else 1 + penalty * Levenshtein.normalized_distance(old, new)
            best[i][j] = min(best[i - 1][j - 1] + swap, best[i - 1][j] + 1, best[i][j - 1] + 1)
    steps: list[Part] = []
    i, j = len(before), len(after)
    while i or j:
        if i and best[i][j] == best[i - 1][j] + 1:
            steps.append(["missing", before[i - 1], ""])
            i -= 1
        elif j and best[i][j] == best[i][j - 1] + 1:
            steps.append(["extra", "", after[j - 1]])
            j -= 1
        else:
            i, j = i - 1, j - 1
            steps.append(["same" if before[i] == after[j] else "swap", before[i], after[j]])
    return steps[::-1]


def _merged(steps: Sequence[Part]) -> list[Part]:
    parts: list[Part] = []
    for step in steps:
        if parts and step[0] == parts[-1][0] and step[0] != "swap":
            parts[-1] = [step[0], *(f"{a} {b}".strip() for a, b in zip(parts[-1][1:], step[1:], strict=True))]
        else:
            parts.append(step)
    return parts


def characters(reference: str, prediction: str) -> list[Part]:
    """Align two words character by character; dissimilar words are one swap."""
    before, after = clusters(reference), clusters(prediction)
    parts = _parts(before, after, "")
    same = sum(len(clusters(p[1])) for p in parts if p[0] == "same")
    if same < LEAST_SIMILARITY * max(len(before), len(after), 1):
        return [["swap", reference, prediction]]
    return parts


def clusters(text: str) -> list[str]:
    """Split a text into grapheme clusters."""
    found: list[str] = []
    for sign in text:
        joined = bool(found) and (
            unicodedata.category(sign) in {"Mn", "Mc", "Me"} or sign in JOINERS or _joins(found[-1], sign)
        )
        if joined:
            found[-1] += sign
        else:
            found.append(sign)
    return found


def _joins(cluster: str, sign: str) -> bool:
    """Return whether a letter is joined to the cluster before it, by a virama or a joiner."""
    last = cluster[-1]
    if last == "\u200d":
        return True
    bare = cluster.rstrip("".join(JOINERS))
    return bool(bare) and unicodedata.combining(bare[-1]) == VIRAMA and unicodedata.category(sign) == "Lo"


def _parts(before: Sequence[str], after: Sequence[str], glue: str) -> list[Part]:
    parts: list[Part] = []
    for step in Levenshtein.opcodes(before, after):
        old, new = before[step.src_start : step.src_end], after[step.dest_start : step.dest_end]
        if step.tag == "replace" and glue:
            parts += [["swap", a, b] for a, b in zip(old, new, strict=True)]
        else:
            parts.append([OPERATIONS[step.tag], glue.join(old), glue.join(new)])
    return parts
