"""Text reranking: the three data formats and their columns. Light, like the declaration of the task."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.data.catalog import SENTENCE, SIMILARITY
from autotrain_gradio.data.declarations import Column, Format

QUERY, PASSAGE, NEGATIVE, RELEVANCE = "query", "passage", "negative", "relevance"
"""The roles."""
RELEVANT = replace(SIMILARITY, module="autotrain_gradio.tasks.text_reranking.relevant")
"""How relevant a passage is, from 0 to 1; truth values, too."""

_QUERY = Column(
    QUERY,
    "Query",
    SENTENCE,
    "A question, or the words of a search.",
    purpose="input",
    names=("query", "question", "anchor", "sentence1", "search"),
)
_NAMES = (
    "passage",
    "positive",
    "pos",
    "positives",
    "answer",
    "text",
    "document",
    "doc",
    "response",
    "context",
    "sentence2",
    "content",
)


def _passage(title: str, help: str, *, found: bool) -> Column:
    """Return the column of passages. found: they are what a search should find."""
    return Column(PASSAGE, title, SENTENCE, help, purpose="target" if found else "input", names=_NAMES)


TRIPLET = Format(
    "triplet",
    "Query, right passage and wrong passage",
    (
        _QUERY,
        _passage("Right passage", "A passage that answers the query.", found=True),
        Column(
            NEGATIVE,
            "Wrong passage",
            SENTENCE,
            "A similar passage that does not answer the query.",
            purpose="target",
            names=(
                "negative",
                "negatives",
                "hard_negative",
                "hard_negatives",
                "neg",
                "wrong",
                "sentence3",
                "negative_passage",
            ),
        ),
    ),
    "The right passage must have a higher score than the wrong one.",
    "query,positive,negative\nHow do I reset it?,Hold the button for ten seconds.,The button is on the left.",
)
LABELLED = Format(
    "labelled",
    "Query, passage and relevance",
    (
        _QUERY,
        _passage("Passage", "A passage that may answer the query.", found=False),
        Column(
            RELEVANCE,
            "Relevance",
            RELEVANT,
            "Whether the passage answers the query: 1 or 0, or a degree between; other ranges are rescaled.",
            purpose="target",
            names=("relevance", "label", "score", "relevant", "is_relevant", "is_selected", "target", "grade"),
        ),
    ),
    "Each passage is scored by its relevance.",
    "query,passage,label\nHow do I reset it?,Hold the button for ten seconds.,1\nHow do I reset it?,It is blue.,0",
)
PAIR = Format(
    "pair",
    "Query and right passage",
    (_QUERY, _passage("Right passage", "A passage that answers the query.", found=True)),
    "Wrong passages are mined: those of other rows that a retriever finds for the query.",
    "query,answer\nHow do I reset it?,Hold the button for ten seconds.",
)
FORMATS = (TRIPLET, LABELLED, PAIR)
