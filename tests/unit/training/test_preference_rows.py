"""Tokenized preferences: where answers begin, the maximum lengths, and batches."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from trl.trainer.dpo_trainer import DataCollatorForPreference

from autotrain_gradio.training.chat_templates import choose_template
from autotrain_gradio.training.language_models import tiny_chat_tokenizer
from autotrain_gradio.training.preference_rows import (
    CollatePairs,
    Pair,
    PairLimits,
    PairTokenizer,
    as_dataset,
    limit_pairs,
    pair_lengths,
)

TALK = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi"},
    {"role": "user", "content": "How are you?"},
]


def pair(prompt: int, chosen: int, rejected: int) -> Pair:
    start = np.arange(100, 100 + prompt, dtype=np.int32)
    return Pair(start, np.full(chosen, 1, np.int32), np.full(rejected, 2, np.int32))


@pytest.mark.parametrize("family", ["chatml", "zephyr", "none"])
def test_only_the_last_answer_is_compared(family: str) -> None:
    tokenizer = tiny_chat_tokenizer(["Hello Hi How are you? Fine. Bad."])
    tokenizer.chat_template = None
    template = choose_template(tokenizer, family)
    row = {
        "prompt": json.dumps(TALK),
        "chosen": json.dumps([{"role": "assistant", "content": "Fine."}]),
        "rejected": json.dumps([{"role": "assistant", "content": "Bad."}]),
    }
    found: Any = next(PairTokenizer(tokenizer, template).pairs([row]))
    assert tokenizer.decode(found.chosen) == f"Fine.{tokenizer.eos_token}"
    assert tokenizer.decode(found.rejected) == f"Bad.{tokenizer.eos_token}"
    prompt = tokenizer.decode(found.prompt)
    assert "Hi" in prompt and "How are you?" in prompt and "Fine" not in prompt


@pytest.mark.parametrize(
    ("limits", "sizes", "kept"),
    [
        (PairLimits(20), (10, 5, 8), (10, 5, 8)),
        (PairLimits(12), (10, 5, 8), (10, 2, 2)),
        (PairLimits(12, action="truncate_left"), (10, 5, 8), (4, 5, 8)),
        (PairLimits(6, action="truncate_left"), (10, 5, 8), (1, 5, 5)),
        (PairLimits(12, action="drop"), (10, 5, 8), None),
        (PairLimits(20, prompt=3), (10, 5, 8), (3, 5, 8)),
        (PairLimits(20, answer=6), (10, 5, 8), (10, 5, 6)),
        (PairLimits(20, prompt=3, action="drop"), (10, 5, 8), None),
        (PairLimits(8), (10, 5, 8), (10, 0, 0)),
    ],
)
def test_maximum_lengths(limits: PairLimits, sizes: tuple[int, int, int], kept: tuple[int, int, int] | None) -> None:
    found = limits.apply(pair(*sizes))
    assert (None if found is None else (len(found.prompt), len(found.chosen), len(found.rejected))) == kept
    if found is not None and len(found.prompt) < sizes[0]:
        assert found.prompt[-1] == 109, "the end of the prompt is kept"


def test_rows_without_a_difference_are_counted() -> None:
    same = Pair(np.arange(3, dtype=np.int32), np.array([1, 1, 5], np.int32), np.array([1, 1, 6], np.int32))
    rows, numbers, counts = limit_pairs([pair(3, 2, 2), same, pair(9, 2, 2)], PairLimits(5))
    assert len(rows) == 1 and numbers == [0] and (counts.longer, counts.untrained) == (2, 2)
    assert "2 rows (66.7%) longer than 5 tokens" in counts.message()


@pytest.mark.parametrize(
    ("limits", "action"),
    [
        (PairLimits(12), "truncated at the end of the answers"),
        (PairLimits(12, action="truncate_left"), "truncated at the beginning of the prompt"),
        (PairLimits(30, prompt=3), "truncated at the beginning of the prompt"),
        (PairLimits(12, prompt=3, answer=6), "truncated at the beginning of the prompt and the end of the answers"),
        (
            PairLimits(30, prompt=9, answer=6),
            "truncated at the beginning of the prompt in 1 and the end of the answers",
        ),
        (PairLimits(12, action="drop"), "dropped"),
    ],
)
def test_the_message_says_which_end_is_truncated(limits: PairLimits, action: str) -> None:
    _, _, counts = limit_pairs([pair(10, 5, 8), pair(8, 9, 6)], limits)
    assert f": {action}; the longest has 18" in counts.message()


def test_batches_are_those_of_trl() -> None:
    rows = as_dataset([pair(3, 2, 4), pair(1, 5, 1)])
    assert pair_lengths(rows).tolist() == [7, 6]
    wanted = DataCollatorForPreference(pad_token_id=0)([{k: v.tolist() for k, v in row.items()} for row in rows])
    made = CollatePairs(0)([rows[0], rows[1]])
    assert {k: v.tolist() for k, v in made.items()} == {k: v.tolist() for k, v in wanted.items()}
