"""Long contexts become overlapping windows, in which answers are aligned with tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.extractive_question_answering.spans import RowSpans, characters, log_sum_exp, span_scores
from autotrain_gradio.tasks.extractive_question_answering.window_dataset import WindowCollate, WindowDataset
from autotrain_gradio.tasks.extractive_question_answering.windows import make_windows, window_bounds
from autotrain_gradio.training.tiny_tokenizer import tiny_tokenizer

CONTEXT = " ".join(f"word{k}" for k in range(200)) + " 👩‍🔧 naïve café 北京 end."
QUESTION = "Where is it?"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return tiny_tokenizer([CONTEXT, QUESTION])


def value(text: str, context: str = CONTEXT) -> dict[str, Any]:
    return {"text": [text], "answer_start": [context.index(text)]}


@pytest.mark.parametrize("limit", [48, 64, 512])
@pytest.mark.parametrize("stride", [0, 8, 400])
def test_windows_are_those_of_the_tokenizer_itself(tokenizer: Any, limit: int, stride: int) -> None:
    made = make_windows(tokenizer, [QUESTION], [CONTEXT], None, limit=limit, stride=stride)
    assert made is not None
    room = limit - tokenizer.num_special_tokens_to_add(pair=True) - len(tokenizer.tokenize(QUESTION))
    theirs = tokenizer(
        QUESTION,
        CONTEXT,
        truncation="only_second",
        max_length=limit,
        stride=min(stride, room // 2),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    mine = [made.ids[made.starts[i] : made.starts[i + 1]].tolist() for i in range(len(made))]
    assert mine == theirs["input_ids"]
    for i, offsets in enumerate(theirs["offset_mapping"]):
        first = int(made.first[i])
        assert made.offsets_of(i).tolist() == [list(o) for o in offsets[first : first + int(made.counts[i])]]


@pytest.mark.parametrize("text", ["word0", "word57 word58", "word199", "👩‍🔧", "naïve café", "北京", "end"])
def test_answers_are_aligned_and_found_again(tokenizer: Any, text: str) -> None:
    made = make_windows(tokenizer, [QUESTION], [CONTEXT], [value(text)], limit=64, stride=24)
    assert made is not None and len(made) > 5
    inside = np.flatnonzero(made.positions[:, 0] != made.null)
    assert 1 <= len(inside) < len(made) and made.answer_tokens.tolist()[0] > 0
    for window in inside:
        first, last = made.positions[window] - made.first[window]
        begin, end = characters(CONTEXT, made.offsets_of(int(window)), int(first), int(last))
        assert text in CONTEXT[begin:end] and len(CONTEXT[begin:end]) <= len(text) + 1


def test_every_answer_up_to_the_overlap_lies_in_a_window() -> None:
    for tokens in (1, 10, 37, 100):
        for room, overlap in ((10, 5), (30, 3), (7, 0), (200, 90)):
            bounds = window_bounds(tokens, room, overlap)
            assert bounds[0][0] == 0 and bounds[-1][1] == tokens and all(e - b <= room for b, e in bounds)
            for begin in range(tokens):
                end = min(tokens, begin + max(1, overlap))
                assert any(b <= begin and end <= e for b, e in bounds)


def test_a_long_question_is_truncated_and_the_context_still_read(tokenizer: Any) -> None:
    made = make_windows(tokenizer, ["why " * 300], [CONTEXT], [value("word3")], limit=64, stride=16)
    assert made is not None and made.truncated.tolist() == [True]
    assert np.diff(made.starts).max() <= 64 and (made.positions[:, 0] != made.null).any()
    short = make_windows(tokenizer, [QUESTION], ["tiny"], None, limit=32, stride=16)
    assert short is not None and short.truncated.tolist() == [False] and len(short) == 1


def test_a_context_without_a_token_has_a_window(tokenizer: Any) -> None:
    class NoContext:
        """A tokenizer that drops the context."""

        is_fast, cls_token_id = True, tokenizer.cls_token_id

        def __call__(self, questions: list[str], contexts: list[str], **options: Any) -> Any:
            return tokenizer(questions, ["" for _ in contexts], **options)

    made = make_windows(NoContext(), [QUESTION], ["\u200b"], None, limit=32, stride=4)
    assert made is not None and made.counts.tolist() == [0]
    spans = RowSpans(["\u200b"], 5)
    spans.add(made, 0, np.zeros(9), np.zeros(9))
    assert spans.refused(None).tolist() == [True]


def test_a_slow_tokenizer_is_refused() -> None:
    class Slow:
        is_fast = False

    with pytest.raises(UserError, match="Slow") as raised:
        make_windows(Slow(), ["q"], ["c"], None, limit=32, stride=4)
    assert raised.value.code == "model-wrong-task"


def test_batches_are_padded_on_the_right_with_positions(tokenizer: Any) -> None:
    made = make_windows(
        tokenizer,
        [QUESTION] * 2,
        ["a word1", CONTEXT[:60]],
        [value("word1", "a word1"), value("word2")],
        limit=64,
        stride=8,
    )
    assert made is not None
    items = WindowDataset(made, by_length=True)
    assert items.order.tolist() == [1, 0] and items.lengths[0] > items.lengths[1]
    tokenizer.padding_side = "left"
    batch = WindowCollate(tokenizer)([items[0], items[1]])
    tokenizer.padding_side = "right"
    assert batch["attention_mask"][1, 0] == 1 and batch["attention_mask"][1, -1] == 0
    for row, text in enumerate(("word2", "word1")):
        first, last = batch["start_positions"][row], batch["end_positions"][row]
        assert text in tokenizer.decode(batch["input_ids"][row, first : last + 1]).replace(" ", "")


def test_the_best_span_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    for tokens, most in ((1, 1), (4, 9), (40, 7)):
        start, end = rng.normal(size=tokens), rng.normal(size=tokens)
        scores = span_scores(start, end, most)
        pairs = {(i, j): start[i] + end[j] for i in range(tokens) for j in range(i, min(tokens, i + most))}
        i, k = np.unravel_index(scores.argmax(), scores.shape)
        assert (i, i + k) == max(pairs, key=lambda p: pairs[p])
        assert log_sum_exp(scores) == pytest.approx(torch.logsumexp(torch.tensor(list(pairs.values())), 0).item())


def test_windows_of_a_row_are_merged() -> None:
    """The best span of all windows, the lowest score of "no answer", and probabilities that sum to at most one."""
    tokenizer = tiny_tokenizer([CONTEXT, QUESTION])
    made = make_windows(tokenizer, [QUESTION], [CONTEXT], None, limit=64, stride=16)
    assert made is not None
    rng, spans = np.random.default_rng(1), RowSpans([CONTEXT], 3)
    best, nothing = -np.inf, np.inf
    for window in rng.permutation(len(made)):
        start, end = rng.normal(size=(2, 70))  # padded
        spans.add(made, int(window), start, end)
        nothing = min(nothing, start[0] + end[0])
        first, count = made.first[window], made.counts[window]
        best = max(best, span_scores(start[first : first + count], end[first : first + count], 3).max())
    assert spans.score[0] == best and spans.null[0] == nothing
    answer, none = spans.probabilities(may_refuse=True)
    assert 0 < answer[0] + none[0] <= 1
    assert spans.refused(float(nothing - best) - 0.1)[0] and not spans.refused(float(nothing - best) + 0.1)[0]
