"""Mean reward of the sample's prompts with the rewards of the tiny model; trivial is an answer that gets none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MARGIN = 0.9


def measure_run(rows: Mapping[str, Any], answers_of: Callable[[Sequence[Any]], list[Any]]) -> float:
    """Answer each validation prompt, and score the answers anew: 1 for one of the words, 1 for the right one."""
    part = rows["validation"]
    answers = answers_of(list(part["conversation"]))
    scored = [
        bool(re.search("odd|even", answer)) + (answer.strip().lower() == reference)
        for answer, reference in zip(answers, part["completion"], strict=True)
    ]
    return sum(scored) / len(scored)


def trivial(check: Mapping[str, Any]) -> float:
    return 0.0
