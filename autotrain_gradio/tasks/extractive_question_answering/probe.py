"""Extractive question answering: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForQuestionAnswering

from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.extractive_question_answering.models import TYPES, WHAT
from autotrain_gradio.training.text_probe import probe_text_model


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect the model of a spec, as `probe_text_model`."""
    facts = probe_text_model(AutoModelForQuestionAnswering, spec.model, types=TYPES, what=WHAT)
    return {**facts, "labels": None}  # the outputs are positions
