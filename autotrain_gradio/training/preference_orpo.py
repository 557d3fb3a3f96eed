"""TRL's trainer of Odds Ratio Preference Optimization (ORPO), on rows that are tokenized already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from trl.experimental.orpo import ORPOTrainer
from trl.trainer.utils import add_fused_lm_head

from autotrain_gradio.training.preference_trainer import PairTraining, PairValues, as_values
from autotrain_gradio.training.token_rows import IGNORED


class OrpoTrainer(PairTraining, ORPOTrainer):
    """TRL's trainer of Odds Ratio Preference Optimization (Hong et al. 2024), without keeping the logits."""

    def __init__(self, *, after_evaluation: Callable[[Any], None], **settings: Any) -> None:
        self.after_evaluation = after_evaluation
        train, valid = settings.pop("train_dataset"), settings.pop("eval_dataset")
        # TRL's trainer tokenizes the rows that it is given: one is enough, which it keeps as it is.
        one = None if valid is None else valid.select(range(1))
        super().__init__(train_dataset=train.select(range(1)), eval_dataset=one, **settings)
        self.train_dataset, self.eval_dataset = train, valid
        base = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        add_fused_lm_head(base, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))

    def tokenize_row(self, feature: Any, model: Any = None) -> dict[str, Any]:
        """Return a row as it is: it is tokenized already."""
        return dict(feature)

    def concatenated_forward(self, model: Any, batch: dict[str, Any]) -> tuple[Any, ...]:
        """Return log-probabilities per token of the preferred and rejected answers (rows,), their logits, and the loss.

        The loss is the mean negative log-likelihood of all tokens of the prompts with their preferred answers.
        """
        logps, mask, logits = self._forward(model, batch)
        answers = batch["completion_mask"][:, 1:]
        means = (logps * answers).sum(-1) / answers.sum(-1)
        half = len(means) // 2
        loss = -logps[:half].sum() / mask[:half].sum()
        return (*means.chunk(2), *logits.chunk(2), loss)

    def _forward(self, model: Any, batch: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the log-probability of each token but the first, its mask, and the mean of its logits."""
        mask = batch["attention_mask"]
        labels = batch["input_ids"].masked_fill(mask == 0, IGNORED)
        found = model(
            input_ids=batch["input_ids"], attention_mask=mask, labels=labels, use_cache=False, fused_lm_head=True
        )
        return found.log_probs * mask[:, 1:], mask[:, 1:], found.mean_logits

    def batch_values(self, batch: dict[str, torch.Tensor]) -> PairValues:
        """Return the values of a batch; the log-probabilities are means over the tokens of an answer."""
        chosen, rejected, _, _, loss = self.concatenated_forward(self.model, batch)
        ratios, *rewards, _, _ = self.odds_ratio_loss(chosen, rejected)
        count = len(chosen)
        tokens = batch["attention_mask"][:count, 1:].sum().item()
        return as_values(rewards, (chosen, rejected), [(loss.item() * tokens, tokens), (-ratios.sum().item(), count)])
