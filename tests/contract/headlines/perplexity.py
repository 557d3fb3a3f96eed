"""Perplexity of the assistant's tokens, or of all tokens of a text; trivial is a uniform choice among 256 bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

MARGIN = 240.0


def measure_model(rows: Mapping[str, Any], folder: Path) -> float:
    """Compute the loss of each validation row alone, by transformers alone."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    total, count = 0.0, 0
    for row in rows["validation"]:
        if "conversation" in row:
            made = tokenizer.apply_chat_template(
                json.loads(row["conversation"]), return_dict=True, return_assistant_tokens_mask=True
            )
            ids, mask = made["input_ids"], made["assistant_masks"]
        else:
            ids = [*tokenizer(row["text"])["input_ids"], tokenizer.eos_token_id]
            mask = [1] * len(ids)
        labels = torch.tensor([i if kept else -100 for i, kept in zip(ids, mask, strict=True)])
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, labels[1:], reduction="sum"))
        count += int((labels[1:] != -100).sum())
    return math.exp(total / count)


def trivial(check: Mapping[str, Any]) -> float:
    return 256.0
