"""Contexts of which both splits have questions: the model has seen the validation contexts, with other questions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report validation rows whose context is that of a training row too; say how the contexts were split."""
    context = rows.cells["context"].facts["group"]
    train, validation = rows.indices("train"), rows.indices("validation")
    shared = validation[np.isin(context[validation], np.unique(context[train]))]
    contexts = len(np.unique(context[rows.indices()]))
    if len(shared):
        text = "{n} {has} a context that is in the training rows too, so the results will look better than on new texts"
        hint = "Use other contexts for validation."
        if request.spec.valid_fraction and contexts < len(rows.indices()):
            hint += " If the app splits the rows, all questions about one context stay together where there are enough."
        yield from rows.findings("warning", "context-in-both-splits", text, shared, hint, noun="validation row")
    elif len(validation) and contexts < len(train) + len(validation):
        message = "No context is in both splits: the results are those of contexts that the model has not seen."
        yield Finding("info", "contexts-apart", message)
