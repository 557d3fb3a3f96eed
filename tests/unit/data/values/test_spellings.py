"""Which spellings of a category are the same, and which columns hold boolean values."""

from __future__ import annotations

import pyarrow as pa
import pytest

from autotrain_gradio.data.values.arrow_columns import encode
from autotrain_gradio.data.values.spellings import Spellings, merge_truth_values, truth_spellings, truth_value, visible


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Basic", "Basic"),
        ("BASIC", "Basic"),
        (" basic ", "Basic"),
        ("Café  noir", "Cafe\u0301 noir"),
        ("CAFÉ\u00a0NOIR", "Cafe\u0301 noir"),
        ("ＢＡＳＩＣ", "Basic"),
        ("7", "007"),
        ("007", "007"),
        ("2.50", "2,5"),
        ("Basics", None),
        ("berlin", None),
        ("BERLIN", "BERLIN"),
        ("Berlin", "Berlin"),
        ("A", "A"),
        ("A-", "A-"),
        ("1.1", None),
        ("11", "11"),
        ("true", None),
    ],
)
def test_a_category_is_found_unless_two_are_meant(text: str, category: str | None) -> None:
    known = ["Basic", "Cafe\u0301 noir", "007", "2,5", "BERLIN", "Berlin", "A", "A-", "11"]
    assert Spellings(known).find(text) == category


@pytest.mark.parametrize(
    "known", [("yes", "no"), ("TRUE", "FALSE"), ("1", "0"), ("Ja", "Nein"), ("T", "F"), ("y", "n")]
)
def test_truth_values_are_found_in_every_spelling(known: tuple[str, str]) -> None:
    spellings = Spellings(known)
    for true, false in (
        ("True", "False"),
        ("TRUE", "FALSE"),
        ("1", "0"),
        ("1.0", "0.0"),
        ("yes", "no"),
        ("wahr", "falsch"),
    ):
        assert (spellings.find(true), spellings.find(false)) == known


@pytest.mark.parametrize(
    "known", [("yes", "no", "maybe"), ("true",), ("no", "none"), ("f", "m"), ("n", "no"), ("1", "2"), ("t", "n")]
)
def test_other_categories_are_no_truth_values(known: tuple[str, ...]) -> None:
    assert truth_spellings(dict.fromkeys(known, 1)) == {}
    assert Spellings(known).find("falsch") is None


def test_one_spelling_is_kept_for_each_truth_value() -> None:
    values, codes = encode(pa.chunked_array([["TRUE", "True", None], ["1", "False", "TRUE", "0", "False"]]))
    assert values.to_pylist() == ["TRUE", "True", "1", "False", "0"]
    assert merge_truth_values(values, codes).to_pylist() == ["TRUE", "TRUE", "TRUE", "False", "False"]
    for plain in (["yes", "no"], ["A", "B", "true"], [f"{n}" for n in range(20)], []):
        values, codes = encode(pa.chunked_array([plain], pa.string()))
        assert merge_truth_values(values, codes) is values


def test_truth_values_alone() -> None:
    assert truth_value(" WAHR ") is True and truth_value("0.0") is False and truth_value("2") is None


def test_names_differ_only_visibly() -> None:
    assert visible("Gro\u0308ße\u00a0 x ") == "Größe x" and visible("Rooms") != visible("rooms")
