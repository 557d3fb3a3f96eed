"""TRL's trainers of preferences: batches grouped by length, and an evaluation that is exact over all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers.trainer_utils import EvalLoopOutput
from trl import DPOTrainer, RewardTrainer

from autotrain_gradio.training import distributed, trainer_internals
from autotrain_gradio.training.preference_rows import pair_lengths


@dataclass(frozen=True)
class PairValues:
    """Values of the preferred and rejected answers of some rows: rewards and log-probabilities, float32 (rows,).

    losses: terms of the loss, each a sum and the number of what it is the sum of; the loss adds up their means.
    """

    chosen_rewards: np.ndarray
    rejected_rewards: np.ndarray
    chosen_logps: np.ndarray | None
    rejected_logps: np.ndarray | None
    losses: Sequence[tuple[float, float]]

    @property
    def margins(self) -> np.ndarray:
        """By how much the reward of the preferred answer is higher (rows,)."""
        return self.chosen_rewards - self.rejected_rewards

    @classmethod
    def joined(cls, parts: Sequence[PairValues]) -> PairValues:
        """Return the values of all batches."""

        def join(name: str) -> Any:
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        terms = [np.array(part.losses, dtype=np.float64) for part in parts]
        losses = [(float(total), float(count)) for total, count in np.sum(terms, axis=0)]
        return cls(
            join("chosen_rewards"), join("rejected_rewards"), join("chosen_logps"), join("rejected_logps"), losses
        )

    def metrics(self) -> dict[str, float]:
        """Return the means over all rows; names as the tasks declare them."""
        values = {
            "loss": sum(total / max(1.0, count) for total, count in self.losses),
            "reward_accuracy": float((self.margins > 0).mean()),
            "reward_margin": float(self.margins.astype(np.float64).mean()),
        }
        if self.chosen_logps is not None and self.rejected_logps is not None:
            values["logps_chosen"] = float(self.chosen_logps.astype(np.float64).mean())
            values["logps_rejected"] = float(self.rejected_logps.astype(np.float64).mean())
        return values


def as_values(
    rewards: Sequence[torch.Tensor], logps: Sequence[torch.Tensor] | None, losses: Sequence[tuple[float, float]]
) -> PairValues:
    """Return the values of a batch. rewards, logps: of the preferred and the rejected answers (rows,)."""
    better, worse = (values.float().cpu().numpy() for values in rewards)
    chosen, rejected = (None, None) if logps is None else (values.float().cpu().numpy() for values in logps)
    return PairValues(better, worse, chosen, rejected, losses)


class ExactEvaluation(trainer_internals.LengthGrouping, trainer_internals.TokenizedDataset):
    """Base of a trainer of tokenized preferences, with exact metrics over all validation rows.

    Attributes:
        latest: values of the validation rows in the latest evaluation.
    """

    control: Any
    latest: Any
    model: Any
    after_evaluation: Callable[[Any], None] | None = None
    """Called with the model, which is in evaluation mode."""

    def batch_values(self, batch: dict[str, torch.Tensor]) -> Any:
        """Return the values of a batch of the collator, which is on the device.

        Their class has `joined(parts)`, which joins those of several batches, and `metrics()`.
        """
        raise NotImplementedError

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Evaluate batch by batch; a few numbers of each row are kept, and never the logits.

        With several processes each evaluates all rows: losses are sums over the rows or tokens of a batch, and the
        last batches of a divided data set would repeat some rows.
        """
        trainer: Any = self
        if distributed.is_parallel():
            size, collate = self.args.eval_batch_size, trainer.data_collator
            dataloader = torch.utils.data.DataLoader(dataloader.dataset, batch_size=size, collate_fn=collate)
        self.model.eval()
        parts = []
        for inputs in dataloader:
            batch = trainer_internals.prepare_inputs(trainer, inputs)
            with torch.no_grad(), trainer.accelerator.autocast():
                parts.append(self.batch_values(batch))
            self.control = trainer.callback_handler.on_prediction_step(self.args, trainer.state, self.control)
        self.latest = type(parts[0]).joined(parts)
        if self.after_evaluation is not None:
            self.after_evaluation(self.model)
        # All processes decide by the same numbers: the last digits of their own can differ.
        values = distributed.broadcast(self.latest.metrics())
        named = {f"{metric_key_prefix}_{name}": value for name, value in values.items()}
        count = len(dataloader.dataset)
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=named, num_samples=count)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log a copy: TRL adds means of batches to the metrics, which are exact."""
        super().log(dict(logs), start_time)  # type: ignore[misc]


class PairTraining(ExactEvaluation):
    """Base of a trainer of `preference_rows.as_dataset`."""

    latest: PairValues

    def training_lengths(self) -> np.ndarray:
        """Return the number of tokens of each training row."""
        return pair_lengths(self.train_dataset)


class DpoTrainer(PairTraining, DPOTrainer):
    """TRL's trainer of Direct Preference Optimization (Rafailov et al. 2023).

    The rows have the log-probabilities of the reference model, see `preference_reference`.
    """

    def __init__(self, *, after_evaluation: Callable[[Any], None], **settings: Any) -> None:
        self.after_evaluation = after_evaluation
        super().__init__(**settings)
        if "ref" in getattr(self.model, "peft_config", {}):
            # The adapter is new: without it the model is the reference, and a copy of the adapter is not needed.
            self.model.delete_adapter("ref")

    def batch_values(self, batch: dict[str, torch.Tensor]) -> PairValues:
        """Return the values of a batch; the log-probabilities are sums over the tokens of an answer."""
        outputs: list[torch.Tensor] = []
        hook = self.model.register_forward_hook(lambda module, inputs, output: outputs.append(output.log_probs))
        try:
            loss = self.compute_loss(self.model, batch)
        finally:
            hook.remove()
        chosen, rejected = outputs[0].float().sum(-1).chunk(2)
        rewards = self.beta * (chosen - batch["ref_chosen_logps"]), self.beta * (rejected - batch["ref_rejected_logps"])
        count = len(chosen)
        return as_values(rewards, (chosen, rejected), [(loss.item() * count, count)])


class RewardModelTrainer(PairTraining, RewardTrainer):
    """TRL's trainer of reward models: the logistic loss of the difference of two rewards (Bradley and Terry)."""

    def batch_values(self, batch: dict[str, torch.Tensor]) -> PairValues:
        """Return the values of a batch."""
        loss, outputs = self.compute_loss(self.model, batch, return_outputs=True)
        rewards = outputs.logits.squeeze(-1).chunk(2)
        count = len(rewards[0])
        return as_values(rewards, None, [(loss.item() * count, count)])
