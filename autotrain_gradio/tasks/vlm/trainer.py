"""A Trainer for vision-language models: loss on the answers alone, and an evaluation over all of their tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import TrainingArguments
from transformers.trainer_utils import EvalLoopOutput

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.tasks.vlm.models import keeps_logits
from autotrain_gradio.training import failures, trainer_internals
from autotrain_gradio.training.arguments import arguments
from autotrain_gradio.training.token_rows import IGNORED


def training_arguments(run: Reporter, *, train_rows: int, validates: bool, best: Metric) -> TrainingArguments:
    """Return the arguments of the Trainer, as `arguments.arguments`."""
    checkpoints = run.params.gradient_checkpointing
    args = arguments(
        run.params,
        TrainingArguments,
        run,
        train_rows=train_rows,
        validates=validates,
        best=best,
        remove_unused_columns=False,
        label_names=["labels"],
        gradient_checkpointing=checkpoints,
        gradient_checkpointing_kwargs={"use_reentrant": False} if checkpoints else None,
        max_steps=run.params.max_steps,
        batch_eval_metrics=False,
    )
    trainer_internals.use_one_gpu(args)
    return args


class VisionLanguageTrainer(trainer_internals.LengthGroupedTrainer):
    """A Trainer whose loss is the mean over the tokens of the answers of an optimizer step.

    after_evaluation: called with the model, which is in evaluation mode; returns further metrics.

    Attributes:
        row_losses: mean loss of each validation row in the latest evaluation (rows,).
    """

    control: Any

    def __init__(self, *, after_evaluation: Callable[[Any], dict[str, float]], **settings: Any) -> None:
        self.row_losses = np.zeros(0, dtype=np.float32)
        self._after_evaluation, self._keeps = after_evaluation, keeps_logits(settings["model"])
        super().__init__(**settings)
        # The loss is divided by the number of trained tokens of all accumulated batches, which the Trainer counts.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the cross-entropy of the answers' tokens: their sum, divided by the number of tokens of the step."""
        logits, targets, _ = answer_logits(model, inputs, keeps=self._keeps)
        total = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        count = len(targets) if num_items_in_batch is None else num_items_in_batch
        return total / count

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Evaluate batch by batch; only the loss of each row is kept, and never the logits."""
        self.model.eval()
        found: list[np.ndarray] = []
        totals = np.zeros(3)
        for inputs in dataloader:
            batch = trainer_internals.prepare_inputs(self, inputs)
            size = len(batch["input_ids"])
            with torch.no_grad(), self.accelerator.autocast():
                logits, targets, rows = answer_logits(self.model, batch, keeps=self._keeps)
            losses = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="none").double()
            sums, counts = (torch.zeros(size, dtype=torch.float64, device=rows.device) for _ in range(2))
            sums.index_add_(0, rows, losses)
            counts.index_add_(0, rows, torch.ones_like(losses))
            found.append((sums / counts.clamp(min=1)).float().cpu().numpy())
            right = (logits.argmax(-1) == targets).sum()
            totals += np.array([losses.sum().item(), len(targets), right.item()])
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        self.row_losses = np.concatenate(found)
        loss, tokens, right_ones = totals
        values = {"loss": loss / max(1.0, tokens), "token_accuracy": right_ones / max(1.0, tokens)}
        values |= self._after_evaluation(self.model)
        named = {f"{metric_key_prefix}_{name}": float(value) for name, value in values.items()}
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=named, num_samples=len(self.row_losses))


def answer_logits(
    model: Any, inputs: dict[str, Any], *, keeps: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the logits of the trained tokens (tokens, vocabulary), the tokens (tokens,), and the row of each.

    keeps: the model computes the logits of some positions only: those of the images and questions would take most of
    the memory.
    """
    given = {name: value for name, value in inputs.items() if name != "labels"}
    targets = inputs["labels"][:, 1:]
    columns = (targets != IGNORED).any(0).nonzero().flatten()
    if keeps:
        logits = model(**given, use_cache=False, logits_to_keep=columns).logits
    else:
        logits = model(**given, use_cache=False).logits[:, columns]
    targets = targets[:, columns]
    wanted = targets != IGNORED
    return logits[wanted], targets[wanted], wanted.nonzero()[:, 0]


def try_longest_batch(run: Reporter, trainer: VisionLanguageTrainer) -> None:
    """Compute loss and gradients of the longest batch once, so that a lack of memory shows at once.

    Raises:
        UserError: the memory is not enough; the hint says what to change.
    """
    model, args = trainer.model, trainer.args
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable(args.gradient_checkpointing_kwargs)
    chosen = np.argsort(-trainer.training_lengths(), kind="stable")[: run.params.batch_size]
    batch = trainer.data_collator([trainer.train_dataset[int(i)] for i in chosen])
    shape = f"{len(chosen)} × {batch['input_ids'].shape[1]:,} tokens"
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    model.train()
    try:
        model.to(args.device)
        with trainer.accelerator.autocast():
            loss = trainer.compute_loss(model, trainer_internals.prepare_inputs(trainer, batch))
        loss.backward()
    except (RuntimeError, MemoryError) as error:
        if not failures.is_out_of_memory(error):
            raise
        message = f"Not enough memory for the longest batch: {shape}."
        hint = (
            "Reduce batch_size or image_longest_edge, switch gradient_checkpointing or peft on, or choose a smaller "
            "model."
        )
        raise UserError(message, hint, "params.batch_size", "out-of-memory") from error
    finally:
        model.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        peak = format_bytes(torch.cuda.max_memory_allocated())
        run.note(f"The longest batch ({shape}) needs {peak} on the GPU, without the optimizer's state.")
