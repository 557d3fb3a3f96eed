"""Judged answers: prompt and answer are made lists of messages, and the balance of the judgements is reported.

It runs before the split, which keeps rows with the same prompt together.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.catalog import JUDGED_ANSWER, JUDGEMENT, PREFERENCE_PROMPT
from autotrain_gradio.data.checks.preferences import keep_prompts_together, make_messages, role_of
from autotrain_gradio.data.kinds.judgement import BAD, GOOD
from autotrain_gradio.data.kinds.preferences import balancing_weights, parse_answer
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

UNEVEN = 4 / 3
"""Ratio of the two judgements up to which they are balanced: Eq. (8) of Ethayarajh et al. 2024 (KTO)."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Make messages of prompts and answers, compare rows that have the same ones, and count the judgements."""
    answer, judged = role_of(rows, JUDGED_ANSWER.name), role_of(rows, JUDGEMENT.name)
    declared = next((c for f in request.formats for c in f.columns if c.kind.name == PREFERENCE_PROMPT.name), None)
    if answer is None or judged is None or declared is None:
        return
    implicit = "The prompt is what comes before the last message."
    yield from make_messages(
        rows, declared, {answer: "chosen"}, parse_answer, what="a judged answer", implicit=implicit
    )
    yield from _contradictions(rows, declared.role, answer, judged)
    yield from _balance(rows, judged)
    yield from keep_prompts_together(rows, declared.role)


def _contradictions(rows: Rows, prompt: str, answer: str, judged: str) -> Iterator[Finding]:
    """Report rows whose answer another row judges the other way round."""
    used = rows.indices()
    labels = rows.cells[judged].labels
    table = pd.DataFrame(
        {
            "prompt": [rows.cells[prompt].values[i].as_py() for i in used.tolist()],
            "answer": [rows.cells[answer].values[i].as_py() for i in used.tolist()],
            "judged": labels.codes[used],
        }
    )
    both = table.groupby(["prompt", "answer"], sort=False).judged.transform("nunique") > 1
    text = "{n} {has} an answer that another row with the same prompt judges the other way round"
    hint = "Decide whether the answer is good."
    yield from rows.findings("warning", "judgement-contradiction", text, used[both.to_numpy()], hint)


def _balance(rows: Rows, judged: str) -> Iterator[Finding]:
    """Report training rows of one judgement only, or of which there are many more of one."""
    used = rows.indices("train")
    codes = rows.cells[judged].labels.codes[used]
    good, bad = int((codes == GOOD).sum()), int((codes == BAD).sum())
    counts = f"{pluralize(good, 'good answer')} and {pluralize(bad, 'bad one')}"
    where = f"data.columns.{judged}"
    if not len(used):
        return
    if not good or not bad:
        message = f"The training rows have {counts}: the model needs both to learn the difference."
        yield Finding("warning", "judgements-of-one-kind", message, "Add rows of the other kind.", where)
    elif max(good, bad) > UNEVEN * min(good, bad):
        desirable, undesirable = balancing_weights(good, bad)
        message = f"The training rows have {counts}, which are weighted so that both count as much: "
        message += f"desirable_weight {desirable:g}, undesirable_weight {undesirable:g}."
        hint = "Set other weights if one kind is to count more."
        yield Finding("info", "judgements-uneven", message, hint, where)
