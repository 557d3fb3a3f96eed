"""The private members of `transformers.Trainer` that this package uses, at transformers 5.23; nothing else uses any.

The Trainer has no public way to write a checkpoint between two steps, to load the best one after an interrupted
training, to set the sampler of the training rows, or to choose what a checkpoint holds and how its weights are named.
`tests/unit/training/test_trainer_internals.py` fails when a new version changes one of them.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_model, save_model
from transformers import PreTrainedModel, Trainer, TrainingArguments

from autotrain_gradio.training.group_sampler import GroupSampler
from autotrain_gradio.training.length_sampler import LengthSampler

VERSION = "5.23"
"""The version of transformers whose private members these are."""
WEIGHTS = "model.safetensors"


def save_checkpoint(trainer: Trainer) -> None:
    """Write a complete checkpoint of the current step."""
    trainer._save_checkpoint(trainer.model, None)


def load_best_model(trainer: Trainer) -> None:
    """Load the weights of the best checkpoint into the trainer's model, if one was evaluated."""
    if trainer.args.load_best_model_at_end and trainer.state.best_model_checkpoint:
        trainer._load_best_model()


@contextmanager
def native_weight_names(trainer: Trainer) -> Iterator[None]:
    """Let checkpoints name the weights as the modules of the model do.

    `save_pretrained` writes the names of the model's first release, which differ for some types (ViT, Swin, AST), and
    `from_pretrained` converts them. The Trainer loads a checkpoint with `load_state_dict(strict=False)`, which does
    not: it would only log that most weights are missing, and train on, or report, others than those of the checkpoint.
    That is an error here (`checkpoints.to_resume` has converted older checkpoints before).
    """
    model = trainer.model
    if not isinstance(model, PreTrainedModel):
        yield
        return
    trainer._issue_warnings_after_load = functools.partial(_require_all_weights, trainer)
    name = "_weight_conversions"
    before = model.__dict__.get(name, model)
    model._weight_conversions = []
    try:
        yield
    finally:
        del trainer._issue_warnings_after_load
        if before is model:
            delattr(model, name)
        else:
            setattr(model, name, before)


def _require_all_weights(trainer: Trainer, loaded: Any) -> None:
    """Raise a RuntimeError if a checkpoint that was loaded lacked weights of the model.

    loaded: `missing_keys` and `unexpected_keys`. Tied weights are stored once, under one of their names.
    """
    model = trainer.model
    weights = model.state_dict()
    missing = set(loaded.missing_keys) - set(model._keys_to_ignore_on_save or ())
    restored = {weight.data_ptr() for name, weight in weights.items() if name not in missing}
    lacking = sorted(name for name in missing if name not in weights or weights[name].data_ptr() not in restored)
    if lacking:
        raise RuntimeError(f"The checkpoint lacks {len(lacking)} of {len(weights)} weights, such as '{lacking[0]}'.")


@contextmanager
def tie_breaking(trainer: Trainer) -> Iterator[None]:
    """Of evaluations with an equal metric, let the one with the lowest validation loss be the best; then the latest.

    The Trainer itself keeps the earliest, often one of the first, where the metric has few values or reaches its bound.
    """
    determine = trainer._determine_best_metric

    def determine_with_ties(metrics: dict[str, float], trial: Any) -> bool:
        if determine(metrics=metrics, trial=trial):
            return True
        state, name = trainer.state, trainer.args.metric_for_best_model
        if name is None or metrics[f"eval_{name.removeprefix('eval_')}"] != state.best_metric:
            return False
        of_best = (e for e in state.log_history if e.get("step") == state.best_global_step and "eval_loss" in e)
        best_loss = next((entry["eval_loss"] for entry in of_best), math.inf)
        if metrics.get("eval_loss", -math.inf) > best_loss:
            return False
        state.best_global_step = state.global_step
        return True

    trainer._determine_best_metric = determine_with_ties
    try:
        yield
    finally:
        del trainer._determine_best_metric


def prepare_inputs(trainer: Trainer, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return a batch on the trainer's device."""
    prepared: dict[str, Any] = trainer._prepare_inputs(inputs)
    return prepared


def use_one_gpu(args: TrainingArguments) -> None:
    """Train on the first GPU only: TRL refuses `DataParallel`, which a Trainer uses for several."""
    if args.n_gpu > 1:
        args._n_gpu = 1


class TokenizedDataset:
    """Base of a TRL trainer whose data sets are tokenized already, and keep the columns that they have.

    TRL 1.16 tokenizes the rows of preferences always, and computes reference log-probabilities without showing the
    progress, or stopping on request.
    """

    def _prepare_dataset(self, dataset: Any, *settings: Any) -> Any:
        return dataset

    def _precompute_ref_logps(self, dataset: Any, *settings: Any) -> Any:
        return dataset


class LengthGrouping:
    """Base of a Trainer whose training batches hold rows of similar length.

    The Trainer's own `train_sampling_strategy` draws a new order when a run is resumed in the middle of an epoch, and
    shuffles the validation rows too.
    """

    args: Any
    train_dataset: Any
    _train_batch_size: int

    def training_lengths(self) -> Any:
        """Return the number of tokens of each training row (rows,): by default `lengths` of the data set."""
        return self.train_dataset.lengths

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int] | None:
        return LengthSampler(self.training_lengths(), self._train_batch_size, seed=self.args.seed)


class LengthGroupedTrainer(LengthGrouping, Trainer):
    """A Trainer with batches of rows of similar length."""


class PromptGroups:
    """Base of TRL's trainer for GRPO: batches of whole groups, from all prompts in each epoch.

    TRL's sampler drops the prompts that do not fill the last batch of an epoch, and begins with the order of the first
    epoch when a run is resumed.
    """

    args: Any
    train_dataset: Any

    def _get_train_sampler(self, dataset: Any = None) -> torch.utils.data.Sampler[int]:
        args = self.args
        return GroupSampler(
            len(self.train_dataset if dataset is None else dataset),
            group=args.num_generations,
            prompts=args.generation_batch_size // args.num_generations,
            repeats=args.num_iterations * args.steps_per_generation,
            seed=args.seed,
        )


class LossCheckpoints:
    """Base of a sentence-transformers trainer whose checkpoints hold the state of its loss, the model included.

    The library's checkpoints lack the weights of the loss (the classifier of pairs with a relation) and those of
    adapters, and it only logs a failure to load the best weights.
    """

    args: Any
    state: Any
    loss: Any

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.loss, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        load_model(self.loss, str(Path(checkpoint_path) / WEIGHTS), device=str(self.args.device))

    def _load_best_model(self) -> None:
        assert self.state.best_model_checkpoint is not None
        self._load_from_checkpoint(self.state.best_model_checkpoint)
