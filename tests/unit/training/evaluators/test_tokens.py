"""The evaluator of tokens: accuracy and perplexity as of the whole logits, from running sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from autotrain_gradio.training.evaluators.tokens import TokenEvaluator, reduce_logits


@pytest.mark.parametrize("shifted", [False, True])
def test_metrics_are_those_of_the_whole_logits(shifted: bool) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(9, 12, 50), torch.randint(0, 50, (9, 12))
    labels[torch.rand(9, 12) < 0.3] = -100
    found = TokenEvaluator()
    for rows in (range(4), range(4, 9)):
        reduced = reduce_logits(logits[list(rows)], labels[list(rows)], shifted=shifted)
        found.update(tuple(part.numpy() for part in reduced), labels[list(rows)].numpy(), np.asarray(rows))
    flat, wanted = (logits[:, :-1], labels[:, 1:]) if shifted else (logits, labels)
    flat, wanted = flat.reshape(-1, 50), wanted.reshape(-1)
    loss = torch.nn.functional.cross_entropy(flat, wanted, ignore_index=-100)
    counted = wanted != -100
    values = found.compute()
    assert values["perplexity"] == pytest.approx(math.exp(loss.item()), rel=1e-5)
    assert values["token_accuracy"] == pytest.approx(
        (flat.argmax(-1) == wanted)[counted].float().mean().item()
    ) and values["tokens"] == int(counted.sum())


def test_without_tokens_there_are_no_metrics() -> None:
    found = TokenEvaluator()
    reduced = reduce_logits(torch.randn(1, 3, 5), torch.full((1, 3), -100))
    found.update(tuple(part.numpy() for part in reduced), None, np.arange(1))
    assert found.compute() == {}
