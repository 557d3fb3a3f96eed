"""Cells of tables one by one: numbers and dates as people write them."""

from __future__ import annotations

import datetime
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from autotrain_gradio import data
from autotrain_gradio.data.values import dates, numbers
from tests.unit.data.conftest import finding
from tests.unit.data.test_columns_of_tables import BASE, check, kinds


@pytest.mark.parametrize(
    "cells, wanted",
    [
        (["1", " 2.5 ", "-3", "+4", "1e3", ".5", "7."], [1, 2.5, -3, 4, 1000, 0.5, 7]),
        (["1,5", "1234,25", "1.234,5"], [1.5, 1234.25, 1234.5]),
        (["1,234", "1,234,567.5"], [1234, 1234567.5]),
        (["1,234", "2,5"], [1.234, 2.5]),
        (["0,532", "1,234"], [0.532, 1.234]),
        (["1 234,5", "5"], [1234.5, 5]),
    ],
)
def test_decimal_commas_and_thousands_separators_are_parsed(cells: list[str], wanted: list[float]) -> None:
    found = numbers.parse(pa.chunked_array([cells]))
    assert found.values.tolist() == wanted and not found.unreadable.any()


def test_invalid_missing_and_infinite_cells_are_marked() -> None:
    cells = ["x", "12 kg", "", None, "N/A", "nan", "inf", "1,2,3", "0x10", "1_000", "٣"]
    found = numbers.parse(pa.chunked_array([pa.array(cells)]))
    assert np.isnan(found.values).all() and found.words == 2
    assert found.unreadable.tolist() == [True, True, *[False] * 5, True, True, True, True]
    assert found.missing.tolist() == [False, False, True, True, True, True, *[False] * 5]
    assert found.infinite.tolist() == [False] * 6 + [True] + [False] * 4


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_parsed_as_python_parses_them(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.choice([rng.uniform(-1e6, 1e6), float(rng.randint(-9, 9)), rng.random() * 1e-9]) for _ in range(50)]
    for column in (pa.array([repr(v) for v in values]), pa.array(values)):
        assert numbers.parse(pa.chunked_array([column])).values.tolist() == values
    mixed = [repr(v) if rng.random() < 0.9 else "?" for v in values]
    found = numbers.parse(pa.chunked_array([pa.array(mixed)]))
    assert [None if math.isnan(v) else v for v in found.values] == [None if m == "?" else float(m) for m in mixed]


def test_dates_with_and_without_times_are_parsed() -> None:
    cells = [
        "2024-05-31",
        "2024/5/1",
        "31.5.2024 10:30",
        "2024-05-31T10:30:15.5+02:00",
        "3 May 2024",
        "",
        None,
        "May",
        "2024-13-01",
    ]
    found = dates.parse(pa.chunked_array([pa.array(cells)]))
    assert [None if np.isnat(v) else v.item() for v in found.values] == [
        datetime.datetime(2024, 5, 31),
        datetime.datetime(2024, 5, 1),
        datetime.datetime(2024, 5, 31, 10, 30),
        datetime.datetime(2024, 5, 31, 8, 30, 15),
        datetime.datetime(2024, 5, 3),
        *[None] * 4,
    ]
    assert found.missing.tolist() == [False] * 5 + [True, True, False, False]
    assert found.unreadable.tolist() == [False] * 7 + [True, True]


def test_dates_with_names_of_months_short_years_and_half_days() -> None:
    cells = [
        "3 December 2023",
        "May 3, 2024",
        "1.2.99",
        "31/12/24",
        "13/5/2024 12:05 AM",
        "13/5/24 1:05:09 pm",
        "May 2024",
    ]
    found = dates.parse(pa.chunked_array([cells]))
    assert [None if np.isnat(v) else str(v)[:19] for v in found.values] == [
        *("2023-12-03T00:00:00", "2024-05-03T00:00:00", "1999-02-01T00:00:00", "2024-12-31T00:00:00"),
        *("2024-05-13T00:05:00", "2024-05-13T13:05:09", None),
    ]


