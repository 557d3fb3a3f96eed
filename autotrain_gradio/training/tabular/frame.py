"""From the dataset's columns to a data frame, and from what a person gives at prediction time to the same."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from datasets import Dataset

from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.arrow_columns import as_text

FEATURES = "features:"
FORM = "form.json"
LARGEST = 1e30
"""Numbers are cut to this size: estimators compute in 32 bits, and square them."""
CHOICES = 30
"""Categories that a form offers; with more of them it has a field to type in, and names none: they may be names or
addresses of people, and the form is published with the model."""
TIMES = 3
"""Rows that a category must have, on average, for a column's categories to be offered: others are as good as ids."""
LISTED = 12
NOTHING: Mapping[str, str] = {}
MISSING = frozenset((*numbers.WORDS, *numbers.ERRORS))


@dataclass(frozen=True)
class Feature:
    """A column that the model has learnt from.

    kind: `number`, `category`, `date` or `text`. typical: the median of a number or date (ISO 8601), the most frequent
    category; None where nothing was filled in, for texts, and where categories are not named. low, high: of numbers
    and dates. choices: the categories, the most frequent first, where there are few. distinct: how many there are.
    whole: all numbers are whole. missing: some cells were empty. reading: how cells were read that could be read in
    two ways, and so how they are read at any time: `decimal`, `thousands` or `both` for numbers (`numbers.parse`);
    `day` or `month` for what is first in 01/02/2024. unit: of numbers, where cells had one; others may lack it.
    """

    name: str
    kind: str
    typical: Any = None
    low: Any = None
    high: Any = None
    choices: list[str] = field(default_factory=list)
    distinct: int = 0
    whole: bool = False
    missing: bool = False
    reading: str = ""
    unit: str = ""

    @property
    def example(self) -> Any:
        """What is typical as a table may hold it: where points stand between thousands, with a decimal comma."""
        comma = isinstance(self.typical, float) and self.reading == "decimal"
        return repr(self.typical).replace(".", ",") if comma else self.typical


