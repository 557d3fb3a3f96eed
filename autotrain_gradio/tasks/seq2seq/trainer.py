"""The Trainer: the loss on target tokens, and evaluation on generated texts within a time budget."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from autotrain_gradio.runs.record import write_json
from autotrain_gradio.training import distributed, trainer_internals
from autotrain_gradio.training.evaluators.generation import IGNORED


def loss_function(label_smoothing: float) -> Callable[..., torch.Tensor]:
    """Return the cross-entropy of the target tokens with label smoothing: the mean over those of an optimizer step."""

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits
        total = torch.nn.functional.cross_entropy(
            logits.view(-1, logits.shape[-1]).float(),
            labels.to(logits.device).view(-1),
            ignore_index=IGNORED,
            label_smoothing=label_smoothing,
            reduction="sum",
        )
        return total / ((labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch)

    return loss


class GenerationBudget:
    """How many batches of an evaluation are generated: as many as the first evaluation does in its time.

    All later evaluations generate the same rows, also after a resume, so that their metrics can be compared.

    seconds: the time. file: where the number is stored between two attempts, one for each rank.
    """

    def __init__(self, seconds: float, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._file = folder / f"generated_batches-{distributed.rank()}.json"
        self._limit: int | None = None
        if self._file.is_file():
            self._limit = int(json.loads(self._file.read_text(encoding="utf-8"))["batches"])
        self._done, self._began = 0, 0.0

    def begin(self) -> None:
        """Begin an evaluation."""
        self._done, self._began = 0, self._clock()

    def allows(self) -> bool:
        """Whether the next batch is to be generated; the first one always is."""
        if self._limit is not None:
            allowed = self._done < self._limit
        else:
            allowed = self._done == 0 or self._clock() - self._began < self._seconds
        self._done += allowed
        return allowed

    def end(self) -> None:
        """End an evaluation: the first one decides about all."""
        if self._limit is None and self._done:
            self._limit = self._done
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._file, {"batches": self._limit})


class TextTrainer(trainer_internals.LengthGroupedTrainer):
    """A Trainer with batches of `pairs.Collate`, whose predictions are generated token ids.

    Rows beyond the budget are predicted as `IGNORED` throughout.
    """

    def __init__(self, *, budget: GenerationBudget, **settings: Any) -> None:
        super().__init__(**settings)
        self._budget = budget

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate on all validation rows, and on generated texts within the budget."""
        self._budget.begin()
        found = super().evaluation_loop(*args, **kwargs)
        self._budget.end()
        return found

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: list[str] | None = None
    ) -> tuple[torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]:
        """Return the loss of a batch, the generated token ids (batch, tokens), and the target token ids."""
        inputs = trainer_internals.prepare_inputs(self, inputs)
        labels = inputs["labels"]
        with torch.no_grad(), self.compute_loss_context_manager():
            loss = self.compute_loss(model, dict(inputs)).detach().mean()
            if prediction_loss_only:
                return loss, None, None
            if self._budget.allows():
                generated = generate(
                    self.accelerator.unwrap_model(model), inputs["input_ids"], inputs["attention_mask"]
                )
            else:
                generated = labels.new_full((len(labels), 1), IGNORED)
        return loss, generated, labels


def generate(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Generate token ids (batch, tokens) of a batch, as the model's generation config says."""
    generated: torch.Tensor = model.generate(input_ids=ids, attention_mask=mask)
    return generated
