"""Exact match and F1 of SQuAD, and the threshold of "no answer" with the best F1.

The definitions are those of the official evaluation scripts, v1.1 (Rajpurkar et al. 2016) and v2.0 (Rajpurkar et al.
2018), https://rajpurkar.github.io/SQuAD-explorer/: answers are lower-cased, without ASCII punctuation and English
articles, and split at whitespace; an answer counts by the gold answer that it matches best. A question without an
answer has the gold answer "", which only "" matches.

In scripts without spaces between words (Chinese, Japanese, Thai …) each character is a token and Unicode punctuation
is removed, as in the evaluation of MLQA (Lewis et al. 2020, https://github.com/facebookresearch/MLQA); there the
official scripts would compare whole sentences. Texts in other scripts have exactly the official scores.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

import numpy as np

ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))
WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f]"
)
"""A character of Thai, Lao, Myanmar, Khmer, Japanese or Chinese."""


def normalize(text: str) -> str:
    """Return an answer in lower case, without punctuation and articles, with single spaces between tokens."""
    text = ARTICLES.sub(" ", text.lower().translate(PUNCTUATION))
    if WITHOUT_SPACES.search(text):
        text = "".join(c for c in text if not unicodedata.category(c).startswith("P"))
        text = WITHOUT_SPACES.sub(r" \g<0> ", text)
    return " ".join(text.split())


def gold_answers(texts: Sequence[str]) -> list[str]:
    """Return the gold answers that have a token; [""] if there is none: the question has no answer."""
    return [text for text in texts if normalize(text)] or [""]


def exact_match(answer: str, gold: Sequence[str]) -> float:
    """Return 1 if the normalized answer equals that of one of the gold answers, else 0."""
    return float(any(normalize(answer) == normalize(text) for text in gold_answers(gold)))


def f1(answer: str, gold: Sequence[str]) -> float:
    """Return the F1 of the tokens of an answer and of the gold answer that it matches best."""
    return max(_token_f1(normalize(answer).split(), normalize(text).split()) for text in gold_answers(gold))


def _token_f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    common = sum((Counter(answer) & Counter(gold)).values())
    return 2 * common / (len(answer) + len(gold))


def best_threshold(difference: np.ndarray, answered: np.ndarray, refused: np.ndarray) -> float:
    """Return the threshold of "no answer" with the highest mean score.

    difference: per question the score of "no answer" minus that of the best span; "no answer" is chosen where it is
    above the threshold. answered, refused: the metric of each question for the span, and for "no answer". Of several
    thresholds with the same mean the one closest to 0 is returned: it lies between two differences.
    """
    order = np.argsort(difference, kind="stable")
    ordered, gain = difference[order], (answered - refused)[order]
    # After k questions in this order the threshold answers those k, and refuses the others.
    total = np.concatenate([[0.0], np.cumsum(gain)])
    possible = np.concatenate([[True], ordered[1:] > ordered[:-1], [True]])
    best = np.flatnonzero(possible & (total >= total[possible].max() - 1e-9))
    low = np.concatenate([[-np.inf], ordered])[best]
    high = np.concatenate([ordered, [np.inf]])[best]
    # Half a unit beyond the extremes; halfway between two differences.
    middle = np.where(np.isinf(low), high - 0.5, np.where(np.isinf(high), low + 0.5, (low + high) / 2))
    nearest = np.where((low < 0) & (high > 0) & (np.minimum(-low, high) > 1e-3), 0.0, middle)
    return float(nearest[np.argmin(np.abs(nearest))])
