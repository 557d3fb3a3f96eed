"""TRL's trainer for language models: batches grouped by length, and an evaluation that is exact over all tokens."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import TrainingArguments
from transformers.trainer_utils import EvalLoopOutput
from trl import SFTConfig, SFTTrainer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric
from autotrain_gradio.training import cpu_log_probs, distributed, failures, language_memory, trainer_internals
from autotrain_gradio.training.arguments import arguments, device
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.token_rows import IGNORED, Collate, pack, sequence_lengths

PACKING_TOLERANCE = 1e-3
"""Largest relative difference between the loss of packed rows and that of the same rows alone."""
LARGEST_EXPONENT = 700.0
Arguments = TypeVar("Arguments", bound=TrainingArguments)


def sft_arguments(run: Reporter, *, train_rows: int, validates: bool, best: Metric) -> SFTConfig:
    """Return TRL's arguments. train_rows: number of training sequences, packed or not. Others: as in `arguments`."""
    return trl_arguments(
        run,
        SFTConfig,
        train_rows=train_rows,
        validates=validates,
        best=best,
        # The sequences are tokenized, limited in length, masked and packed already, as the preview shows them.
        max_length=None,
        packing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
    )


def trl_arguments(
    run: Reporter, cls: type[Arguments], *, train_rows: int, validates: bool, best: Metric, **settings: Any
) -> Arguments:
    """Return the arguments of a trainer of TRL. settings: those of its algorithm. Others: as in `arguments`."""
    cpu_log_probs.install()
    params = run.params
    more: dict[str, Any] = {}
    if params.mixed_precision is None or device() == "cpu":
        more["bf16"] = False  # TRL's default is bf16
    args = arguments(
        params,
        cls,
        run,
        train_rows=train_rows,
        validates=validates,
        best=best,
        remove_unused_columns=False,
        activation_checkpointing=params.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if params.gradient_checkpointing else None,
        neftune_noise_alpha=params.neftune_noise_alpha or None,
        max_steps=params.max_steps,
        batch_eval_metrics=False,
        **more,
        **settings,
    )
    trainer_internals.use_one_gpu(args)
    return args


