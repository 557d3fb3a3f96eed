"""Continued pretraining of language models: training and prediction. Workers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.llm_generic import TASK
from autotrain_gradio.tasks.llm_generic.preview import preview
from autotrain_gradio.training import language_models
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


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The model that a run has trained.

    Inputs: `{"text": str}`: the beginning of a text. Predictions: `{"text": str, "panels"}`: how the model continues
    it. `note`: the continuation was ended at the maximum length.
    """

    def __init__(self, directory: Path) -> None:
        self._model, self._tokenizer = language_models.load_trained(directory / "model")
        self._longest = int(self._model.generation_config.max_new_tokens)

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Continue each text.

        Raises:
            UserError: a text is missing or empty.
        """
        prompts: list[list[int]] = []
        for given in inputs:
            text = given.get("text")
            if not isinstance(text, str) or not text.strip():
                raise UserError("The text is empty.", "Enter the beginning of a text.", "text", "no-text")
            prompts.append(list(self._tokenizer(text, verbose=False)["input_ids"]))
        found = []
        for text, ended in language_models.generate(self._model, self._tokenizer, prompts):
            note = f"The text was ended at {self._longest:,} tokens (max_new_tokens)." if ended else ""
            answer = {"text": text, **({"note": note} if note else {})}
            found.append({**answer, "panels": [panels.text_block("Continuation", text, note=note)]})
        return found
