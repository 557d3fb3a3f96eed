"""Accuracy: the share of right answers; trivial is always the most frequent label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MARGIN = 0.1


def measure(answers: Sequence[Any], targets: Sequence[Any]) -> float:
    return sum(a == t for a, t in zip(answers, targets, strict=True)) / len(targets)


def trivial(check: Mapping[str, Any]) -> float:
    return float(max(label["validation"] for label in check["labels"]) / check["splits"]["validation"])
