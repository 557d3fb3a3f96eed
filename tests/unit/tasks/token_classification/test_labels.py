"""Labels become entities as in seqeval, and metrics are those of seqeval."""

from __future__ import annotations

import random

import numpy as np
import pytest
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2

from autotrain_gradio.tasks.token_classification.evaluation import (
    BORDER,
    BOTH,
    MISSED,
    SPURIOUS,
    TYPE,
    EntityCounts,
    kind_of_mistakes,
)
from autotrain_gradio.tasks.token_classification.labels import Entity, TagLabels, merge_windows

LABELS = TagLabels.of_types(["PER", "LOC", "B-X"])


def found(tags: list[str]) -> list[Entity]:
    """Return the entities of tags; their offsets are numbers of words."""
    codes, places = np.array([LABELS.names.index(t) for t in tags]), np.arange(len(tags))
    return LABELS.entities(codes, np.ones(len(tags)), np.stack([places, places], axis=1))


def sequences(seed: int, count: int) -> list[list[str]]:
    draw = random.Random(seed)
    names = [n for n in LABELS.names if "B-X" not in n]
    return [draw.choices(names, weights=(4, 2, 2, 2, 2), k=draw.randint(1, 12)) for _ in range(count)]


def test_labels_and_entities() -> None:
    assert LABELS.names == ("O", "B-B-X", "I-B-X", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert LABELS.types == ["B-X", "LOC", "PER"] and LABELS.begin["B-X"] == 1 and LABELS.inside["LOC"] == 4
    for tags in sequences(0, 300):
        assert [(e.label, e.start, e.end) for e in found(tags)] == get_entities(tags), tags
    assert [e.begun for e in found(["I-PER", "O", "B-LOC", "I-LOC"])] == [False, True]
    assert found([]) == []


def test_metrics_are_those_of_seqeval() -> None:
    true, predicted = ([*sequences(1, 200)], [])
    draw = random.Random(2)
    for tags in true:
        predicted.append([draw.choice(LABELS.names[3:]) if draw.random() < 0.3 else t for t in tags])
    # Annotations are valid IOB2: each entity begins with B-.
    true = [
        [t.replace("I-", "B-") if t[0] == "I" and (i == 0 or row[i - 1][2:] != t[2:]) else t for i, t in enumerate(row)]
        for row in true
    ]
    counts = EntityCounts()
    for gold, guess in zip(true, predicted, strict=True):
        spans = [{"start": e.start, "end": e.end, "label": e.label} for e in found(gold)]
        counts.add(spans, found(guess))
    values = counts.metrics()
    for name, measure in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert values[name] == pytest.approx(measure(true, predicted))
        strict = measure(true, predicted, mode="strict", scheme=IOB2)
        assert values[f"{name}_strict"] == pytest.approx(strict) and strict != values[name]
    assert values["f1_macro"] == pytest.approx(f1_score(true, predicted, average="macro"))
    each = dict(zip(["LOC", "PER"], f1_score(true, predicted, average=None), strict=True))
    assert {row[0]: row[3] for row in counts.rows()} == pytest.approx(each, abs=1e-4)
    assert EntityCounts().metrics()["f1"] == 0


def test_mistakes_are_sorted_by_kind() -> None:
    gold = [
        {"start": a, "end": b, "label": n}
        for a, b, n in ((0, 4, "PER"), (10, 20, "LOC"), (30, 40, "PER"), (50, 60, "X"))
    ]
    guess = [Entity(0, 4, "LOC", 0.9), Entity(12, 20, "LOC", 0.8), Entity(35, 44, "LOC", 0.7), Entity(70, 75, "X", 0.6)]
    assert kind_of_mistakes(gold, guess) == [
        (TYPE, 0, 0),
        (BORDER, 1, 1),
        (BOTH, 2, 2),
        (MISSED, 3, None),
        (SPURIOUS, None, 3),
    ]
    assert kind_of_mistakes(gold[:1], [Entity(0, 4, "PER", 1.0)]) == []
    # One annotated entity of which two parts are predicted.
    parts = [Entity(10, 14, "LOC", 0.9), Entity(15, 20, "LOC", 0.9)]
    assert kind_of_mistakes(gold[1:2], parts) == [(BORDER, 0, 0), (SPURIOUS, None, 1)]


def test_of_overlapping_entities_of_windows_the_longest_is_kept() -> None:
    whole, part = Entity(10, 20, "LOC", 0.5, length=10), Entity(10, 14, "LOC", 0.9, length=4)
    assert merge_windows([[Entity(0, 3, "PER", 1), part], [whole, Entity(30, 33, "PER", 1)]]) == [
        Entity(0, 3, "PER", 1),
        whole,
        Entity(30, 33, "PER", 1),
    ]
    assert merge_windows([[part], []]) == [part] and merge_windows([[]]) == []
