"""What the declarations of tasks that read texts share: usual names of columns, and suggested encoders."""

from __future__ import annotations

from autotrain_gradio.data.catalog import TEXT
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.base import SuggestedModel

TEXT_NAMES = (
    *("text", "sentence", "review", "comment", "body", "content", "tweet", "message", "document", "description"),
)
"""Usual names of a column of texts."""
SHORT_TEXT_NAMES = ("title", "headline", "question", "utterance", "query")
"""Names of columns of texts that are often only a part of the text: the others take precedence."""


def text_column(*names: str) -> Column:
    """Declare the column of the texts of a task. names: further usual names, before those of short texts."""
    return Column(
        "text",
        "Text",
        TEXT,
        "The text. Of several columns, the parts are joined.",
        purpose="input",
        many=True,
        join=True,
        names=(*TEXT_NAMES, *names, *SHORT_TEXT_NAMES),
    )


DISTILBERT = SuggestedModel(
    "distilbert/distilbert-base-uncased", "English; fast, and accurate enough for most tasks.", 67
)
DISTILBERT_MULTILINGUAL = SuggestedModel(
    "distilbert/distilbert-base-multilingual-cased", "A hundred languages; twice the size of DistilBERT.", 135
)
ROBERTA = SuggestedModel(
    "FacebookAI/roberta-base", "English; more accurate than DistilBERT, needs a GPU.", 125, gpu=True
)
MODERNBERT = SuggestedModel(
    "answerdotai/ModernBERT-base", "English; long texts, up to 8,192 tokens; needs a recent GPU.", 149, gpu=True
)
XLM_ROBERTA = SuggestedModel(
    "FacebookAI/xlm-roberta-base", "A hundred languages; accurate, needs a GPU.", 278, gpu=True
)
LARGER_ENCODERS = (DISTILBERT_MULTILINGUAL, ROBERTA, MODERNBERT, XLM_ROBERTA)
"""Those for other languages, long texts or a GPU."""