@dataclass(frozen=True)
class Form:
    """What a model was trained on: the columns that it wants, and what it predicts.

    targets: `{"name", "labels", "unit"}` each; labels is None for a number, unit "" where there is none.
    multi_label: the targets are labels of one column.
    """

    features: list[Feature]
    targets: list[dict[str, Any]]
    task: str
    multi_label: bool = False

    def write(self, folder: Path) -> None:
        """Write it beside the model."""
        write_json(folder / FORM, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Form:
        """Read it.

        Raises:
            UserError: it is missing or damaged.
        """
        found = read_json(folder / FORM)
        try:
            assert found is not None
            return cls(**{**found, "features": [Feature(**f) for f in found["features"]]})
        except (AssertionError, KeyError, TypeError):
            raise UserError(
                f"The model's {FORM} is missing or damaged.", "Train it again.", str(folder / FORM), "damaged-model"
            ) from None


def kinds_of(part: Dataset) -> dict[str, str]:
    """Return column → `number`, `date` or `text` by its type, for a manifest that does not say."""
    found = {}
    for column in part.column_names:
        if column.startswith(FEATURES):
            type_ = part.data.table.schema.field(column).type
            number = pa.types.is_floating(type_) or pa.types.is_integer(type_)
            found[column.removeprefix(FEATURES)] = (
                "number" if number else "date" if pa.types.is_temporal(type_) else "category"
            )
    return found


def frame_of(part: Dataset, kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns to learn from, by their own names: see `_column` for the types."""
    columns = {}
    for name, kind in kinds.items():
        if kind in ("id", "ignore"):
            continue
        chunks = part.data.table.column(FEATURES + name)
        if part._indices is not None:
            chunks = chunks.take(part._indices.column(0).to_numpy())
        columns[name] = _column(chunks, kind)
    return pd.DataFrame(columns)


def _column(chunks: pa.ChunkedArray, kind: str) -> Any:
    """Return cells ready to be prepared: float64 with NaN, datetime64[us] with NaT, or text with "" for nothing."""
    if kind == "number":
        values = np.asarray(chunks.to_numpy(zero_copy_only=False), dtype=np.float64)
        return np.clip(values, -LARGEST, LARGEST)
    if kind == "date":
        return pd.Series(chunks.to_pandas()).astype("datetime64[us]")
    return np.array(["" if v is None else str(v) for v in chunks.to_pylist()], dtype=object)


def describe(
    frame: pd.DataFrame, kinds: Mapping[str, str], readings: Mapping[str, str], units: Mapping[str, str] = NOTHING
) -> list[Feature]:
    """Describe the columns of the training rows.

    readings, units: column → `Feature.reading` and `Feature.unit`, where there is one.
    """
    found = []
    for name in frame.columns:
        kind, cells = kinds[name], frame[name]
        if kind == "number":
            here = cells[~cells.isna()]
            typical = float(here.median()) if len(here) else None
            whole = bool(len(here)) and bool((here % 1 == 0).all())
            if whole and typical is not None:
                typical = float(round(typical))
            low, high = (float(here.min()), float(here.max())) if len(here) else (None, None)
            facts: dict[str, Any] = {"typical": typical, "low": low, "high": high, "whole": whole}
            missing = len(here) < len(cells)
        elif kind == "date":
            here = cells[~cells.isna()].sort_values()
            days = [_iso(here.iloc[i]) for i in (len(here) // 2, 0, -1)] if len(here) else [None, None, None]
            facts = dict(zip(("typical", "low", "high"), days, strict=True))
            missing = len(here) < len(cells)
        else:
            here = cells[cells != ""]
            counts = here.value_counts()
            missing = len(here) < len(cells)
            if kind == "category":
                # By frequency, and by name where that is the same: the order must not depend on chance.
                names = [str(n) for n, _ in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))]
                offered = names if len(names) <= CHOICES and len(here) >= TIMES * len(names) else []
                facts = {"typical": offered[0] if offered else None, "choices": offered, "distinct": len(names)}
            else:
                # No text stands for the others, and one of the training rows is not for everybody to read.
                facts = {"distinct": len(counts)}
        unit = units.get(name, "") if kind == "number" else ""
        found.append(Feature(name, kind, missing=missing, reading=readings.get(name, ""), unit=unit, **facts))
    return found


def _iso(moment: Any) -> str:
    return str(moment.date().isoformat() if moment == moment.normalize() else moment.isoformat(sep=" "))


def frame_of_rows(rows: Sequence[Mapping[str, Any]], features: Sequence[Feature]) -> pd.DataFrame:
    """Return the frame of rows that were typed or read: column → value, or None for a missing one.

    Raises:
        DataError: columns are missing, or a cell is not of its column's kind.
    """
    missing = [f.name for f in features if any(f.name not in row for row in rows)]
    if missing:
        raise _missing(missing)
    arrays = {f.name: pa.chunked_array([_array([row[f.name] for row in rows], f)]) for f in features}
    return frame_of_table(pa.table(arrays), features, [f"row {n}" for n in range(1, len(rows) + 1)])


def frame_of_table(table: pa.Table, features: Sequence[Feature], where: Sequence[str]) -> pd.DataFrame:
    """Return the frame of a table as it was read; where: what each row is called in messages.

    Cells are read as those of the training data were: "1,5" is a number, 31.12.2024 a date; empty ones are missing.

    Raises:
        DataError: columns are missing, or a cell is not of its column's kind.
    """
    missing = [f.name for f in features if f.name not in table.column_names]
    if missing:
        raise _missing(missing)
    return pd.DataFrame({f.name: _read(table.column(f.name), f, where) for f in features})


def _read(cells: pa.ChunkedArray, feature: Feature, where: Sequence[str]) -> Any:
    if feature.kind == "number":
        # Where the training rows did not show what 1,234 is, other rows must not decide: each means the same alone.
        found = numbers.parse(cells, feature.reading or "thousands", feature.unit, brackets=True, limits=True)
        _refuse(found.unreadable | found.infinite, cells, feature, where, "number", "12.5")
        return np.clip(found.values, -LARGEST, LARGEST)
    if feature.kind == "date":
        read = dates.parse(cells, feature.reading)
        for row in np.flatnonzero(read.unreadable):  # a word such as n/a, or #N/A, is missing here as in numbers
            read.unreadable[row] = str(cells[int(row)].as_py()).strip().lower() not in MISSING
        _refuse(read.unreadable, cells, feature, where, "date", "2024-05-31")
        return pd.Series(read.values).astype("datetime64[us]")
    texts = ["" if v is None else str(v).strip() for v in as_text(cells).to_pylist()]
    return np.array(["" if t.lower() in numbers.ERRORS else t for t in texts], dtype=object)


def _refuse(odd: Any, cells: pa.ChunkedArray, feature: Feature, where: Sequence[str], what: str, example: str) -> None:
    rows = np.flatnonzero(odd)
    if len(rows):
        row = int(rows[0])
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        raise DataError(
            f"'{feature.name}' wants a {what}, and has {str(cells[row].as_py())[:60]!r}.",
            f"Write a {what} such as {example}, or leave the cell empty.",
            f"{feature.name}, {where[row]}{more}",
            "wrong-kind",
        )


def _array(values: Sequence[Any], feature: Feature) -> pa.Array:
    """Return cells as a person or a program gives them: numbers and dates may be text."""
    given = [None if v is None or (isinstance(v, float) and np.isnan(v)) else v for v in values]
    moments = [v for v in given if isinstance(v, datetime.date)]
    if feature.kind == "date" and len(moments) == len([v for v in given if v is not None]):
        return pa.array(np.array([_in_utc(v) for v in given], dtype="datetime64[us]"))
    if feature.kind == "number" and not any(isinstance(v, str) for v in given):
        return pa.array([None if v is None else float(v) for v in given], pa.float64())
    # Whole numbers are written as those of the training data were: without a point.
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in given]
    # A point before three digits may be read as a mark between thousands; beside an exponent it cannot.
    exact = [
        f"{v!r}e0" if isinstance(v, float) and feature.kind == "number" and "e" not in repr(v) else v for v in whole
    ]
    return pa.array([None if v is None else str(v) for v in exact], pa.string())


def _in_utc(moment: Any) -> Any:
    """Return a moment with a zone as dates are read: in UTC."""
    zoned = isinstance(moment, datetime.datetime) and moment.tzinfo is not None
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if zoned else moment


def _missing(names: Sequence[str]) -> DataError:
    shown = ", ".join(f"'{n}'" for n in names[:LISTED]) + (f" and {len(names) - LISTED} more" * (len(names) > LISTED))
    one = len(names) == 1
    return DataError(
        f"{'The column' if one else 'The columns'} {shown} {'is' if one else 'are'} missing.",
        "The model wants all columns that it was trained on; a cell may be empty.",
        "",
        "missing-columns",
    )
