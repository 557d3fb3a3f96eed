"""Text reranking: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForSequenceClassification

from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.tasks.text_reranking.models import TYPES, WHAT
from autotrain_gradio.training.text_probe import probe_text_model


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect the model of a spec, as `probe_text_model`; the classes of a classifier do not matter."""
    found = probe_text_model(AutoModelForSequenceClassification, spec.model, types=TYPES, what=WHAT)
    return {**found, "labels": None}
