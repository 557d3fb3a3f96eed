"""Train with any Trainer: record it in the run, stop, resume, and translate known failures."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import checkpoints, distributed, failures, loaded_weights, trainer_internals
from autotrain_gradio.training.threads import Threads

SAVE_SECONDS = 900.0
"""Maximum time between two checkpoints in seconds."""
LOSS_CHECK_SECONDS = 1.0
"""Seconds between two checks of the loss on a GPU: each check synchronizes with the GPU."""
DURATIONS = ("_runtime", "_per_second", "_model_preparation_time")
"""Suffixes of values that a Trainer logs with the metrics of an evaluation."""


class OnEvaluation(Protocol):
    """Callback after each evaluation; implemented by `evaluator.Evaluation`."""

    def reset(self) -> None:
        """Discard an interrupted evaluation."""

    def after_evaluation(self, step: int, best_step: int | None, metrics: Mapping[str, float]) -> None:
        """Take the metrics of an evaluation (names with `eval_`); best_step: of the best one before it."""


@dataclass(frozen=True)
class Fit:
    """The outcome of a training.

    steps, planned: optimizer steps done (including earlier attempts) and planned.
    stopped: the user stopped it. early: early stopping ended it.
    best_step, best_value: step and metric of the evaluation whose weights were loaded at the end; None: the model has
        the latest weights.
    evaluations: their number, including earlier attempts.
    train_loss: mean over this attempt. seconds: duration of this attempt.
    best_metric: name of the metric that selected the checkpoint, without `eval_`; empty: none did.
    """

    steps: int
    planned: int
    epochs: float
    stopped: bool
    early: bool
    best_step: int | None
    best_value: float | None
    evaluations: int
    train_loss: float
    seconds: float
    best_metric: str = ""

    def selection_note(self, noun: str) -> str:
        """Return a note that the checkpoint was selected on the same rows as the metrics; empty if it was not.

        noun: name of the validation rows in the plural.
        """
        if self.best_step is None or self.evaluations < 2:
            return ""
        return (
            f"The checkpoint is the best of {self.evaluations} evaluations on these same validation {noun}: "
            f"on new {noun}, expect slightly worse metrics."
        )


def fit(trainer: Trainer, run: Reporter, evaluation: OnEvaluation | None = None) -> Fit:
    """Train with any Trainer, and record progress, metrics and checkpoints in the run.

    Continues from the latest complete checkpoint of earlier attempts. When it returns, the trainer's model has the
    best weights where evaluations selected a checkpoint, else the latest ones; also after a stop.

    evaluation: called after each evaluation, for sample predictions.

    Raises:
        UserError: the loss is not finite; memory ran out; a package is missing.
    """
    args = trainer.args
    if args.load_best_model_at_end and run.params.early_stopping_patience:
        trainer.add_callback(
            EarlyStoppingCallback(run.params.early_stopping_patience, run.params.early_stopping_threshold)
        )
    recorder = _Recorder(run, trainer, evaluation)
    trainer.add_callback(recorder)
    checkpoint = checkpoints.to_resume(run, trainer.model)
    began = time.monotonic()
    step, trainer.training_step = trainer.training_step, recorder.with_loss_check(trainer.training_step)
    try:
        with trainer_internals.native_weight_names(trainer), trainer_internals.tie_breaking(trainer):
            try:
                result = trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
                loss = float(result.training_loss)
            except _StoppedInEvaluation:
                loss = recorder.loss
                _end_training(trainer, recorder)
    except (RuntimeError, MemoryError, ImportError) as error:
        named = failures.translate(error, args, recorder.batch_size)
        if named is None:
            raise
        raise named from error
    finally:
        trainer.training_step = step
        trainer.remove_callback(recorder)
    state = trainer.state
    best = state.best_global_step if args.load_best_model_at_end and state.best_model_checkpoint else None
    return Fit(
        steps=state.global_step,
        planned=state.max_steps,
        epochs=float(state.epoch or 0.0),
        stopped=recorder.stopping,
        early=not recorder.stopping and state.global_step < state.max_steps,
        best_step=best,
        best_value=state.best_metric if best is not None else None,
        evaluations=sum(any(key.startswith("eval_") for key in entry) for entry in state.log_history),
        train_loss=loss,
        seconds=time.monotonic() - began,
        best_metric=(args.metric_for_best_model or "").removeprefix("eval_") if best is not None else "",
    )


def is_metric(name: str) -> bool:
    """Whether a value that a Trainer logs after an evaluation is a metric, not a duration or a rate."""
    return name.startswith("eval_") and not name.endswith(DURATIONS)


class _StoppedInEvaluation(Exception):
    """The user asked to stop during an evaluation, which may be long."""


def _end_training(trainer: Trainer, recorder: _Recorder) -> None:
    """End the training as a Trainer does: save a checkpoint of the latest step, load the best one."""
    state = trainer.state
    if not checkpoints.is_complete(Path(trainer.args.output_dir) / f"checkpoint-{state.global_step}"):
        trainer_internals.save_checkpoint(trainer)
        recorder.on_save(trainer.args, state, trainer.control)
    trainer_internals.load_best_model(trainer)
    trainer.is_in_train = False


class _Recorder(TrainerCallback):
    """Records the progress of a Trainer in the run, and forwards stop requests to it."""

    def __init__(self, run: Reporter, trainer: Trainer, evaluation: OnEvaluation | None) -> None:
        self.stopping = False
        self.loss = math.nan
        self.batch_size = trainer.args.per_device_train_batch_size
        self._run, self._trainer, self._evaluation = run, trainer, evaluation
        self._rows = len(trainer.train_dataset) if hasattr(trainer.train_dataset, "__len__") else 0
        self._threads = Threads()
        self._unchecked: torch.Tensor | None = None
        self._next_check = 0.0
        self._next_save = time.monotonic() + SAVE_SECONDS
        self._interval_start = (time.monotonic(), 0.0)
        """Time and epoch of the latest point of the curve, without pauses, for the throughput."""
        self._step_ended = time.monotonic()
        self._started = False

    def with_loss_check(self, step: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        """Wrap `training_step`: a loss that is not finite is an error before it can reach the weights.

        Checked on a CPU at each step (a microsecond); on a GPU once a second and before each save.
        """

        def training_step(*args: Any, **kwargs: Any) -> torch.Tensor:
            loss = step(*args, **kwargs)
            self._unchecked = loss
            if loss.device.type == "cpu" or time.monotonic() >= self._next_check:
                self._check_loss()
            return loss

        return training_step

    def _check_loss(self) -> None:
        if self._unchecked is None:
            return
        self._next_check = time.monotonic() + LOSS_CHECK_SECONDS
        value = self._unchecked.item()
        self._unchecked = None
        if not math.isfinite(value):
            raise failures.not_finite("loss", value, self._trainer.state.global_step + 1, self._trainer.args)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        batch_size = int(state.train_batch_size or self.batch_size) // max(1, args.n_gpu)
        if self._started and batch_size < self.batch_size:
            self._run.note(f"Out of memory at batch size {self.batch_size}; the training restarts with {batch_size}.")
        elif not self._started:
            loaded_weights.require_finite(self._run.spec.model, self._trainer.model.named_parameters())
            self._run.state("running", "Training")
        self._started = True
        if self._evaluation is not None:
            self._evaluation.reset()
        self.batch_size = batch_size
        self._step_ended = time.monotonic()
        self._interval_start = (self._step_ended, float(state.epoch or 0.0))

    def on_epoch_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # accelerate calls `set_epoch`, but not in the epoch in which a run is resumed.
        set_epoch = getattr(self._trainer.train_dataset, "set_epoch", None)
        if set_epoch is not None:
            set_epoch(int((state.epoch or 0.0) + 1e-6))

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        now = self._step_ended = time.monotonic()
        self._run.progress(state.global_step, state.max_steps, state.epoch or 0.0, float(args.num_train_epochs))
        self._threads.adapt(now)
        stop, save = distributed.decision(self._run).decide(save=now >= self._next_save)
        if stop:
            self._stop(state)
            control.should_training_stop = control.should_save = True
            control.should_evaluate = False
        if save:
            control.should_save = True
        if control.should_save:
            self._check_loss()

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._check_loss()
        if self.stopping:
            # `on_step_end` has saved already, and an evaluation may take long.
            control.should_evaluate = control.should_save = False

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._threads.adapt(time.monotonic())
        if self._trainer.is_in_train and distributed.decision(self._run).decide(evaluating=True)[0]:
            self._stop(state)
            raise _StoppedInEvaluation

    def _stop(self, state: TrainerState) -> None:
        if not self.stopping:
            self.stopping = True
            self._run.note(f"Stopped at step {state.global_step} of {state.max_steps}; the weights are saved.")

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        logs = logs or {}
        if "loss" not in logs:
            return
        # Values that a library logs in addition are recorded too (rewards, token accuracy).
        values = {k: float(v) for k, v in logs.items() if k != "epoch" and isinstance(v, int | float)}
        self.loss = values["loss"]
        if not math.isfinite(self.loss):
            raise failures.not_finite("loss", self.loss, state.global_step, args)
        epoch, (began, then) = float(state.epoch or 0.0), self._interval_start
        seconds = self._step_ended - began
        if seconds > 0 and epoch > then and self._rows:
            values["samples_per_second"] = (epoch - then) * self._rows / seconds
        self._interval_start = (self._step_ended, epoch)
        values["memory_mib"] = _memory_mib()
        values["threads"] = torch.get_num_threads()
        self._run.metric(state.global_step, epoch, **values)

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        if not self._trainer.is_in_train:
            return
        values = {k: v for k, v in (metrics or {}).items() if is_metric(k)}
        self._run.metric(state.global_step, state.epoch or 0.0, **values)
        if not math.isfinite(values.get("eval_loss", 0.0)):
            raise failures.not_finite("validation loss", values["eval_loss"], state.global_step, args)
        if self._evaluation is not None:
            self._evaluation.after_evaluation(state.global_step, state.best_global_step, values)
        self._pause()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        path = self._run.checkpoints / f"checkpoint-{state.global_step}"
        self._run.checkpoint(state.global_step, path, best=state.best_global_step == state.global_step)
        self._next_save = time.monotonic() + SAVE_SECONDS
        self._pause()

    def _pause(self) -> None:
        """Exclude the time since the last step from the throughput: it was not spent on training."""
        now = time.monotonic()
        self._interval_start = (self._interval_start[0] + now - self._step_ended, self._interval_start[1])
        self._step_ended = now


def _memory_mib() -> float:
    """Return the peak GPU memory reserved by this process, or its resident memory (proc(5)), in MiB."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_reserved() / MIB
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    except FileNotFoundError:
        import psutil

        return psutil.Process().memory_info().rss / MIB
