"""Schemes of tags: detected, converted to spans, repaired and counted."""

from __future__ import annotations

import random

import pytest
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from autotrain_gradio.tasks.token_classification.tags import tag_set

SPANS = [(0, 1, "PER"), (2, 2, "PER"), (4, 6, "LOC")]
WRITTEN = {
    "IOB1": "I-PER I-PER B-PER O I-LOC I-LOC I-LOC",
    "IOB2": "B-PER I-PER B-PER O B-LOC I-LOC I-LOC",
    "BIOES": "B-PER E-PER S-PER O B-LOC I-LOC E-LOC",
    "BILOU": "B-PER L-PER U-PER O B-LOC I-LOC L-LOC",
}


@pytest.mark.parametrize("scheme", WRITTEN)
@pytest.mark.parametrize("form", ["prefix", "suffix", "underscore", "lower"])
def test_every_scheme_gives_the_same_spans(scheme: str, form: str) -> None:
    tags = WRITTEN[scheme].split()
    if form == "suffix":
        tags = [t if t == "O" else "-".join(reversed(t.split("-"))) for t in tags]
    elif form == "underscore":
        tags = [t.replace("-", "_") for t in tags]
    elif form == "lower":
        tags = [t if t == "O" else t[0].lower() + t[1:] for t in tags]
    found = tag_set([tags])
    assert found.scheme == scheme
    assert found.spans(tags) == (SPANS, 0)


@pytest.mark.parametrize(("name", "scheme"), [("IOB1", IOB1), ("IOB2", IOB2), ("BIOES", IOBES), ("BILOU", BILOU)])
def test_random_spans_are_those_of_seqeval(name: str, scheme: type) -> None:
    draw = random.Random(name)
    for _ in range(200):
        tags, before = [], ""
        for _ in range(draw.randint(0, 5)):
            if draw.random() < 0.5:
                tags.append("O")
                before = ""
            size, kind = draw.randint(1, 3), draw.choice(("PER", "LOC"))
            if name == "IOB1":
                part = ["B" if kind == before else "I", *"I" * (size - 1)]
            elif name == "IOB2":
                part = ["B", *"I" * (size - 1)]
            else:
                last, single = ("E", "S") if name == "BIOES" else ("L", "U")
                part = [single] if size == 1 else ["B", *"I" * (size - 2), last]
            tags += [f"{letter}-{kind}" for letter in part]
            before = kind
        found, repairs = tag_set([tags], name).spans(tags)
        wanted = [(e.start, e.end - 1, e.tag) for e in Entities([tags], scheme=scheme).entities[0]] if tags else []
        assert (found, repairs) == (wanted, 0), tags


@pytest.mark.parametrize(
    ("tags", "scheme", "spans", "repairs"),
    [
        ("B-PER O I-LOC I-PER", "IOB2", [(0, 0, "PER"), (2, 2, "LOC"), (3, 3, "PER")], 2),
        ("B-PER MISC O B-X", "IOB2", [(0, 0, "PER"), (1, 1, "MISC"), (3, 3, "X")], 1),
        ("B-PER O S-LOC", "BIOES", [(0, 0, "PER"), (2, 2, "LOC")], 1),  # it does not end
        ("E-PER O S-LOC", "BIOES", [(0, 0, "PER"), (2, 2, "LOC")], 1),  # it does not begin
        ("B-PER L-LOC", "BILOU", [(0, 0, "PER"), (1, 1, "LOC")], 2),
        ("S-A S-A B-A E-A I-A", "BIOES", [(0, 0, "A"), (1, 1, "A"), (2, 3, "A"), (4, 4, "A")], 2),
    ],
)
def test_invalid_sequences_are_repaired_and_counted(tags: str, scheme: str, spans: list, repairs: int) -> None:
    found = tag_set([tags.split()])
    assert (found.scheme, found.spans(tags.split())) == (scheme, (spans, repairs))


def test_tags_without_prefixes() -> None:
    found = tag_set([["PER", "PER", "O", "LOC"]])
    assert (found.scheme, found.spans(["PER", "PER", "O", "LOC"])) == ("plain", ([(0, 1, "PER"), (3, 3, "LOC")], 0))
    speech = ["NOUN", "NOUN", "VERB"]
    found = tag_set([speech])
    assert (found.scheme, found.spans(speech)) == ("each", ([(0, 0, "NOUN"), (1, 1, "NOUN"), (2, 2, "VERB")], 0))
    assert tag_set([speech], "plain").spans(speech)[0] == [(0, 1, "NOUN"), (2, 2, "VERB")]
    assert tag_set([["B", "I", "O", "B"]]).spans(["B", "I", "O", "B"])[0] == [(0, 1, "ENTITY"), (3, 3, "ENTITY")]
    assert tag_set([["_", "_", "B-PER"]]).spans(["_", "_", "B-PER"])[0] == [(2, 2, "PER")]
    assert tag_set([]).spans([]) == ([], 0)
