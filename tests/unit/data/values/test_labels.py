"""Names of classes: which numbers are one class, and which names a person would read as the same."""

from __future__ import annotations

import pytest

from autotrain_gradio.data.values.labels import canonical, canonical_mapping, spelling


@pytest.mark.parametrize(
    "name, wanted",
    [("0.0", "0"), ("1.", "1"), ("-1.00", "-1"), ("-0.0", "0"), ("10", "10"), ("+1.0", "+1"), ("007", "007")],
)
def test_whole_numbers_are_one_class_however_they_are_written(name: str, wanted: str) -> None:
    assert canonical(name) == wanted


@pytest.mark.parametrize("name", ["4.5", "1.10", "v1.0", "1.0 ", "A.0", "1,0", "+", "-", "", ".0", "1e3", "١.٠x"])
def test_other_names_stay_exactly_as_they_are(name: str) -> None:
    assert canonical(name) == name


def test_a_mapping_of_labels_written_for_1_0_applies_to_1() -> None:
    assert canonical_mapping({"1.0": "one", "x": None}) == {"1": "one", "x": None}


@pytest.mark.parametrize(
    "one, other",
    [
        ("Cat", "cat"),
        ("cat ", "cat"),
        ("Dog_house", "dog house"),
        ("sugar beet", "Sugarbeet"),
        ("covid-19", "COVID 19"),
        ("e-mail", "email"),
        ("Caf\u00e9", "cafe\u0301"),
        ("U.S.A", "USA"),
        ("class_1", "class 1"),
    ],
)
def test_names_that_are_spelled_alike(one: str, other: str) -> None:
    assert spelling(one) == spelling(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("A", "A-"),
        ("A+", "A"),
        ("1.1", "11"),
        ("-1", "1"),
        ("+", "-"),
        ("C", "C++"),
        ("C#", "C"),
        ("1-2", "12"),
        ("1 2", "12"),
        ("score -1", "score 1"),
        ("1.5-2", "15-2"),
        ("type 1.1", "type 11"),
        ("B-", "B+"),
        (".", "-"),
        ("--", "-"),
        ("v1_2", "v12"),
    ],
)
def test_signs_that_carry_meaning_are_not_a_matter_of_spelling(one: str, other: str) -> None:
    assert spelling(one) != spelling(other)
