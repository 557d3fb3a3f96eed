"""Reward AUC: the probability that a good answer has a higher reward than a bad one; trivial is chance."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer

from autotrain_gradio.training.language_models import tiny_model
from tests.contract.headlines.reward_accuracy import log_probabilities, texts

MARGIN = 0.3


def measure_model(rows: Mapping[str, Any], folder: Path) -> float:
    """Compute the reward of each validation row alone, by transformers alone."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as base:
        path = tiny_model(Path(base), texts=texts(rows["train"], ("completion",)))
        reference = AutoModelForCausalLM.from_pretrained(path)
    rewards: dict[int, list[float]] = {0: [], 1: []}
    for row in rows["validation"]:
        logps = [log_probabilities(one, tokenizer, row, "completion").sum() for one in (model, reference)]
        rewards[row["label"]].append(float(logps[0] - logps[1]))
    won = [(good > bad) + (good == bad) / 2 for good in rewards[1] for bad in rewards[0]]
    return sum(won) / len(won)


def trivial(check: Mapping[str, Any]) -> float:
    return 0.5
