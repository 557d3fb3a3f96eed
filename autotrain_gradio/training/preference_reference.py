"""Log-probabilities of the reference model, computed once before the training: it needs no second model in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object, release_memory
from datasets import Dataset
from transformers import AutoModelForCausalLM

from autotrain_gradio.core.errors import Finding, SpecError, UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import (
    adapter_models,
    distributed,
    failures,
    language_models,
    language_probe,
    trainer_internals,
)
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.preference_rows import pair_lengths

WHERE = "params.model_ref"
PAIR_COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")
"""Columns that TRL's trainer of pairs reads the log-probabilities from."""


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any], *, sequences_per_row: int) -> dict[str, Any]:
    """Inspect a model as `language_probe.probe`, and the reference model, if it is another one."""
    name, count, found = params.model_ref, 0, list[Finding]()
    if name and name not in (spec.model, TINY):
        try:
            adapter = adapter_models.find_adapter(name)
            config = language_models.open_config(adapter.base if adapter else name)
            count = count_parameters(AutoModelForCausalLM, config)
        except UserError as error:
            found = [Finding(f.level, f.code, f"Reference model: {f.message}", f.hint, WHERE) for f in error.findings]
    work = Workload(sequences_per_row=sequences_per_row, reference=count)
    facts = language_probe.probe(spec, params, context, work=work)
    facts["findings"] = [*(f.to_dict() for f in found), *facts["findings"]]
    return facts


def open_reference(run: Reporter, tokenizer: Any) -> Any:
    """Return the model that `model_ref` names, in evaluation mode; None: the base model is the reference.

    tokenizer: of the model that is trained.

    Raises:
        UserError: it cannot be loaded, or its tokenizer is another one.
    """
    name = run.params.model_ref
    if not name or name == run.spec.model:
        return None
    if name == TINY:
        message = "The tiny model cannot be a reference model: it is made anew in each run."
        raise UserError(message, "Leave model_ref empty.", WHERE, "reference-tiny")
    run.state("preparing", "Loading the reference model")
    try:
        model, other = language_models.open_whole(name, adapter_models.find_adapter(name))
    except UserError as error:  # it names the field of the model that is trained
        raise SpecError(f"Reference model: {error.message}", error.hint, WHERE, error.code) from error
    if other.get_vocab() != tokenizer.get_vocab():
        message = f"The tokenizer of the reference model '{name}' is not the one of '{run.spec.model}'."
        raise UserError(
            message, "Choose a model of the same family, or leave model_ref empty.", WHERE, "reference-other"
        )
    return model.eval()


def add_log_probabilities(
    run: Reporter,
    trainer: Any,
    *,
    columns: Sequence[str] = PAIR_COLUMNS,
    lengths: Callable[[Dataset], np.ndarray] = pair_lengths,
) -> bool:
    """Add the log-probabilities of the reference model to the trainer's rows; then the model is not needed any more.

    trainer: a `DPOTrainer` or `KTOTrainer` with tokenized rows. columns: of the values that its `compute_ref_log_probs`
    returns. lengths: of a data set's rows in tokens (rows,). Without a reference model of its own, the model
    that is trained is the reference, before its first step or without its adapter. A resumed run uses those of the
    first attempt. Returns False if stopped.
    """
    reference = trainer.ref_model if trainer.ref_model is not None else trainer.model
    was_training = reference.training
    reference.eval()
    for attribute, split in (("train_dataset", "training"), ("eval_dataset", "validation")):
        rows = getattr(trainer, attribute)
        if rows is None:
            continue
        format = {"type": rows.format["type"]}
        values = _stored(run, split, (len(columns), len(rows)))
        if values is None:
            values = _computed(run, trainer, reference, rows, split, np.argsort(-lengths(rows), kind="stable"))
        if values is None:
            return False
        for column, numbers in zip(columns, values, strict=True):
            rows = rows.add_column(column, numbers)
        setattr(trainer, attribute, rows.with_format(**format))
    reference.train(was_training)
    trainer.ref_model = None
    del reference
    # Nothing else was prepared yet. Otherwise accelerate would keep the reference model in memory until the end.
    trainer.accelerator.free_memory()
    release_memory()  # `free_memory` collects garbage before it drops its references
    return True


def _stored(run: Reporter, split: str, shape: tuple[int, int]) -> Any:
    path = run.checkpoints / f"reference_{split}.npy"
    if run.attempt == 1 or not path.is_file():
        return None
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError):
        run.note(f"{path.name} is damaged: the reference log-probabilities are computed again.", level="warning")
        return None
    return values if values.shape == shape else None


def _computed(run: Reporter, trainer: Any, model: Any, rows: Dataset, split: str, order: np.ndarray) -> Any:
    """Return the log-probabilities (values, rows); None if stopped. order: of the rows, those of similar length."""
    size, ranks = trainer.args.per_device_eval_batch_size, distributed.world_size()
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    # Each rank computes every other batch, and takes part in the decisions to stop after the last one, too.
    for start in range(0, len(rows), size * ranks):
        message = f"Computing reference log-probabilities: {start:,} of {len(rows):,} {split} rows"
        run.state("preparing", message)
        if distributed.decision(run).decide(evaluating=True)[0]:
            return None
        some = order[start + size * distributed.rank() :][:size]
        if not len(some):
            continue
        batch = trainer.data_collator([rows[int(i)] for i in some])
        try:
            found = trainer.compute_ref_log_probs(model, trainer_internals.prepare_inputs(trainer, batch))
        except (RuntimeError, MemoryError) as error:
            if not failures.is_out_of_memory(error):
                raise
            message = f"Not enough memory for the reference log-probabilities of {len(some)} rows."
            hint = "Reduce batch_size or block_size, or choose a smaller model."
            raise UserError(message, hint, "params.batch_size", "out-of-memory") from error
        parts.append((some, torch.stack([values for values in found if values is not None]).float().cpu().numpy()))
    if distributed.is_parallel():
        parts = gather_object(parts)
    values = np.zeros((len(parts[0][1]), len(rows)), dtype=np.float32)
    for some, computed in parts:
        values[:, some] = computed
    if distributed.rank() == 0:
        _store(run.checkpoints / f"reference_{split}.npy", values)
    return values


def _store(path: Path, values: np.ndarray) -> None:
    """Write an array; a resumed run must not find a part of it. Several processes may write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as file:  # np.save would add .npy to the name
        np.save(file, values)
    os.replace(partial, path)
