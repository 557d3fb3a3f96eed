"""Reward accuracy: the share of pairs in which the preferred answer has the higher reward; trivial is chance."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from autotrain_gradio.training.language_models import tiny_model

MARGIN = 0.3


def measure_model(rows: Mapping[str, Any], folder: Path) -> float:
    """Compute the rewards of each validation row alone, by transformers alone."""
    task = json.loads((folder.parent / "spec.json").read_text(encoding="utf-8"))["task"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    right = 0
    if task == "llm-reward":
        scorer = AutoModelForSequenceClassification.from_pretrained(folder)
        for row in rows["validation"]:
            better, worse = (_score(scorer, tokenizer, row, name) for name in ("chosen", "rejected"))
            right += better > worse
        return right / len(rows["validation"])
    model = AutoModelForCausalLM.from_pretrained(folder)
    reference = None
    if task == "llm-dpo":
        with tempfile.TemporaryDirectory() as base:
            reference = AutoModelForCausalLM.from_pretrained(tiny_model(Path(base), texts=texts(rows["train"])))
    for row in rows["validation"]:
        rewards = []
        for name in ("chosen", "rejected"):
            logps = log_probabilities(model, tokenizer, row, name)
            if reference is None:
                rewards.append(logps.mean())
            else:
                rewards.append(logps.sum() - log_probabilities(reference, tokenizer, row, name).sum())
        right += bool(rewards[0] > rewards[1])
    return right / len(rows["validation"])


def texts(rows: Any, names: Sequence[str] = ("chosen", "rejected")) -> list[str]:
    """Return the texts on which the tokenizer of the tiny model was trained. names: of the columns of the answers."""
    found = []
    for row in rows:
        for name in ("prompt", *names):
            for message in json.loads(row[name]):
                found += [f"{message['role']}\n", message["content"]]
    return found


def _ids(tokenizer: Any, row: Mapping[str, Any], name: str) -> tuple[list[int], int]:
    """Return the tokens of a prompt with an answer, and the number of those of the prompt."""
    prompt, answer = json.loads(row["prompt"]), json.loads(row[name])
    whole = tokenizer.apply_chat_template(prompt + answer, tokenize=False).rstrip()
    before = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    assert whole.startswith(before)
    return [tokenizer(text)["input_ids"] for text in (whole,)][0], len(tokenizer(before)["input_ids"])


@torch.inference_mode()
def log_probabilities(model: Any, tokenizer: Any, row: Mapping[str, Any], name: str) -> torch.Tensor:
    """Return the log-probability of each token of an answer (tokens,). name: of its column."""
    ids, start = _ids(tokenizer, row, name)
    logps = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    return logps.gather(-1, torch.tensor(ids[1:])[:, None])[start - 1 :, 0]


@torch.inference_mode()
def _score(model: Any, tokenizer: Any, row: Mapping[str, Any], name: str) -> float:
    return float(model(torch.tensor([_ids(tokenizer, row, name)[0]])).logits[0, 0])


def trivial(check: Mapping[str, Any]) -> float:
    return 0.5
