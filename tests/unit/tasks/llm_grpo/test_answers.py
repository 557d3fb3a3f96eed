"""Final answers: found by their markers, and compared whatever their notation."""

from __future__ import annotations

import pytest

from autotrain_gradio.tasks.llm_grpo.answers import find_answer, same_answer


@pytest.mark.parametrize(
    ("text", "marker", "answer"),
    [
        (r"So \boxed{\frac{1}{2}} and then \boxed{x^{2}}.", "boxed", "x^{2}"),
        (r"\boxed{12} \boxed{not closed", "boxed", "12"),
        (r"} \boxed{a{b}} {c} \fbox{d}", "boxed", "d"),
        ("<answer>1</answer> <ANSWER>2</Answer> <answer>3", "tags", "2"),
        ("<answer> 4 </answer> no, <answer>5</answer>", "tags", "5"),
        ("first #### 1\nthen #### 72\n", "hashes", "72"),
        ("from 3 to 1,250.5 apples", "last_number", "1,250.5"),
        ("plain", "auto", "plain"),
        ("steps\n#### 7", "auto", "7"),
        ("no marker", "boxed", None),
        ("no number", "last_number", None),
    ],
)
def test_markers(text: str, marker: str, answer: str | None) -> None:
    found = find_answer(text, marker)
    assert (found and found.strip()) == answer


@pytest.mark.parametrize(
    ("completion", "reference", "same"),
    [
        ("1,234", "1234.0", True),
        ("$5.50", "5.5", True),
        ("50%", "50", True),
        (r"\frac{1}{2}", "0.5", True),
        (r"\boxed{3/4}", "0.75", True),
        (" Paris. ", '"paris"', True),
        ("The  Eiffel\nTower", "the eiffel tower", True),
        ("12", "so it is\n#### 12", True),
        ("1/0", "1/0", True),
        ("", "0", False),
        ("12", "13", False),
        ("Paris, France", "Paris", False),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_answers_are_compared_by_their_value(completion: str, reference: str, same: bool) -> None:
    assert same_answer(completion, reference, "auto") is same


def test_a_missing_marker_is_no_answer() -> None:
    assert not same_answer("12", "12", "boxed") and same_answer(r"\boxed{12}", "12", "boxed")


@pytest.mark.timeout(20)
def test_thousands_of_markers_are_read_once() -> None:
    assert find_answer(r"\boxed{" * 50_000, "boxed") is None
    assert find_answer("<answer>" * 50_000, "tags") is None
    assert find_answer("<answer>" * 50_000 + "1</answer>", "tags") == "1"
