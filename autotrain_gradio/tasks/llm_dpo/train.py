"""Direct Preference Optimization: training and prediction. Workers only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from trl import DPOConfig

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_dpo import TASK
from autotrain_gradio.tasks.llm_dpo.preview import preview
from autotrain_gradio.training import preference_reference
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_trainer import trl_arguments
from autotrain_gradio.training.preference_reference import add_log_probabilities, open_reference
from autotrain_gradio.training.preference_rows import CollatePairs
from autotrain_gradio.training.preference_run import train_on_pairs
from autotrain_gradio.training.preference_trainer import DpoTrainer

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

probe = partial(preference_reference.probe, sequences_per_row=2)


def train(run: Reporter) -> None:
    """Train a language model on the run's preferences with DPO, and write the model and a report.

    Raises:
        UserError: the model or its reference cannot be loaded, no row can be trained on, or the training fails with a
            known error.
    """
    train_on_pairs(run, TASK, make_trainer, title="Preference-tuned chat model")


def make_trainer(
    run: Reporter, model: Any, tokenizer: Any, train_rows: Any, valid_rows: Any, **settings: Any
) -> DpoTrainer | None:
    """Return the trainer, whose rows have the log-probabilities of the reference model; None if stopped."""
    params = run.params
    args = trl_arguments(
        run,
        DPOConfig,
        train_rows=len(train_rows),
        validates=valid_rows is not None,
        best=TASK.declared_metric("loss"),
        beta=params.dpo_beta,
        loss_type=[params.loss_type],
        label_smoothing=params.label_smoothing,
        max_length=None,  # the rows are limited in length already, as the preview shows them
        precompute_ref_log_probs=True,
    )
    trainer = DpoTrainer(
        model=model,
        ref_model=open_reference(run, tokenizer),
        args=args,
        train_dataset=train_rows,
        eval_dataset=valid_rows,
        data_collator=CollatePairs(tokenizer.pad_token_id),
        processing_class=tokenizer,
        **settings,
    )
    return trainer if add_log_probabilities(run, trainer) else None


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained: it answers messages and conversations (`prompt`)."""
    return LanguagePredictor(directory, "prompt", chat=True)
