"""Token classification: properties of a model, without downloading its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import AutoModelForTokenClassification

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.tasks.token_classification.models import TYPES, WHAT
from autotrain_gradio.tasks.token_classification.windows import prepare_tokenizer
from autotrain_gradio.training.text_probe import probe_text_model
from autotrain_gradio.training.tokens import open_tokenizer


def probe(spec: RunSpec, params: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Inspect the model of a spec, as `probe_text_model`; its tokenizer must know where its tokens are."""
    facts = probe_text_model(AutoModelForTokenClassification, spec.model, types=TYPES, what=WHAT)
    if spec.model != TINY and not facts["findings"]:
        try:
            prepare_tokenizer(open_tokenizer(spec.model, local=True), spec.model)
        except UserError as error:
            facts["findings"] = [f.to_dict() for f in error.findings]
    return facts
