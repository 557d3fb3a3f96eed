"""Data frames of features: from the columns of a dataset, and from the inputs of a prediction."""

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
from autotrain_gradio.core.text_format import count_with_verb
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.values import dates, numbers
from autotrain_gradio.data.values.arrow_columns import as_text

FEATURES = "features:"
FORM = "form.json"
MAX_ABS = 1e30
"""Numbers are clipped to this size: estimators compute in float32, and square them."""
MAX_CHOICES = 30
"""Categories up to which the form of a prediction offers a choice. Beyond, it has a text field and names none:
they may be names or addresses of people, and `form.json` is published with the model."""
ROWS_PER_CATEGORY = 3
"""Mean rows per category from which categories are offered; with fewer they may identify rows."""
MAX_LISTED = 12
NO_UNITS: Mapping[str, str] = {}
MISSING = frozenset((*numbers.WORDS, *numbers.ERRORS))


@dataclass(frozen=True)
class Feature:
    """A feature column of the model.

    kind: `number`, `category`, `date` or `text`. typical: the median of a number or date (ISO 8601), the most frequent
    category; None where all values are missing, for texts, and where categories are not listed. low, high: of numbers
    and dates. choices: the categories, the most frequent first, where there are few. distinct: number of categories.
    whole: all numbers are integers. missing: some values were missing. reading: how ambiguous cells were parsed, and
    are parsed at prediction time: `decimal`, `thousands` or `both` for numbers (`numbers.parse`);
    `day` or `month` for what is first in 01/02/2024. unit: of numbers, if some cells had one; optional.
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
        """The typical value as text of a table: with a decimal comma where points separate thousands."""
        comma = isinstance(self.typical, float) and self.reading == "decimal"
        return repr(self.typical).replace(".", ",") if comma else self.typical


@dataclass(frozen=True)
class Form:
    """Features and targets of a model, saved as `form.json`.

    targets: `{"name", "labels", "unit"}` each; labels is None for a number, unit "" if there is none.
    multi_label: the targets are labels of one column.
    """

    features: list[Feature]
    targets: list[dict[str, Any]]
    task: str
    multi_label: bool = False

    def write(self, folder: Path) -> None:
        """Write it into the folder of the model."""
        write_json(folder / FORM, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Form:
        """Read it from the folder of a model.

        Raises:
            UserError: the file is missing or damaged.
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
    """Return column → `number`, `date` or `category` by its type, for columns that the manifest does not list."""
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
    """Return the feature columns; see `_column` for their types."""
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
    """Return cells as float64 with NaN, datetime64[us] with NaT, or text with "" for missing ones."""
    if kind == "number":
        values = np.asarray(chunks.to_numpy(zero_copy_only=False), dtype=np.float64)
        return np.clip(values, -MAX_ABS, MAX_ABS)
    if kind == "date":
        return pd.Series(chunks.to_pandas()).astype("datetime64[us]")
    return np.array(["" if v is None else str(v) for v in chunks.to_pylist()], dtype=object)


