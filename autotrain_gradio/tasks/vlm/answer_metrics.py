"""Metrics of answers and captions: exact match, ANLS and chrF."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Levenshtein
from sacrebleu.metrics import CHRF

THRESHOLD = 0.5
"""Normalized distance from which an answer counts as wrong (ANLS)."""


def normalized(text: str) -> str:
    """Return a text in lower case, with single spaces."""
    return " ".join(text.casefold().split())


def exact_match(text: str, reference: str) -> bool:
    """Whether an answer equals the reference, apart from case and white space."""
    return normalized(text) == normalized(reference)


def similarity(text: str, reference: str) -> float:
    """Return the normalized Levenshtein similarity of an answer, 0 to 1; 0 from half of the characters on.

    As ANLS of Biten et al. (2019), https://arxiv.org/abs/1905.13648, with a single reference.
    """
    distance = Levenshtein.normalized_distance(normalized(text), normalized(reference))
    return 1.0 - distance if distance < THRESHOLD else 0.0


def measure(texts: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Return chrF (0 to 100), exact match and ANLS (0 to 1) of answers; empty without any."""
    if not texts:
        return {}
    pairs = list(zip(texts, references, strict=True))
    return {
        "chrf": float(CHRF().corpus_score(list(texts), [list(references)]).score),
        "exact_match": sum(exact_match(t, r) for t, r in pairs) / len(pairs),
        "anls": sum(similarity(t, r) for t, r in pairs) / len(pairs),
    }


def row_scores(texts: Sequence[str], references: Sequence[str]) -> list[float]:
    """Return the chrF of each answer (0 to 100)."""
    metric = CHRF()
    return [float(metric.sentence_score(t, [r]).score) for t, r in zip(texts, references, strict=True)]
