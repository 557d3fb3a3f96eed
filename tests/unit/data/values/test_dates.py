"""Dates of text: days that there are not, and words that a library would take for dates near today."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from autotrain_gradio.data.values import dates


@pytest.mark.parametrize("text", ["31/02/2024", "2023-02-29", "31.04.2024", "32.01.2024", "31 Feb 2024", "20240231"])
def test_a_day_outside_the_calendar_is_invalid(text: str) -> None:
    found = dates.parse(pa.chunked_array([[text, "2024-05-31"]]))
    assert found.unreadable.tolist() == [True, False] and np.isnat(found.values[0])


@pytest.mark.parametrize("text", ["12", "May", "A4", "today", "in 3 days", "1.2.3", "3/4", "sun", "2024", "10.5"])
def test_words_and_plain_numbers_are_not_parsed_as_dates(text: str) -> None:
    assert dates.parse(pa.chunked_array([[text]])).unreadable.tolist() == [True]


def test_every_row_of_a_repeated_date_is_counted() -> None:
    column = pa.chunked_array([["05/06/2024"] * 3 + ["13/06/2024", None, " 05/06/2024 ", "2024-06-05T10:00+02:00"]])
    found = dates.parse(column)
    assert found.ways == {dates.DAY_FIRST: 5, "2024-05-31": 1} and found.zones == {"+02:00": 1}
    assert found.missing.tolist() == [False] * 4 + [True, False, False] and not found.unclear
    assert str(found.values[5])[:10] == "2024-06-05" and str(found.values[6])[:16] == "2024-06-05T08:00"
