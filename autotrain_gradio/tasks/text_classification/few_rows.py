"""Few rows of texts: say how they are trained."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.tasks.text_classification import FEW


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report a small training split, for which few examples are compared with fine-tuning."""
    count = rows.count("train")
    if count < FEW:
        message = format_count("There {is} only {n}.", count, "training row") + " With so few, a logistic regression "
        message += "on embeddings of the texts is often more accurate than fine-tuning."
        hint = "few_examples (auto) compares both by cross-validation and uses the better one. More rows help most."
        yield Finding("info", "few-examples", message, hint, "params.few_examples")
