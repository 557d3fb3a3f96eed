"""Sentence transformers: the five data formats and their columns. Light, like the declaration of the task."""

from __future__ import annotations

from dataclasses import replace

from autotrain_gradio.data.catalog import LABEL, SENTENCE, SIMILARITY
from autotrain_gradio.data.declarations import Column, Format

_FOLDER = "autotrain_gradio.tasks.sentence_transformers."

RELATION = replace(LABEL, module=_FOLDER + "relation")
"""How two texts are related; recognized by its name only, since any column of categories could be meant."""

FIRST, SECOND, THIRD, TARGET = "sentence1", "sentence2", "sentence3", "target"
"""The roles, with AutoTrain's names."""

_PAIR_FIRST = ("anchor", "sentence1", "sentence_1", "sentence_a", "text1", "text_1", "text_a", "premise", "query")
_PAIR_SECOND = ("positive", "sentence2", "sentence_2", "sentence_b", "text2", "text_2", "text_b", "hypothesis")


def _sentence(role: str, title: str, help: str, names: tuple[str, ...], *, found: bool = False) -> Column:
    """Return a column of texts. found: it is what a search should find."""
    return Column(role, title, SENTENCE, help, purpose="target" if found else "input", names=names)


TRIPLET = Format(
    "triplet",
    "Anchor, positive and negative",
    (
        _sentence(FIRST, "Anchor", "A text, such as a question.", _PAIR_FIRST + ("question",)),
        _sentence(
            SECOND,
            "Positive",
            "A text that is to be close to the anchor.",
            (*_PAIR_SECOND, "answer", "pos", "positives", "positive_passage"),
            found=True,
        ),
        _sentence(
            THIRD,
            "Negative",
            "A similar text that is to be less close to the anchor.",
            (
                *("negative", "sentence3", "sentence_3", "text3", "hard_negative", "neg", "negative_passage"),
                *("negative_1", "negatives", "hard_negatives"),
            ),
            found=True,
        ),
    ),
    "Embeddings move towards the positive and away from the negative and from the other rows of the batch.",
    "anchor,positive,negative\nHow do I reset it?,Hold the button for ten seconds.,The button is on the left.",
)
PAIR_SCORE = Format(
    "pair_score",
    "Two texts and their similarity",
    (
        _sentence(FIRST, "First text", "A text.", _PAIR_FIRST + ("question1",)),
        _sentence(SECOND, "Second text", "The text it is compared with.", _PAIR_SECOND + ("question2",)),
        Column(
            TARGET,
            "Similarity",
            SIMILARITY,
            "How similar the two texts are, from 0 to 1; other ranges, such as 0 to 5, are rescaled.",
            purpose="target",
            names=(
                "score",
                "similarity_score",
                "similarity",
                "relatedness_score",
                "gold_score",
                "human_score",
                "target",
                "label",
            ),
        ),
    ),
    "Embeddings of similar texts move together, in the order of the scores.",
    "sentence1,sentence2,score\nA man plays a flute.,Somebody makes music.,0.8",
    _FOLDER + "pair_score",
)
PAIR_CLASS = Format(
    "pair_class",
    "Two texts and their relation",
    (
        _sentence(FIRST, "First text", "A text, such as a premise.", _PAIR_FIRST + ("question1",)),
        _sentence(
            SECOND, "Second text", "The text it is compared with, such as a hypothesis.", _PAIR_SECOND + ("question2",)
        ),
        Column(
            TARGET,
            "Relation",
            RELATION,
            "The class of the pair, such as entailment, neutral or contradiction.",
            purpose="target",
            names=("label", "gold_label", "relation", "target", "class", "label_text", "is_duplicate", "entailment"),
        ),
    ),
    "Embeddings move so that a classifier can tell the relation of two texts from theirs.",
    "premise,hypothesis,label\nA man plays a flute.,Somebody makes music.,entailment",
    _FOLDER + "pair_class",
)
QA = Format(
    "qa",
    "Query and answer",
    (
        _sentence(FIRST, "Query", "A question, or the words of a search.", ("query", "question", "search", "title")),
        _sentence(
            SECOND,
            "Answer",
            "The text that answers it.",
            ("answer", "passage", "document", "response", "context", "text", "abstract", "positive", "content"),
            found=True,
        ),
    ),
    "A search with a query finds its answer among all answers.",
    "query,answer\nHow do I reset it?,Hold the button for ten seconds.",
)
PAIR = Format(
    "pair",
    "Anchor and positive",
    (
        _sentence(FIRST, "Anchor", "A text.", _PAIR_FIRST),
        _sentence(SECOND, "Positive", "A text that is to be close to the anchor.", _PAIR_SECOND, found=True),
    ),
    "Embeddings move towards the positive and away from the other rows of the batch.",
    "anchor,positive\nA man plays a flute.,Somebody makes music.",
)
FORMATS = (TRIPLET, PAIR_SCORE, PAIR_CLASS, PAIR, QA)
RETRIEVAL = frozenset({"triplet", "qa", "pair"})
"""Names of the formats that train a search: the others have a target of their own."""
