"""Odds Ratio Preference Optimization: training and prediction. Workers only."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from trl.experimental.orpo import ORPOConfig

from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_orpo import TASK
from autotrain_gradio.tasks.llm_orpo.preview import preview
from autotrain_gradio.training import language_probe
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.language_memory import Workload
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_trainer import trl_arguments
from autotrain_gradio.training.preference_orpo import OrpoTrainer
from autotrain_gradio.training.preference_rows import CollatePairs
from autotrain_gradio.training.preference_run import train_on_pairs

__all__ = ["load", "preview", "probe", "tiny_model", "train"]

probe = partial(language_probe.probe, work=Workload(sequences_per_row=2))


def train(run: Reporter) -> None:
    """Train a language model on the run's preferences with ORPO, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, no row can be trained on, or the training fails with a known error.
    """
    train_on_pairs(run, TASK, make_trainer, title="Preference-tuned chat model")


def make_trainer(
    run: Reporter, model: Any, tokenizer: Any, train_rows: Any, valid_rows: Any, **settings: Any
) -> OrpoTrainer:
    """Return the trainer."""
    args = trl_arguments(
        run,
        ORPOConfig,
        train_rows=len(train_rows),
        validates=valid_rows is not None,
        best=TASK.declared_metric("loss"),
        beta=run.params.beta,
        # Only used where TRL tokenizes: the rows are limited in length already, as the preview shows them.
        max_length=run.params.model_max_length,
    )
    return OrpoTrainer(
        model=model,
        args=args,
        train_dataset=train_rows,
        eval_dataset=valid_rows,
        data_collator=CollatePairs(tokenizer.pad_token_id),
        processing_class=tokenizer,
        **settings,
    )


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained: it answers messages and conversations (`prompt`)."""
    return LanguagePredictor(directory, "prompt", chat=True)