def describe(
    frame: pd.DataFrame, kinds: Mapping[str, str], readings: Mapping[str, str], units: Mapping[str, str] = NO_UNITS
) -> list[Feature]:
    """Describe the columns of the training rows.

    readings, units: column → `Feature.reading` and `Feature.unit`, if any.
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
                # By frequency, then by name, so that the order is deterministic.
                names = [str(n) for n, _ in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))]
                offered = names if len(names) <= MAX_CHOICES and len(here) >= ROWS_PER_CATEGORY * len(names) else []
                facts = {"typical": offered[0] if offered else None, "choices": offered, "distinct": len(names)}
            else:
                # No typical text: texts of training rows are not published.
                facts = {"distinct": len(counts)}
        unit = units.get(name, "") if kind == "number" else ""
        found.append(Feature(name, kind, missing=missing, reading=readings.get(name, ""), unit=unit, **facts))
    return found


def _iso(moment: Any) -> str:
    return str(moment.date().isoformat() if moment == moment.normalize() else moment.isoformat(sep=" "))


def frame_of_rows(rows: Sequence[Mapping[str, Any]], features: Sequence[Feature]) -> pd.DataFrame:
    """Return the frame of rows `{column: value}`; None is a missing value.

    Raises:
        DataError: columns are missing, or a cell is not of its column's kind.
    """
    missing = [f.name for f in features if any(f.name not in row for row in rows)]
    if missing:
        raise _missing(missing)
    arrays = {f.name: pa.chunked_array([_array([row[f.name] for row in rows], f)]) for f in features}
    return frame_of_table(pa.table(arrays), features, [f"row {n}" for n in range(1, len(rows) + 1)])


def frame_of_table(table: pa.Table, features: Sequence[Feature], where: Sequence[str]) -> pd.DataFrame:
    """Return the frame of a table; where: names of the rows in messages.

    Cells are parsed as those of the training data were: "1,5" is a number, 31.12.2024 a date; empty ones are missing.

    Raises:
        DataError: columns are missing, or a cell is not of its column's kind.
    """
    missing = [f.name for f in features if f.name not in table.column_names]
    if missing:
        raise _missing(missing)
    return pd.DataFrame({f.name: _read(table.column(f.name), f, where) for f in features})


def _read(cells: pa.ChunkedArray, feature: Feature, where: Sequence[str]) -> Any:
    if feature.kind == "number":
        # Where the training rows left 1,234 ambiguous, other rows must not decide: a cell is parsed the same alone.
        found = numbers.parse(cells, feature.reading or "thousands", feature.unit, brackets=True, limits=True)
        _raise_on_invalid(found.unreadable | found.infinite, cells, feature, where, "number", "12.5")
        return np.clip(found.values, -MAX_ABS, MAX_ABS)
    if feature.kind == "date":
        read = dates.parse(cells, feature.reading)
        for row in np.flatnonzero(read.unreadable):  # words such as n/a or #N/A are missing values, as in numbers
            read.unreadable[row] = str(cells[int(row)].as_py()).strip().lower() not in MISSING
        _raise_on_invalid(read.unreadable, cells, feature, where, "date", "2024-05-31")
        return pd.Series(read.values).astype("datetime64[us]")
    texts = ["" if v is None else str(v).strip() for v in as_text(cells).to_pylist()]
    return np.array(["" if t.lower() in numbers.ERRORS else t for t in texts], dtype=object)


def _raise_on_invalid(
    invalid: Any, cells: pa.ChunkedArray, feature: Feature, where: Sequence[str], what: str, example: str
) -> None:
    rows = np.flatnonzero(invalid)
    if len(rows):
        row = int(rows[0])
        more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
        raise DataError(
            f"'{feature.name}' must be a {what}, not {str(cells[row].as_py())[:60]!r}.",
            f"Write a {what} such as {example}, or leave the cell empty.",
            f"{feature.name}, {where[row]}{more}",
            "wrong-kind",
        )


def _array(values: Sequence[Any], feature: Feature) -> pa.Array:
    """Return the given cells; numbers and dates may be text."""
    given = [None if v is None or (isinstance(v, float) and np.isnan(v)) else v for v in values]
    moments = [v for v in given if isinstance(v, datetime.date)]
    if feature.kind == "date" and len(moments) == len([v for v in given if v is not None]):
        return pa.array(np.array([_in_utc(v) for v in given], dtype="datetime64[us]"))
    if feature.kind == "number" and not any(isinstance(v, str) for v in given):
        return pa.array([None if v is None else float(v) for v in given], pa.float64())
    # Integers are formatted as in the training data: without a decimal point.
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in given]
    # A point before three digits could be parsed as a thousands separator; with an exponent it cannot.
    exact = [
        f"{v!r}e0" if isinstance(v, float) and feature.kind == "number" and "e" not in repr(v) else v for v in whole
    ]
    return pa.array([None if v is None else str(v) for v in exact], pa.string())


def _in_utc(moment: Any) -> Any:
    """Convert a datetime with a time zone to UTC."""
    zoned = isinstance(moment, datetime.datetime) and moment.tzinfo is not None
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if zoned else moment


def _missing(names: Sequence[str]) -> DataError:
    shown = ", ".join(f"'{n}'" for n in names[:MAX_LISTED]) + (
        f" and {len(names) - MAX_LISTED} more" * (len(names) > MAX_LISTED)
    )
    return DataError(
        f"{count_with_verb(len(names), 'feature column', 'is')} missing: {shown}.",
        "The model needs all feature columns that it was trained on; cells may be empty.",
        "",
        "missing-columns",
    )
