"""Continued pretraining of language models: training and prediction. Workers only."""

from __future__ import annotations

from pathlib import Path

from autotrain_gradio import data
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_generic import TASK
from autotrain_gradio.tasks.llm_generic.preview import preview
from autotrain_gradio.training import language_models
from autotrain_gradio.training.chat_prediction import LanguagePredictor
from autotrain_gradio.training.language_evaluation import text_prompt
from autotrain_gradio.training.language_models import tiny_model
from autotrain_gradio.training.language_probe import probe
from autotrain_gradio.training.language_run import Prepared, fine_tune, open_model, tokenize_split
from autotrain_gradio.training.token_rows import text_row

__all__ = ["load", "preview", "probe", "tiny_model", "train"]


def train(run: Reporter) -> None:
    """Train a language model on the run's texts, and write the model and a report.

    Raises:
        UserError: the model cannot be loaded, no text can be trained on, or the training fails with a known error.
    """
    params, rows = run.params, data.load(run.directory)
    found = open_model(run, rows["train"]["text"])
    tokenizer, limit = found.tokenizer, language_models.sequence_limit(found.limit, params)
    splits = {}
    for name, part in rows.items():
        split = tokenize_split(run, str(name), (text_row(tokenizer, t) for t in part["text"]), len(part), limit)
        if split is None:
            return
        splits[str(name)] = split
    language_models.set_generation(found.model, tokenizer, (), params.max_new_tokens)
    shown = rows["validation"]["text"][: params.generation_rows] if "validation" in rows else []
    prompts = [text_prompt(tokenizer, text, limit) for text in shown]
    title = "Language model"
    fine_tune(run, TASK, Prepared(found, splits, prompts, limit, usage=TASK.loader_example, title=title))


def load(directory: Path) -> LanguagePredictor:
    """Return the model that a run has trained: it continues texts (`text`)."""
    return LanguagePredictor(directory, "text", chat=False)
