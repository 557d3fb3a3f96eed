"""From a task's parameters to `TrainingArguments`, of transformers or of a library that extends them."""

from __future__ import annotations

import importlib.util
import math
import os
from typing import Any, TypeVar

import torch
from transformers import EarlyStoppingCallback, TrainerCallback, TrainingArguments

from autotrain_gradio.errors import MissingExtra, UserError
from autotrain_gradio.runs.reporter import Reporter

Arguments = TypeVar("Arguments", bound=TrainingArguments)
EVALUATIONS = 10
POINTS = 100


def arguments(
    params: Any, cls: type[Arguments], run: Reporter, *, train_rows: int, validates: bool, **more: Any
) -> Arguments:
    """Fill a class of training arguments.

    params: the task's `TrainerParams`.
    train_rows: number of rows, by which automatic intervals are chosen.
    validates: whether there are validation rows: then the best checkpoint is loaded at the end.
    more: what the task sets itself; it wins.

    Raises:
        UserError: mixed precision or the optimizer is not to be had on this machine.
        MissingExtra: the package of the experiment tracker is not installed.
    """
    devices = max(1, torch.cuda.device_count())
    per_epoch = max(1, math.ceil(train_rows / (params.batch_size * params.gradient_accumulation * devices)))
    total = per_epoch * params.epochs
    strategy = params.eval_strategy if validates else "no"
    every = params.eval_steps or max(1, total // EVALUATIONS)
    settings: dict[str, Any] = {
        "output_dir": str(run.checkpoints),
        "num_train_epochs": params.epochs,
        "per_device_train_batch_size": params.batch_size,
        "per_device_eval_batch_size": 2 * params.batch_size,
        "learning_rate": params.lr,
        "optim": params.optimizer,
        "lr_scheduler_type": params.scheduler,
        "warmup_steps": math.ceil(total * params.warmup_ratio),
        "weight_decay": params.weight_decay,
        "max_grad_norm": params.max_grad_norm,
        "gradient_accumulation_steps": params.gradient_accumulation,
        "auto_find_batch_size": params.auto_find_batch_size,
        "eval_strategy": strategy,
        "save_strategy": "epoch" if strategy == "no" else strategy,
        "eval_steps": every if strategy == "steps" else None,
        "save_steps": every,
        "save_total_limit": params.save_total_limit,
        "load_best_model_at_end": strategy != "no",
        "logging_strategy": "steps",
        "logging_steps": params.logging_steps if params.logging_steps > 0 else logging_interval(per_epoch, total),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "report_to": tracker(params.log),
        "run_name": run.spec.project_name,
        "seed": params.seed,
        "data_seed": params.seed,
        "disable_tqdm": True,
        "push_to_hub": False,
        "dataloader_num_workers": loader_workers(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        **precision(params.mixed_precision),
    }
    if params.log == "trackio":
        settings.update(project=run.spec.project_name, trackio_static_space_id=False)
    if params.log == "tensorboard":
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(run.directory / "tensorboard"))
    try:
        return cls(**{**settings, **more})
    except (ValueError, ImportError) as error:
        if "optim" in str(error) or params.optimizer in str(error):
            raise UserError(
                f"The optimizer '{params.optimizer}' cannot be used: {str(error).splitlines()[0]}",
                "adamw_torch always can.",
                "params.optimizer",
                "optimizer",
            ) from error
        raise


def callbacks(params: Any, args: TrainingArguments) -> list[TrainerCallback]:
    """Return early stopping, where it is asked for and there is something to judge by."""
    if not args.load_best_model_at_end or params.early_stopping_patience == 0:
        return []
    return [EarlyStoppingCallback(params.early_stopping_patience, params.early_stopping_threshold)]


def logging_interval(per_epoch: int, total: int) -> int:
    """Choose the steps between two points of the loss curve: about 100 in all, at least two an epoch."""
    return max(1, min(total // POINTS, per_epoch // 2))


def loader_workers() -> int:
    """Return how many processes load batches: none on a CPU, where they would take it from the training."""
    if not torch.cuda.is_available():
        return 0
    return max(0, min(8, (os.cpu_count() or 1) - 1))


def precision(mixed: str | None) -> dict[str, bool]:
    """Return the arguments of mixed precision.

    Raises:
        UserError: the machine has no GPU, or one that cannot do it.
    """
    if mixed is None:
        return {}
    hint = "Leave mixed precision empty."
    if not torch.cuda.is_available():
        raise UserError(f"{mixed} needs a GPU, and there is none.", hint, "params.mixed_precision", "no-gpu")
    if mixed == "bf16" and not torch.cuda.is_bf16_supported():
        raise UserError("This GPU cannot compute in bf16.", "Choose fp16.", "params.mixed_precision", "no-bf16")
    return {mixed: True}


def tracker(name: str) -> list[str]:
    """Return the value of `report_to`.

    Raises:
        MissingExtra: the tracker's package is not installed.
    """
    if name == "none":
        return []
    if importlib.util.find_spec(name) is None:
        raise MissingExtra(
            f"The experiment tracker {name} is not installed.", f"pip install {name}", "params.log", "missing-extra"
        )
    return [name]
