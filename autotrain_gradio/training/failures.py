"""Translate known training errors into messages for users."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.core.settings import MEMORY_VARIABLE
from autotrain_gradio.runs import memory_limit

if TYPE_CHECKING:
    from transformers import TrainingArguments

MEMORY_SIGNS = ("out of memory", "can't allocate memory", "cannot allocate memory", "no executable batch size found")


def translate(error: Exception, args: TrainingArguments, batch_size: int) -> UserError | None:
    """Return the user error for an exception of a training; None: it is unknown.

    batch_size: rows per step and device at the time.
    """
    if is_out_of_memory(error):
        return out_of_memory(args, batch_size, error)
    if isinstance(error, ImportError):
        package = re.search(r"pip3? install (?:-U |--upgrade )?['\"`]?([A-Za-z0-9_.\[\]>=-]+)", str(error))
        hint = f"pip install {package[1].rstrip('.')}" if package else "Install what the message names."
        return MissingExtra(str(error).strip().splitlines()[0], hint, code="missing-extra")
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the GPU's or the machine's memory ran out."""
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in MEMORY_SIGNS)


def out_of_memory(args: TrainingArguments, batch_size: int, error: BaseException | None = None) -> UserError:
    """Return the error that names the batch size, the limit of the memory, if there is one, and what to change."""
    from autotrain_gradio.training.arguments import device

    place = "machine" if device() == "cpu" else "GPU"
    changes = []
    # Reinforcement learning needs whole groups of completions, which a smaller batch size can break up.
    groups = hasattr(args, "num_generations")
    if batch_size > 1:
        accumulation = 2 * args.gradient_accumulation_steps
        changes.append(
            f"set batch_size to {max(1, batch_size // 2)} and gradient_accumulation to {accumulation}, "
            "which has the same effective batch size"
        )
        if not args.auto_find_batch_size and not groups:
            changes.append("switch on auto_find_batch_size")
    if place == "GPU" and not (args.fp16 or args.bf16):
        changes.append("set mixed_precision to bf16 or fp16")
    if groups:
        changes.append("reduce max_completion_length")
    changes.append("choose a smaller model")
    limit = memory_limit.describe(error or MemoryError()) if place == "machine" else ""
    if limit:
        changes.append(f"raise the limit ({MEMORY_VARIABLE})")
    hint = f"Reduce the memory: {'; or '.join(changes)}."
    message = f"Out of memory on the {place} at batch size {batch_size}. {limit}".rstrip()
    return UserError(message, hint, "params.batch_size", "out-of-memory")


def not_finite(what: str, value: float, step: int, args: Any) -> UserError:
    """Return the error of a loss that is infinite or NaN: the training has diverged."""
    changes = [f"lower the learning rate (it is {args.learning_rate:g}; try {args.learning_rate / 10:g})"]
    if args.fp16:
        changes.append("use bf16 or no mixed precision instead of fp16")
    if not args.max_grad_norm or args.max_grad_norm > 1:
        changes.append("set max_grad_norm to 1")
    return UserError(
        f"The {what} became {value} at step {step}: the training has diverged.",
        f"Start again with other settings: {', or '.join(changes)}.",
        f"step {step}",
        "loss-not-finite",
    )
