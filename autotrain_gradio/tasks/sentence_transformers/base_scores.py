"""The evaluation of the base model before the training, kept for a resumed run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.sentence_transformers.evaluation import FormatEvaluator, Measured
from autotrain_gradio.training import distributed

FILE = "base_scores.json"
"""In the folder of the checkpoints."""


def evaluate_base(run: Reporter, model: SentenceTransformer, evaluator: FormatEvaluator) -> Measured:
    """Return the evaluation of the model before it is trained, and record its metrics as those of step 0."""
    path = run.checkpoints / FILE
    stored = read_json(path) if run.attempt > 1 else None
    if stored is not None:
        return from_json(stored)
    run.state("preparing", "Evaluating the base model")

    def measure() -> Measured:
        return evaluator.measure(model)

    found = distributed.on_first_rank(measure)
    if run.rank == 0:
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        write_json(path, to_json(found))
        run.metric(0, 0.0, **{f"eval_{name}": value for name, value in found.metrics.items()})
    return found


def to_json(found: Measured) -> dict[str, Any]:
    """Return an evaluation as plain data."""
    plain = {f.name: getattr(found, f.name) for f in fields(found)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in plain.items()}


def from_json(stored: dict[str, Any]) -> Measured:
    """Rebuild an evaluation of `to_json`."""
    arrays = {name: np.array(value) for name, value in stored.items() if isinstance(value, list)}
    truncated = {int(d): float(v) for d, v in stored["truncated"].items()}
    return Measured(**{**stored, **arrays, "truncated": truncated})
