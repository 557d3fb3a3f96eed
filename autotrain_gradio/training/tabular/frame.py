"""Data frames of features, and what a model stores of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from datasets import Dataset

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.files.json_files import read_json, write_json

FEATURES = "features:"
FORM = "form.json"
MAX_ABS = 1e30
"""Numbers are clipped to this size: estimators compute in float32, and square them."""
MAX_CHOICES = 30
"""Categories up to which the form of a prediction offers a choice. Beyond, it has a text field and names none:
they may be names or addresses of people, and `form.json` is published with the model."""
ROWS_PER_CATEGORY = 3
"""Mean rows per category from which categories are offered; with fewer they may identify rows."""
NO_UNITS: Mapping[str, str] = {}


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

    problem_type: `classification` or `regression`; models of earlier versions have it as `task`.
    targets: `{"name", "labels", "unit"}` each; labels is None for a number, unit "" if there is none.
    multi_label: the targets are labels of one column. others: columns of the training data that are not features.
    sheet: of the workbook that the training data came from; empty: it was no workbook.
    """

    features: list[Feature]
    targets: list[dict[str, Any]]
    problem_type: str
    multi_label: bool = False
    others: list[str] = field(default_factory=list)
    sheet: str = ""

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
            problem_type = found.pop("task", None) or found.pop("problem_type")
            features = [Feature(**f) for f in found.pop("features")]
            return cls(features=features, problem_type=problem_type, **found)
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
        return clipped(np.asarray(chunks.to_numpy(zero_copy_only=False), dtype=np.float64))
    if kind == "date":
        return whole_seconds(chunks.to_pandas())
    return np.array(["" if v is None else str(v) for v in chunks.to_pylist()], dtype=object)


def clipped(values: np.ndarray) -> np.ndarray:
    """Return numbers between -`MAX_ABS` and `MAX_ABS`."""
    return np.clip(values, -MAX_ABS, MAX_ABS)


def whole_seconds(values: Any) -> pd.Series:
    """Return dates (datetime64[us]) without fractions of seconds, which not every format of a table keeps."""
    return pd.Series(values).astype("datetime64[us]").dt.floor("s")


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
