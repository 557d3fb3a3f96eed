"""Lists in cells: those of tokens and tags, and spans, as programs write them."""

from __future__ import annotations

from typing import Any

import pytest

from autotrain_gradio.tasks.token_classification.cell_lists import Span, Truncated, flat, parse_list, spans_of

PER, LOC = Span(0, 4, "PER"), Span(14, 18, "LOC")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("['EU', \"Peter's\", ',']", ["EU", "Peter's", ","]),
        ('["EU", "Peter\'s", "\\u00e9"]', ["EU", "Peter's", "é"]),
        ("['EU' 'rejects'\n 'German' \"Peter's\"]", ["EU", "rejects", "German", "Peter's"]),
        ("array(['a', 'b'], dtype=object)", ["a", "b"]),
        ("[3 0 7]", [3, 0, 7]),
        ("[3, 0, 7]", [3, 0, 7]),
        ("('a', 'b')", ["a", "b"]),
        ("[B-PER, O, O]", ["B-PER", "O", "O"]),
        ("[B-PER O]", ["B-PER", "O"]),
        ("['a', None, nan]", ["a", None, None]),
        ("[]", []),
        ("['[', ']', \"(\", '...']", ["[", "]", "(", "..."]),
    ],
)
def test_flat_lists(text: str, items: list[Any]) -> None:
    assert parse_list(text) == items


@pytest.mark.parametrize("text", ["a text", "", "[1] Smith et al.", "['a'", "{'a', 'b'}x", "[" * 5000])
def test_texts_that_are_no_lists(text: str) -> None:
    assert parse_list(text) is None


def test_lists_without_quotation_marks_are_texts_where_tokens_are_expected() -> None:
    assert parse_list("[deleted]", bare=False) is None and parse_list("['deleted']", bare=False) == ["deleted"]


def test_numpy_leaves_items_out() -> None:
    with pytest.raises(Truncated):
        parse_list("['a' 'b' ... 'z']")


@pytest.mark.parametrize(
    "cell",
    [
        [[0, 4, "PER"], [14, 18, "LOC"]],
        [["PER", 0, 4], ["LOC", 14, 18]],
        [("0", "4", "PER"), ("14", "18", "LOC")],
        {"entities": [[0, 4, "PER"], [14, 18, "LOC"]]},
        [{"entities": [[0, 4, "PER"], [14, 18, "LOC"]]}],
        [{"start": 0, "end": 4, "label": "PER"}, {"start": 14, "end": 18, "label": "LOC"}],
        [{"start_offset": 0, "end_offset": 4, "label": "PER"}, {"start_offset": 14, "end_offset": 18, "label": "LOC"}],
        [{"start": 0, "end": 4, "labels": ["PER"]}, {"start": 14.0, "end": 18.0, "labels": ["LOC"]}],
        [{"value": {"start": 0, "end": 4, "labels": ["PER"]}}, {"value": {"start": 14, "end": 18, "labels": ["LOC"]}}],
        {"start": [0, 14], "end": [4, 18], "label": ["PER", "LOC"]},
    ],
)
def test_spans(cell: Any) -> None:
    assert spans_of(cell) == ([PER, LOC], 0)
    assert spans_of(parse_list(str(cell))) == ([PER, LOC], 0)


def test_one_span_and_damaged_spans() -> None:
    assert spans_of([0, 4, "PER"]) == ([PER], 0)
    assert spans_of([]) == ([], 0)
    assert spans_of([[0, 4, "PER"], [3, "X"], {"label": "X"}, {"start": 1, "end": 2, "label": None}]) == ([PER], 3)
    assert spans_of(["B-PER", "O"]) is None and spans_of("text") is None
    assert spans_of([{"start": 0, "end": 4, "label": "PER", "text": "Anna"}]) == ([PER._replace(text="Anna")], 0)


def test_nested_lists_of_tags() -> None:
    assert flat(["['B-PER', 'O']"]) == ["B-PER", "O"] == flat([["B-PER", "O"]]) == flat([["B-PER"], ["O"]])
    assert flat([["B-PER", "I-PER"], ["O"]]) is None and flat([{"a": 1}]) is None
