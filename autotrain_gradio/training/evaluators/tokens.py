"""Evaluation of models that predict a token at each position: running sums, whatever the size of the vocabulary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import metrics
from autotrain_gradio.training.evaluators.classes import first_output
from autotrain_gradio.training.evaluators.generation import IGNORED


def reduce_logits(logits: Any, labels: torch.Tensor, *, shifted: bool = False) -> tuple[torch.Tensor, ...]:
    """Reduce logits (batch, tokens, vocabulary) to sums of each row: right tokens, negative log-likelihood, tokens.

    labels: token ids (batch, tokens), `IGNORED` at positions without a target. shifted: the model is causal: the
    logits of a position are those of the next token. Rows are reduced one at a time to save memory.
    """
    values = first_output(logits)
    if shifted:
        values, labels = values[:, :-1], labels[:, 1:]
    sums = torch.zeros((len(values), 3), dtype=torch.float64, device="cpu")
    for row, (scores, wanted) in enumerate(zip(values, labels, strict=True)):
        counted = wanted != IGNORED
        scores, wanted = scores[counted], wanted[counted]
        right = (scores.argmax(dim=-1) == wanted).sum()
        likelihood = scores.gather(-1, wanted[:, None]).squeeze(-1).float() - scores.logsumexp(dim=-1).float()
        sums[row] = torch.stack([right.float(), -likelihood.sum(), counted.sum().float()]).cpu().double()
    return tuple(column.float().to(values.device) for column in sums.unbind(dim=1))


class TokenEvaluator:
    """The state of one evaluation, updated with outputs of `reduce_logits`: three sums.

    Metrics: token_accuracy, perplexity (the exponential of the mean negative log-likelihood of a token), tokens.
    """

    def __init__(self, noun: str = "texts") -> None:
        self._noun = noun
        self._right = self._loss = self._tokens = 0.0
        self._rows = 0

    def update(self, outputs: tuple[np.ndarray, ...], targets: Any, rows: np.ndarray) -> None:
        """Add a batch."""
        right, loss, tokens = (float(part.sum(dtype=np.float64)) for part in outputs)
        self._right, self._loss, self._tokens = self._right + right, self._loss + loss, self._tokens + tokens
        self._rows += len(rows)

    def compute(self) -> dict[str, float]:
        """Return the metrics; empty if there are no target tokens."""
        if not self._tokens:
            return {}
        mean = self._loss / self._tokens
        perplexity = math.exp(mean) if mean < 700 else math.inf
        return {"token_accuracy": self._right / self._tokens, "perplexity": perplexity, "tokens": self._tokens}

    def sample_panel(self) -> Panel | None:
        """Return none: sums have no rows to show."""
        return None

    def results_panel(self, values: Mapping[str, float], declared: Sequence[Metric]) -> Panel:
        """List the metrics."""
        note = f"On {self._tokens:,.0f} tokens of {self._rows:,} validation {self._noun}."
        return panels.numbers("Results", metrics.formatted(values, declared), note=note)

    def report(self) -> list[Panel]:
        """Return no other panels."""
        return []
