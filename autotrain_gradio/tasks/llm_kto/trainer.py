"""TRL's trainer of KTO: an evaluation that is exact over all rows, and its report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from trl import KTOTrainer

from autotrain_gradio.tasks.llm_kto.rows import row_lengths
from autotrain_gradio.training.preference_trainer import ExactEvaluation
from autotrain_gradio.training.token_rows import IGNORED


@dataclass(frozen=True)
class JudgedValues:
    """Values of some rows.

    good: whether each answer was judged good (rows,). ratios: log-probability of each answer minus that of the
    reference model (rows,); mismatched: the same of the answers to other prompts (rows,), None: not computed.
    beta, weights: of good and of bad answers: parameters of the loss.
    """

    good: np.ndarray
    ratios: np.ndarray
    mismatched: np.ndarray | None
    beta: float
    weights: tuple[float, float]

    @classmethod
    def joined(cls, parts: Sequence[JudgedValues]) -> JudgedValues:
        """Return the values of all batches."""
        good, ratios = (np.concatenate([getattr(part, name) for part in parts]) for name in ("good", "ratios"))
        others = [part.mismatched for part in parts if part.mismatched is not None]
        return cls(good, ratios, np.concatenate(others) if others else None, parts[0].beta, parts[0].weights)

    @property
    def rewards(self) -> np.ndarray:
        """Reward of each answer (rows,)."""
        return self.beta * self.ratios

    @property
    def kl(self) -> float:
        """Estimated distance from the reference model in nats; 0 where it is not estimated."""
        return 0.0 if self.mismatched is None else max(0.0, float(self.mismatched.astype(np.float64).mean()))

    def metrics(self) -> dict[str, float]:
        """Return the metrics over all rows; those that compare good and bad answers only if there are both."""
        # Eq. (7) of Ethayarajh et al. 2024, with the distance over all rows instead of a batch.
        signs = np.where(self.good, 1.0, -1.0)
        losses = 1 - 1 / (1 + np.exp(-self.beta * signs * (self.ratios.astype(np.float64) - self.kl)))
        values = {"loss": float((losses * np.where(self.good, *self.weights)).mean()), "kl": self.kl}
        if self.good.any() and not self.good.all():
            values["reward_margin"] = float(self.rewards[self.good].mean() - self.rewards[~self.good].mean())
            values["reward_auc"] = float(roc_auc_score(self.good, self.rewards))
        return values


class JudgedTrainer(ExactEvaluation, KTOTrainer):
    """TRL's trainer of Kahneman-Tversky Optimization, whose rows have the log-probabilities of the reference model."""

    def __init__(self, *, after_evaluation: Callable[[Any], None], **settings: Any) -> None:
        self.after_evaluation = after_evaluation
        super().__init__(**settings)
        if "ref" in getattr(self.model, "peft_config", {}):
            # The adapter is new: without it the model is the reference, and a copy of the adapter is not needed.
            self.model.delete_adapter("ref")

    def training_lengths(self) -> np.ndarray:
        """Return the number of tokens of each training row."""
        return row_lengths(self.train_dataset)

    def batch_values(self, batch: dict[str, torch.Tensor]) -> JudgedValues:
        """Return the values of a batch."""
        ratios = answer_log_probabilities(self.model, batch) - batch["ref_logps"]
        mismatched = None
        if "ref_KL_logps" in batch:
            found = answer_log_probabilities(self.model, batch, "KL_") - batch["ref_KL_logps"]
            mismatched = found.float().cpu().numpy()
        return JudgedValues(
            batch["label"].bool().cpu().numpy(),
            ratios.float().cpu().numpy(),
            mismatched,
            float(self.beta),
            (float(self.desirable_weight), float(self.undesirable_weight)),
        )


def answer_log_probabilities(model: Any, batch: dict[str, torch.Tensor], prefix: str = "") -> torch.Tensor:
    """Return the log-probability of each answer of a batch (rows,). prefix: `KL_`: of the answers to other prompts."""
    ids, mask = batch[f"{prefix}input_ids"], batch[f"{prefix}attention_mask"]
    labels = ids.masked_fill(batch[f"{prefix}completion_mask"] == 0, IGNORED)
    found = model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False, fused_lm_head=True)
    sums: torch.Tensor = found.log_probs.sum(-1)
    return sums
