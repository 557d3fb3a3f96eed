"""Convert a task's parameters to `TrainingArguments`, of transformers or of a library that extends them."""

from __future__ import annotations

import importlib.util
import math
import multiprocessing
import netrc
import os
import sys
from typing import Any, TypeVar

import torch
from transformers import TrainingArguments
from transformers.training_args import OptimizerNames

from autotrain_gradio.core.errors import MissingExtra, UserError, did_you_mean
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.base import Metric, TrainerParams
from autotrain_gradio.training import distributed

Arguments = TypeVar("Arguments", bound=TrainingArguments)
EVALUATIONS = 10
"""Evaluations in the whole training with the strategy `steps` and no `eval_steps`."""
POINTS = 50
"""Minimum number of points of the loss curve."""
MOST_POINTS = 2000
PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "trackio": "trackio"}


def arguments(
    params: TrainerParams,
    cls: type[Arguments],
    run: Reporter,
    *,
    train_rows: int,
    validates: bool,
    best: Metric,
    **more: Any,
) -> Arguments:
    """Fill a class of training arguments from a task's parameters.

    train_rows: number of training rows, by which automatic intervals are chosen.
    validates: whether there is a validation split. Then the checkpoint with the best metric is loaded at the
        end; otherwise a checkpoint is written after each epoch, and the model has the latest weights.
    best: the metric by which the best checkpoint is selected, in the direction that the task declares.
    more: arguments of the task, which take precedence.

    Raises:
        UserError: the optimizer or the mixed precision is not available on this machine.
        MissingExtra: the package of the experiment tracker or of the optimizer is not installed.
    """
    per_epoch = steps_per_epoch(train_rows, params.batch_size * device_count(), params.gradient_accumulation)
    total = per_epoch * params.epochs
    strategy = params.eval_strategy if validates else "no"
    every = params.eval_steps or max(1, total // EVALUATIONS)
    workers = loader_workers()
    settings: dict[str, Any] = {
        "output_dir": str(run.checkpoints),
        "num_train_epochs": params.epochs,
        "per_device_train_batch_size": params.batch_size,
        "per_device_eval_batch_size": params.batch_size,
        "auto_find_batch_size": params.auto_find_batch_size,
        "learning_rate": params.lr,
        "optim": optimizer(params.optimizer),
        "lr_scheduler_type": params.scheduler,
        # A float below 1 is a share of all steps (transformers 5; there is no warmup_ratio any more).
        "warmup_steps": params.warmup_ratio,
        "weight_decay": params.weight_decay,
        "max_grad_norm": params.max_grad_norm,
        "gradient_accumulation_steps": params.gradient_accumulation,
        "eval_strategy": strategy,
        "eval_steps": every if strategy == "steps" else None,
        "save_strategy": "steps" if strategy == "steps" else "epoch",
        "save_steps": every,
        # With a limit of 1 the Trainer deletes the latest checkpoint at a stop, from which a resume continues.
        "save_total_limit": max(2, params.save_total_limit) if strategy != "no" else params.save_total_limit,
        "batch_eval_metrics": True,
        "load_best_model_at_end": strategy != "no",
        "metric_for_best_model": f"eval_{best.name}" if strategy != "no" else None,
        "greater_is_better": best.higher_is_better if strategy != "no" else None,
        "restore_callback_states_from_checkpoint": True,
        "logging_strategy": "steps",
        "logging_steps": params.logging_steps if params.logging_steps > 0 else logging_interval(per_epoch, total),
        "logging_first_step": True,
        # By default a NaN loss would be logged as 0.
        "logging_nan_inf_filter": False,
        "report_to": tracker(params.log),
        "run_name": run.spec.project_name,
        "seed": params.seed,
        "data_seed": params.seed,
        "disable_tqdm": True,
        "push_to_hub": False,
        "use_cpu": device() == "cpu",
        "dataloader_num_workers": workers,
        "dataloader_persistent_workers": workers > 0,
        "dataloader_pin_memory": device() == "cuda",
        **precision(params.mixed_precision, run),
    }
    if params.log == "trackio":
        # Without this a push to the Hub would create a public Space.
        settings.update(project=run.spec.project_name, trackio_static_space_id=False)
    if params.log == "tensorboard":
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(run.directory / "tensorboard"))
    if params.log == "wandb":
        os.environ.setdefault("WANDB_PROJECT", run.spec.project_name)
    return cls(**{**settings, **more})


