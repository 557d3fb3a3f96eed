"""Rows of KTO as token ids: a prompt, its judged answer, and an answer to another prompt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from datasets import Dataset

from autotrain_gradio.training.chat_templates import ChatTemplate, TemplateFailure, TokenizedRow
from autotrain_gradio.training.language_run import Split
from autotrain_gradio.training.preference_rows import PairTokenizer
from autotrain_gradio.training.token_rows import IGNORED

ANSWER, JUDGED = "completion", "label"
"""Columns of the answer, and of its class."""


def tokenized(
    tokenizer: Any, template: ChatTemplate, rows: Iterable[Mapping[str, Any]]
) -> Iterator[TokenizedRow | TemplateFailure]:
    """Yield each prompt with its answer as token ids, or the reason why it cannot be rendered."""
    answers = PairTokenizer(tokenizer, template)
    for row in rows:
        try:
            yield answers.answer(row, ANSWER)
        except TemplateFailure as error:
            yield error


def as_dataset(split: Split, rows: Dataset, limit: int, *, mismatched: bool) -> Dataset:
    """Return the rows of a split with the columns of TRL: `prompt_ids`, `completion_ids`, `label` (True: good).

    split: of `tokenize_split`. rows: the rows of the data. limit: maximum length in tokens. mismatched: add
    `KL_completion_ids`, the answers to other prompts, by which the distance from the reference model is estimated.
    """
    prompts, answers = [], []
    for sequence in split.sequences:
        start = int((np.asarray(sequence["labels"]) != IGNORED).argmax())
        ids = np.asarray(sequence["input_ids"]).tolist()
        prompts.append(ids[:start])
        answers.append(ids[start:])
    chosen = rows.select(split.rows)
    columns = {"prompt_ids": prompts, "completion_ids": answers, "label": [bool(v) for v in chosen[JUDGED]]}
    if mismatched:
        others = other_prompts([str(cell) for cell in chosen["prompt"]])
        columns["KL_completion_ids"] = [
            answers[other][: max(1, limit - len(prompt))] for other, prompt in zip(others, prompts, strict=True)
        ]
    return Dataset.from_dict(columns)


def other_prompts(prompts: Sequence[str]) -> list[int]:
    """Return for each row the number of the next one, cyclically, with another prompt; its own if there is none.

    TRL takes the row before it in its batch, whose prompt may be the same.
    """
    count = len(prompts)
    found = list(range(count))
    after = 0
    # From the end, twice around: the next row with another prompt is the next row, or the one that that row has found.
    for number in range(2 * count - 1, -1, -1):
        row, after = number % count, (number + 1) % count
        found[row] = after if prompts[after] != prompts[row] else found[after]
    return [other if prompts[other] != prompts[row] else row for row, other in enumerate(found)]


def row_lengths(rows: Dataset) -> np.ndarray:
    """Return the number of tokens of each prompt with its answer (rows,)."""
    import pyarrow.compute as pc

    columns = rows.with_format("arrow")
    parts = [
        np.asarray(pc.list_value_length(columns[name][:].combine_chunks())) for name in ("prompt_ids", "completion_ids")
    ]
    return np.asarray(parts[0] + parts[1])
