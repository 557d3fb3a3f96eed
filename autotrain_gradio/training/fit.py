"""The fit of a finished Trainer: events, stop, resume, and the failures that have a name."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from autotrain_gradio.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training.threads import Threads

MIB = 1024 * 1024
SHOWN = ("loss", "learning_rate", "grad_norm")


def fit(trainer: Trainer, run: Reporter) -> None:
    """Train, recording everything in the run; continue from the latest complete checkpoint of earlier attempts.

    Returns when the training is done or a stop was asked for; the trainer's model is then the best
    one where evaluations chose one, else the latest.

    Raises:
        UserError: the loss is not finite, or memory ran out.
    """
    trainer.add_callback(Recorder(run, trainer))
    checkpoint = latest_checkpoint(run.checkpoints) if run.attempt > 1 else None
    if run.attempt > 1:
        where = f"at step {_step(checkpoint)}" if checkpoint else "at the beginning: there is no complete checkpoint"
        run.note(f"Attempt {run.attempt} continues {where}.")
    try:
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        size = trainer.args.per_device_train_batch_size
        device = "GPU" if torch.cuda.is_available() else "machine"
        raise UserError(
            f"The {device}'s memory ran out at a batch size of {size}.",
            f"Resume with less: batch_size {max(1, size // 2)} and gradient_accumulation 2 learn the same; "
            "or switch auto_find_batch_size on, or choose a smaller model.",
            "params.batch_size",
            "out-of-memory",
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that the GPU's or the machine's memory ran out."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    text = str(error).lower()
    return any(t in text for t in ("out of memory", "can't allocate memory", "defaultcpuallocator"))


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint of the highest step that is complete.

    A Trainer writes `trainer_state.json` last: one that was cut short has none, or one that cannot be read.
    """
    if not folder.is_dir():
        return None
    found = sorted((p for p in folder.glob("checkpoint-*") if _step(p) >= 0), key=_step, reverse=True)
    return next((p for p in found if is_complete(p)), None)


def is_complete(checkpoint: Path) -> bool:
    """Whether a checkpoint has weights, an optimizer and a readable state."""
    try:
        json.loads((checkpoint / "trainer_state.json").read_text())
    except (OSError, ValueError):
        return False
    weights = [*checkpoint.glob("*.safetensors"), *checkpoint.glob("pytorch_model*.bin")]
    return bool(weights) and (checkpoint / "optimizer.pt").is_file()


def _step(checkpoint: Path | None) -> int:
    number = checkpoint.name.removeprefix("checkpoint-") if checkpoint else ""
    return int(number) if number.isdigit() else -1


class Recorder(TrainerCallback):
    """Writes what a Trainer does into the run, and tells it to stop when the user asks."""

    def __init__(self, run: Reporter, trainer: Trainer) -> None:
        self._run = run
        self._trainer = trainer
        self._threads = Threads()
        self._process = psutil.Process()
        self._clock = (time.perf_counter(), 0)
        self._batch: int | None = None
        self._stopping = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._run.state("running", "Training")
        if self._batch is not None and self._batch != state.train_batch_size:
            self._run.note(f"Memory ran out: the batch size is now {state.train_batch_size} instead of {self._batch}.")
        self._batch = state.train_batch_size
        self._clock = (time.perf_counter(), state.global_step)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self._run.progress(state.global_step, state.max_steps, state.epoch or 0.0, float(args.num_train_epochs))
        self._threads.adapt()
        if not self._stopping and self._run.stop_requested():
            self._stopping = True
            self._run.note("Stopping: the weights are kept.")
            control.should_training_stop = True
            control.should_save = True

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        logs = logs or {}
        values = {k: float(v) for k, v in logs.items() if k in SHOWN and isinstance(v, (int, float))}
        if "loss" not in values:
            return
        if not math.isfinite(values["loss"]):
            raise not_finite(state.global_step, args)
        now, (then, step) = time.perf_counter(), self._clock
        if state.global_step > step:
            rows = (state.global_step - step) * args.train_batch_size * args.gradient_accumulation_steps
            values["samples_per_second"] = rows * args.world_size / (now - then)
        self._clock = (now, state.global_step)
        values["memory_mib"] = self._memory()
        self._run.metric(state.global_step, state.epoch or 0.0, **values)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        timing = ("_runtime", "_per_second", "epoch")
        values = {k: v for k, v in (metrics or {}).items() if k.startswith("eval_") and not k.endswith(timing)}
        if state.global_step and values:
            self._run.metric(state.global_step, state.epoch or 0.0, **values)
        # The evaluation's time is not the training's.
        self._clock = (time.perf_counter(), state.global_step)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        best = state.best_model_checkpoint is not None and Path(state.best_model_checkpoint).name == path.name
        self._run.checkpoint(state.global_step, path, best)
        self._clock = (time.perf_counter(), state.global_step)

    def _memory(self) -> float:
        if torch.cuda.is_available():
            return torch.cuda.max_memory_allocated() / MIB
        return self._process.memory_info().rss / MIB


def not_finite(step: int, args: TrainingArguments) -> UserError:
    """Return the error of a loss that is infinite or no number."""
    hint = f"Lower the learning rate (it is {args.learning_rate:g})"
    if args.fp16:
        hint += ", or use bf16 or no mixed precision"
    return UserError(
        f"The loss is no longer a finite number (step {step}): the training has diverged.",
        f"{hint}. The checkpoints before this step are kept.",
        f"step {step}",
        "loss-not-finite",
    )