def steps_per_epoch(rows: int, batch_size: int, accumulation: int = 1) -> int:
    """Return the optimizer steps of an epoch, the last, smaller batch included."""
    return max(1, math.ceil(math.ceil(rows / batch_size) / accumulation))


def logging_interval(per_epoch: int, total: int) -> int:
    """Choose the steps between two points of the loss curve.

    About a twentieth of an epoch, but at least 50 points (as far as there are steps) and at most 2,000 in the whole.
    """
    wanted = min(max(1, per_epoch // 20), max(1, total // POINTS))
    return max(wanted, math.ceil(total / MOST_POINTS))


def device() -> str:
    """Return the kind of device that the Trainer will use: `cuda`, `mps`, `xpu` … or `cpu`."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found.type if found is not None else "cpu"


def device_count() -> int:
    """Return the number of devices of a step: one for each training process, or all GPUs of a single process."""
    processes = distributed.world_size()
    return processes if processes > 1 else max(1, torch.cuda.device_count())


def loader_workers() -> int:
    """Return the number of data loader processes.

    0 if the CPU trains (they would compete with the training), with two cores or fewer, and if this process cannot
    fork (a daemon; other systems than Linux).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    forks = sys.platform == "linux" and not multiprocessing.current_process().daemon
    if device() == "cpu" or cores <= 2 or not forks:
        return 0
    return min(8, max(1, (cores - 1) // distributed.world_size()))


def precision(mixed: str | None, run: Reporter) -> dict[str, bool]:
    """Return the arguments of mixed precision; none without a GPU, with a warning.

    AutoTrain configurations usually set fp16, which is useful on a GPU only.

    Raises:
        UserError: the GPU does not support it.
    """
    if mixed is None:
        return {}
    where = "params.mixed_precision"
    if device() == "cpu":
        run.note(
            f"Mixed precision '{mixed}' needs a GPU, and none is available: "
            "the training uses float32. The model is as accurate; the training takes longer.",
            level="warning",
        )
        return {}
    if mixed == "bf16" and device() == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        name = torch.cuda.get_device_name()
        raise UserError(f"The GPU ({name}) does not support bf16.", "Choose fp16, or none.", where, "no-bf16")
    return {mixed: True}


def optimizer(name: str) -> str:
    """Return the name of an optimizer after checking that transformers has it.

    `adamw_torch` becomes the fused implementation of the same algorithm, the default of transformers 5: on one core, a
    step of 40 million parameters takes 46 ms instead of 133 ms.

    Raises:
        UserError: it is unknown; the hint names similar ones.
    """
    known = [o.value for o in OptimizerNames]
    if name not in known:
        raise UserError(
            f"Unknown optimizer '{name}'.", did_you_mean(name, known), "params.optimizer", "unknown-optimizer"
        )
    return OptimizerNames.ADAMW_TORCH_FUSED.value if name == OptimizerNames.ADAMW_TORCH else name


def tracker(name: str) -> list[str]:
    """Return the value of `report_to`.

    Raises:
        MissingExtra: the tracker's package is not installed.
        UserError: there is no API key for Weights & Biases, which would ask for one on a terminal.
    """
    if name == "none":
        return []
    if importlib.util.find_spec(PACKAGES[name]) is None:
        raise MissingExtra(
            f"The experiment tracker '{name}' is not installed.",
            f"pip install {PACKAGES[name]}",
            "params.log",
            "missing-extra",
        )
    if name == "wandb" and not _wandb_can_log_in():
        raise UserError(
            "No API key for Weights & Biases was found.",
            "Set WANDB_API_KEY, run 'wandb login', or set WANDB_MODE=offline.",
            "params.log",
            "no-wandb-key",
        )
    return [name]


def _wandb_can_log_in() -> bool:
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_MODE") in {"offline", "disabled", "dryrun"}:
        return True
    try:
        return netrc.netrc().authenticators("api.wandb.ai") is not None
    except (FileNotFoundError, netrc.NetrcParseError):
        return False
