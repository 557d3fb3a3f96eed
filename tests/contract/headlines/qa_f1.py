"""F1 of answers, as SQuAD defines it; trivial is never to answer.

Written anew from the definition: lower case, without punctuation and articles, overlap of words with the best of the
gold answers; a question without an answer has the gold answer "".
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

MARGIN = 0.2


def measure(answers: Sequence[Any], targets: Sequence[Any]) -> float:
    scores = [max(_f1(a, text) for text in t["text"] or [""]) for a, t in zip(answers, targets, strict=True)]
    return sum(scores) / len(scores)


def _f1(answer: str, gold: str) -> float:
    mine, true = _words(answer), _words(gold)
    if not mine or not true:
        return float(mine == true)
    same = (Counter(mine) & Counter(true)).total()
    precision, recall = same / len(mine), same / len(true)
    return 2 * precision * recall / (precision + recall) if same else 0.0


def _words(text: str) -> list[str]:
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def trivial(check: Mapping[str, Any]) -> float:
    items = next(p for p in check["profile"] if p["id"] == "questions")["items"]
    facts = {item["label"]: item["value"] for item in items}
    return float(facts["validation questions without an answer"] / facts["validation questions"])