class LanguageTrainer(trainer_internals.LengthGrouping, SFTTrainer):
    """A trainer whose evaluation computes loss, perplexity and token accuracy over all tokens of the validation rows.

    train_dataset, eval_dataset: of `token_rows.as_dataset` or `pack`. after_evaluation: called with the model, which is
    in evaluation mode.

    Attributes:
        row_losses: mean loss of each validation sequence in the latest evaluation (sequences,).
    """

    control: Any

    def __init__(self, *, after_evaluation: Callable[[Any], None], **settings: Any) -> None:
        self._lengths = sequence_lengths(settings["train_dataset"])
        self.row_losses = np.zeros(0, dtype=np.float32)
        self._after_evaluation = after_evaluation
        super().__init__(**settings)

    def training_lengths(self) -> np.ndarray:
        """Return the number of tokens of each training sequence."""
        return self._lengths

    def compute_loss(self, *inputs: Any, **settings: Any) -> Any:
        """Return TRL's loss: the mean over the trained tokens."""
        with cpu_log_probs.equal_weights():
            return super().compute_loss(*inputs, **settings)

    def evaluation_loop(
        self,
        dataloader: Any,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """Evaluate batch by batch; only the loss of each sequence is kept, and never the logits."""
        self.model.eval()
        losses: list[np.ndarray] = []
        totals = np.zeros(3)
        for inputs in dataloader:
            batch = trainer_internals.prepare_inputs(self, inputs)
            with torch.no_grad(), self.accelerator.autocast():
                outputs = self.model(**batch, use_cache=False, fused_lm_head=True)
            loss, tokens = -outputs.log_probs.float().sum(-1), outputs.label_mask.sum(-1)
            sums = torch.stack([loss, tokens.to(loss), outputs.is_top1.sum(-1).to(loss)], dim=1)
            sums = distributed.gather_rows(self.accelerator, sums).cpu().double().numpy()
            losses.append((sums[:, 0] / sums[:, 1].clip(min=1)).astype(np.float32))
            totals += sums.sum(0)
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        self.row_losses = np.concatenate(losses)
        loss, tokens, right = totals
        mean = loss / max(1.0, tokens)
        values = {
            "loss": mean,
            "perplexity": math.exp(min(mean, LARGEST_EXPONENT)),
            "token_accuracy": right / max(1.0, tokens),
        }
        self._after_evaluation(self.model)
        named = {f"{metric_key_prefix}_{name}": float(value) for name, value in values.items()}
        return EvalLoopOutput(predictions=None, label_ids=None, metrics=named, num_samples=len(self.row_losses))


def mean_loss(model: Any, batch: dict[str, torch.Tensor]) -> float:
    """Return the mean loss of a batch over its trained tokens, computed from the logits."""
    inputs = {k: v.to(model.device) for k, v in batch.items()}
    targets = inputs.pop("labels")[:, 1:]
    with torch.inference_mode():
        logits = model(**inputs, use_cache=False).logits[:, :-1].float()
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
    return float(loss)


def packing_is_exact(model: Any, sequences: Any, pad: int, length: int) -> bool:
    """Whether the loss of packed sequences equals that of the same sequences alone, for this model's attention.

    sequences: of `as_dataset`, the first few are tried.
    """
    few = sequences.select(range(min(3, len(sequences))))
    short = [{k: np.asarray(v)[: min(64, length // 3)] for k, v in few[i].items()} for i in range(len(few))]
    trained = [item["labels"] for item in short]
    if sum((tokens[1:] != IGNORED).any() for tokens in trained) < 2:
        short = [{**item, "labels": item["input_ids"]} for item in short]
    joined = {name: np.concatenate([item[name] for item in short]) for name in ("input_ids", "labels")}
    collate = Collate(pad)
    was_training = model.training
    model.eval()
    try:
        alone = mean_loss(model, collate(short))
        together = mean_loss(model, collate([{**joined, "seq_lengths": [len(i["input_ids"]) for i in short]}]))
    except TypeError:  # the model takes no position_ids
        return False
    finally:
        model.train(was_training)
    return abs(alone - together) <= PACKING_TOLERANCE * max(1.0, abs(alone))


def pack_if_exact(run: Reporter, model: Any, sequences: Any, pad: int, length: int) -> Any:
    """Return the training sequences packed, if the parameters ask for it and the model's attention allows it."""
    if not run.params.packing:
        return sequences
    if not packing_is_exact(model, sequences, pad, length):
        message = "Packing was switched off: this model does not keep packed rows apart, so they would see each other."
        run.note(message, level="warning", hint="Set packing to false.")
        return sequences
    packed = pack(sequences, length)
    filled = sequence_lengths(packed).sum() / (len(packed) * length)
    run.note(f"Packing: {len(sequences):,} rows in {len(packed):,} sequences of {length:,} tokens, {filled:.0%} full.")
    return packed


def language_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss of a batch with labels."""
    loss: torch.Tensor = model(**batch, use_cache=False, fused_lm_head=True).loss
    return loss


def try_longest_batch(
    run: Reporter, trainer: Any, loss: Callable[[Any, dict[str, torch.Tensor]], torch.Tensor] = language_loss
) -> None:
    """Compute loss and gradients of the longest batch on the GPU once, so that a lack of memory shows at once.

    Nothing is done on a CPU, where it would take as long as the first step, whose batch is as long (`LengthSampler`)
    and which reports a lack of memory as well (`fit`).

    trainer: one with `training_lengths`. loss: of a batch; it may leave out what needs no memory.

    Raises:
        UserError: the memory is not enough; the hint says what to change.
    """
    model, args = trainer.model, trainer.args
    if args.device.type == "cpu":
        return
    if args.gradient_checkpointing:
        model.gradient_checkpointing_enable(args.gradient_checkpointing_kwargs)
    chosen = np.argsort(-trainer.training_lengths(), kind="stable")[: run.params.batch_size]
    batch = trainer.data_collator([trainer.train_dataset[int(i)] for i in chosen])
    shape = f"{len(chosen)} × {batch['input_ids'].shape[1]:,} tokens"
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    model.train()
    try:
        with trainer.accelerator.autocast():
            inputs = {k: v.to(args.device) for k, v in batch.items()}
            value = loss(model.to(args.device), inputs)
        value.backward()
    except (RuntimeError, MemoryError) as error:
        if not failures.is_out_of_memory(error):
            raise
        message = f"Not enough memory for the longest batch: {shape}."
        hint = language_memory.advise_less(
            model.config,
            sum(p.numel() for p in model.parameters()),
            run.params,
            batch["input_ids"].shape[1],
            Workload(sequences_per_row=max(1, len(batch["input_ids"]) // len(chosen))),
        )
        raise UserError(message, hint, "params.batch_size", "out-of-memory") from error
    finally:
        model.zero_grad(set_to_none=True)
    if torch.cuda.is_available():
        peak = format_bytes(torch.cuda.max_memory_allocated())
        run.note(f"The longest batch ({shape}) needs {peak} on the GPU, without the optimizer's state.")