def test_times_with_a_zone_are_converted_to_utc() -> None:
    cells = ["2024-05-31T10:30:00Z", "2024-05-31 10:30+0530", "31.05.2024 23:30:00.5 -02", "2024-05-31 10:30 UTC"]
    cells += [
        "31/05/2024 01:00:00-03:30",
        "2024-05-31 10:30 +00:00",
        "2024-05-31 10:30",
        "2024-05-31 10:30+15:00",
        None,
    ]
    found = dates.parse(pa.chunked_array([cells]))
    assert [None if np.isnat(v) else str(v)[5:16] for v in found.values] == [
        *("05-31T10:30", "05-31T05:00", "06-01T01:30", "05-31T10:30"),
        *("05-31T04:30", "05-31T10:30", "05-31T10:30", None, None),
    ]
    assert found.zones == {"UTC": 3, "+05:30": 1, "-02:00": 1, "-03:30": 1}
    moment = datetime.datetime(2024, 5, 31, 10, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    typed = dates.parse(pa.chunked_array([pa.array([moment, None], pa.timestamp("us", "Europe/Berlin"))]))
    assert typed.values[0].item().hour == 8 and typed.zones == {"Europe/Berlin": 1}
    assert not dates.parse(pa.chunked_array([["2024-05-31 10:30"]])).zones


def test_time_zones_are_reported(draft: Path) -> None:
    columns = {
        **BASE,
        "when": lambda i: f"2024-05-{i % 28 + 1:02} 10:00:00" + ("+02:00", "-05:00", "Z", "")[i % 4],
        "plain": lambda i: f"2024-05-{i % 28 + 1:02}T10:00:00Z",
        "none": lambda i: f"2024-05-{i % 28 + 1:02} 10:00",
    }
    result = check(draft, columns)
    found = finding(result, "time-zones")
    assert found["level"] == "info" and "'plain'" not in found["message"] and "'none'" not in found["message"]
    for part in ("'when'", "+02:00: 15", "-05:00: 15", "UTC: 15", "without a time zone, assumed to be UTC: 15"):
        assert part in found["message"]
    hours = {r["features:when"].hour for part in data.load(draft).values() for r in part}
    assert hours == {8, 15, 10}


def test_order_of_day_and_month_is_inferred_from_all_rows() -> None:
    def read(*cells: str) -> list[Any]:
        return [
            None if np.isnat(v) else (v.item().day, v.item().month)
            for v in dates.parse(pa.chunked_array([cells])).values
        ]

    assert read("01/02/2024", "13/02/2024") == [(1, 2), (13, 2)]
    assert read("01/02/2024", "02/13/2024") == [(2, 1), (13, 2)]
    assert read("01/02/2024", "02/13/2024", "02/14/2024", "13/02/2024") == [(2, 1), (13, 2), (14, 2), (13, 2)]
    assert dates.parse(pa.chunked_array([["01/02/2024"]])).unclear


NUMBERS = (
    "1| 2.5 |-3|+4|1e3|.5|7.|1,5|1.234,5|1,234.5|1 234,5|1'234.5|−5|inf|-Infinity|12 kg|€ 5|5 €|$1,200.50|US$ 12|EUR 12"
    "|-€5|€-5|Rs. 12|kr 5|Fr. 5|30%|(1.23)|($1.23)|€ (5)|(5) €|1.23-|12,-|12.--|5,– €|5 m²|+.5|CHF 1'200.-|1 234 €"
)


def test_every_notation_of_a_number_is_parsed() -> None:
    for cell in NUMBERS.split("|"):
        found = numbers.parse(pa.chunked_array([[cell] * 12]), unit=None, brackets=True)
        assert found.infinite.all() or not np.isnan(found.values).any(), cell
    for word in (*numbers.WORDS, *numbers.ERRORS):
        assert numbers.parse(pa.chunked_array([[word.upper()]])).missing.all(), word
    for text in ("city12", "note 12", "yes", "x 5"):
        assert numbers.parse(pa.chunked_array([[text] * 12]), unit=None, brackets=None).unreadable.all(), text


@pytest.mark.parametrize("share, kind", [(0.95, "number"), (0.85, "category")])
def test_a_column_is_numeric_if_nearly_all_of_its_cells_are(draft: Path, share: float, kind: str) -> None:
    check(draft, {**BASE, "it": lambda i: f"{i % 7}.5" if i % 20 < 20 * share else "pending"})
    assert kinds(draft)["it"] == kind


def test_every_notation_of_a_date_is_detected() -> None:
    written = (
        *("2024-05-31", "2024/5/1", "31.5.2024 10:30", "2024-05-31T10:30:15.5+02:00", "3 May 2024", "3 December 2023"),
        *(
            "May 3, 2024",
            "1.2.99",
            "31/12/24",
            "13/5/2024 12:05 AM",
            "31-05-2024",
            " 2024-05-31 ",
            "1/2/2024 1:05:09 pm",
        ),
    )
    for cell in written:
        assert not np.isnat(dates.parse(pa.chunked_array([[cell]])).values[0]), cell
        assert dates.looks_like_dates(pa.chunked_array([[cell] * 20])), cell
    assert not dates.looks_like_dates(pa.chunked_array([["2024-05-31"] * 9 + ["soon"]]))
    assert dates.looks_like_dates(pa.chunked_array([["2024-05-31"] * 19 + ["soon"]]))
    assert not dates.looks_like_dates(pa.chunked_array([["20240531"] * 20]))  # more often a number
