"""Rows to predict: their cells are parsed as those of the training were, and what is remarkable is reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, similar_names
from autotrain_gradio.core.inputs.plain_values import plain
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.values import dates
from autotrain_gradio.data.values.arrow_columns import as_text, blank, encode
from autotrain_gradio.data.values.feature_cells import (
    missing_cells,
    missing_words,
    parse_dates,
    parse_numbers,
    plain_cells,
)
from autotrain_gradio.data.values.spellings import Spellings, truth_value, visible
from autotrain_gradio.training.tabular.frame import Feature, Form, clipped, whole_seconds

FAR = 1.0
"""A value is far outside the training data if its distance from their range is more than this times its width."""
MOST_INVALID = 0.5
"""Share of invalid cells of a column beyond which the rows are not predicted: it holds something else."""
MAX_LISTED = 12
NO_CATEGORIES: Mapping[str, Sequence[str]] = {}
WHAT = {"number": ("number", "12.5"), "date": ("date", "2024-05-31")}
"""Kind of a column → how messages call a cell, and an example."""


@dataclass
class ParsedRows:
    """The rows as the model takes them.

    about_columns, about_cells: findings about the rows together. remarks: number of a row → sentences about its cells.
    """

    frame: pd.DataFrame
    about_columns: list[Finding] = field(default_factory=list)
    about_cells: list[Finding] = field(default_factory=list)
    remarks: dict[int, list[str]] = field(default_factory=dict)


class RowReader:
    """Parse the rows of a prediction with the reading of each column that the model has stored."""

    def __init__(
        self,
        features: Sequence[Feature],
        categories: Mapping[str, Sequence[str]] = NO_CATEGORIES,
        others: Iterable[str] = (),
    ) -> None:
        """Take what the model knows.

        categories: column → all its categories, for columns of which the model has stored them.
        others: columns of the training data that are not features.
        """
        self._features, self._others = list(features), frozenset(others)
        self._spellings = {name: Spellings(c for c in known if c) for name, known in categories.items()}

    @classmethod
    def of(cls, form: Form, categories: Mapping[str, Sequence[str]]) -> RowReader:
        """Return the reader of a model."""
        return cls(form.features, categories, [*form.others, *(t["name"] for t in form.targets)])

    def rows(self, rows: Sequence[Mapping[str, Any]]) -> ParsedRows:
        """Parse rows `{column: value}`; None and NaN are missing values.

        Raises:
            DataError: columns are missing, or too many cells of one are invalid.
            UserError: a value is of a type that a cell cannot have.
        """
        given = self._match(list(dict.fromkeys(str(name) for row in rows for name in row)))
        named = [{str(name): value for name, value in row.items()} for row in rows]
        absent = [f.name for f in self._features if any(given.get(f.name, f.name) not in row for row in named)]
        unused = self._unused(given, (name for row in named for name in row))
        if absent:
            raise _missing_columns(absent, unused)
        columns = {f.name: [plain(row[given[f.name]], f.name) for row in named] for f in self._features}
        table = pa.table({f.name: pa.chunked_array([_array(columns[f.name], f)]) for f in self._features})
        return self._parse(table, [f"row {n}" for n in range(1, len(rows) + 1)], "", unused)

    def table(self, table: pa.Table, where: Sequence[str], notation: str = "") -> ParsedRows:
        """Parse the rows of a table; empty cells are missing values.

        where: names of the rows in messages. notation: how the file writes numbers (`numbers.parse`), if that is known.

        Raises:
            DataError: as for `rows`.
        """
        given = self._match(table.column_names)
        unused = self._unused(given, table.column_names)
        absent = [f.name for f in self._features if f.name not in given]
        if absent:
            raise _missing_columns(absent, unused)
        features = pa.table({f.name: table.column(given[f.name]) for f in self._features})
        return self._parse(features, where, notation, unused)

    def _match(self, names: Sequence[str]) -> dict[str, str]:
        """Return feature → column of that name; a difference that is not visible (Unicode form, spaces) is none."""
        same = {visible(name): name for name in names}
        columns = {f.name: f.name if f.name in names else same.get(visible(f.name)) for f in self._features}
        return {feature: column for feature, column in columns.items() if column is not None}

    def _unused(self, given: Mapping[str, str], names: Iterable[str]) -> list[str]:
        known = self._others.union(given.values())
        return [name for name in dict.fromkeys(names) if name not in known]

    def _parse(self, table: pa.Table, where: Sequence[str], notation: str, unused: Sequence[str]) -> ParsedRows:
        parsed, columns, errors = ParsedRows(pd.DataFrame()), {}, []
        if unused:
            parsed.about_columns.append(_unused_columns(unused))
        for feature in self._features:
            column = _Column(feature, plain_cells(table.column(feature.name)), where)
            columns[feature.name] = column.parse(notation, self._spellings.get(feature.name))
            errors += column.errors
            parsed.about_cells += column.findings
            for row, text in column.remarks:
                parsed.remarks.setdefault(row, []).append(text)
        if errors:
            raise DataError.from_findings(errors)
        parsed.frame = pd.DataFrame(columns)
        return parsed


class _Column:
    """A column of the rows, and what is remarkable about its cells."""

    def __init__(self, feature: Feature, cells: pa.ChunkedArray, where: Sequence[str]) -> None:
        self.feature, self.cells, self.where = feature, cells, where
        self.errors: list[Finding] = []
        self.findings: list[Finding] = []
        self.remarks: list[tuple[int, str]] = []

    def parse(self, notation: str, spellings: Spellings | None) -> Any:
        """Return the cells as `frame.frame_of` has them."""
        if self.feature.kind == "number":
            return self._numbers(notation)
        return self._dates() if self.feature.kind == "date" else self._texts(spellings)

    def _numbers(self, notation: str) -> Any:
        feature, cells = self.feature, self.cells
        # Where the training rows left 1,234 ambiguous, other rows must not decide: a cell is parsed the same alone.
        found = parse_numbers(cells, notation or feature.reading or "thousands", feature.unit)
        invalid = found.unreadable | found.infinite
        if feature.whole and feature.low is not None and 0 <= feature.low <= feature.high <= 1:
            for row in np.flatnonzero(invalid):  # 0 and 1 in the training data
                if (value := truth_value(str(cells[int(row)].as_py()))) is not None:
                    found.values[row], invalid[row] = float(value), False
        self._report_invalid(invalid)
        if feature.low is not None:
            self._report_far(found.values, feature.low, feature.high, max(abs(feature.low), 1.0), lambda v: f"{v:.6g}")
        return clipped(found.values)

    def _dates(self) -> Any:
        found = self._in_one_order(parse_dates(self.cells, self.feature.reading))
        self._report_invalid(found.unreadable)
        if found.unclear:
            message = (
                f"The dates of '{self.feature.name}' could have the day or the month first: parsed with the day first."
            )
            remarks = {int(row): message for row in np.flatnonzero(~found.missing & ~found.unreadable)}
            self._report("warning", "day-or-month-first", message, "Write dates as 2024-05-31.", remarks)
        if self.feature.low is not None:
            low, high = (np.datetime64(d, "us") for d in (self.feature.low, self.feature.high))
            day = np.timedelta64(1, "D").astype("timedelta64[us]")
            self._report_far(found.values, low, high, day, lambda v: str(v)[:10])
        return whole_seconds(found.values)

    def _in_one_order(self, found: dates.Dates) -> dates.Dates:
        """Parse the dates in the other order of day and month if some have only that, and all can have it."""
        other = {"day": "month", "month": "day"}.get(self.feature.reading)
        if other is None or not {dates.DAY_FIRST, dates.MONTH_FIRST} <= found.ways.keys():
            return found
        again = parse_dates(self.cells, other)
        if {dates.DAY_FIRST, dates.MONTH_FIRST} <= again.ways.keys():
            message = f"Some dates of '{self.feature.name}' have the day first, others the month."
        else:
            found = again
            message = f"The dates of '{self.feature.name}' have the {other} first, unlike the training data."
        self.findings.append(Finding("warning", "day-or-month-first", message, "Write dates as 2024-05-31."))
        return found

    def _texts(self, spellings: Spellings | None) -> Any:
        values, codes = encode(as_text(self.cells))
        known = frozenset() if spellings is None else spellings.known  # of earlier versions, also NaN and N/A
        absent = missing_cells(values)[0].tolist()
        found = ["" if no and v not in known else v for v, no in zip(values.to_pylist(), absent, strict=True)]
        if self.feature.kind == "category":
            found = self._categories(found, missing_words(values), codes, spellings)
        return np.array([*found, ""], dtype=object)[codes]

    def _categories(self, texts: list[str], missing: Any, codes: Any, spellings: Spellings | None) -> list[str]:
        """Return the category that each distinct text means, and report unknown ones.

        missing: which texts are words for a missing value, unless they are categories. codes: of the rows.
        """
        found, unseen, read_as = [], {}, {}
        for code, text in enumerate(texts):
            category = text if not text or spellings is None else spellings.find(text)
            if (spellings is None or category is None) and missing[code]:
                category = ""
            if category is None:
                unseen[code] = text
            elif category and category != text:
                read_as[code] = (text, category)
            found.append(text if category is None else category)
        name = self.feature.name
        if read_as:
            pairs = [f"'{text}' as '{category}'" for text, category in read_as.values()]
            message = f"Categories of '{name}' were matched in another spelling: {join_examples(pairs)}."
            self.findings.append(Finding("info", "category-spelling", message))
        if unseen:
            near = {text: self._similar(text) for text in unseen.values()}
            rows = np.flatnonzero(np.isin(codes, list(unseen)))
            cells = {int(row): unseen[codes[row]] for row in rows}
            shown = [f"'{text}'" + (f" (did you mean {near[text]}?)" if near[text] else "") for text in near]
            values = join_examples(shown)
            count = pluralize(len(near), "category", "categories")
            message = f"'{name}' has {count} that {inflect(len(near), 'is')} not in the training data, "
            message += f"in {pluralize(len(rows), 'row')}: {values}."
            remarks = {
                row: f"'{name}': the training data has no category '{text}'."
                + (f" Did you mean {near[text]}?" if near[text] else "")
                for row, text in cells.items()
            }
            self._report("warning", "unseen-category", message, "The model takes them as unknown.", remarks)
        return found

    def _similar(self, text: str) -> str:
        """Return the most similar category, if the form offers categories: others may be names of people."""
        folded = {choice.casefold(): choice for choice in self.feature.choices}
        near = get_close_matches(text.casefold(), folded, n=1)
        return f"'{folded[near[0]]}'" if near else ""

    def _report_invalid(self, invalid: Any) -> None:
        rows = np.flatnonzero(invalid)
        if not len(rows):
            return
        name, (what, example) = self.feature.name, WHAT[self.feature.kind]
        hint = f"Write a {what} such as {example}, or leave the cell empty."
        filled = int(np.count_nonzero(~blank(as_text(self.cells))))
        shown = {int(row): str(self.cells[int(row)].as_py())[:60] for row in rows}
        places = [f"{self.where[row]}: {text!r}" for row, text in list(shown.items())[:MAX_LISTED]]
        if len(rows) > MOST_INVALID * filled:
            first, text = next(iter(shown.items()))
            more = f" and {len(rows) - 1:,} more" if len(rows) > 1 else ""
            message = f"'{name}' must be a {what}, not {text!r}."
            self.errors.append(Finding("error", "wrong-kind", message, hint, f"{name}, {self.where[first]}{more}"))
            return
        cells = count_with_verb(len(rows), f"cell of '{name}'", "is", f"cells of '{name}'")
        message = f"{cells} not a {what} and count{'s' if len(rows) == 1 else ''} as missing: "
        message += f"{join_examples(places, len(rows), limit=MAX_LISTED)}."
        remarks = {row: f"'{name}': {text!r} is not a {what} and counts as missing." for row, text in shown.items()}
        self._report("warning", "wrong-kind", message, hint, remarks)

    def _report_far(self, values: Any, low: Any, high: Any, least: Any, show: Any) -> None:
        """Report values far outside the range of the training data. least: width of the range, if it has none."""
        width = (high - low) or least
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero((values < low - FAR * width) | (values > high + FAR * width))
        if not len(rows):
            return
        name, bounds = self.feature.name, f"{show(low)} to {show(high)}"
        shown = [f"{show(values[row])} ({self.where[row]})" for row in rows[:MAX_LISTED]]
        message = f"'{name}' has {pluralize(len(rows), 'value')} far outside the training data ({bounds}): "
        message += f"{join_examples(shown, len(rows))}."
        remarks = {
            int(row): f"'{name}': {show(values[row])} is far outside the training data ({bounds})." for row in rows
        }
        self._report("warning", "out-of-range", message, "Check the cells, and their unit.", remarks)

    def _report(self, level: Any, code: str, message: str, hint: str, remarks: Mapping[int, str]) -> None:
        self.findings.append(Finding(level, code, message, hint))
        self.remarks += remarks.items()


def _array(values: Sequence[Any], feature: Feature) -> pa.Array:
    """Return cells as Arrow; those of numbers and dates may be text."""
    if feature.kind == "number" and not any(isinstance(v, str) for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    # Integers are formatted as in the training data: without a decimal point.
    whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in values]
    # A point before three digits could be parsed as a thousands separator; with an exponent it cannot.
    exact = [
        f"{v!r}e0" if isinstance(v, float) and feature.kind == "number" and "e" not in repr(v) else v for v in whole
    ]
    return pa.array([None if v is None else str(v) for v in exact], pa.string())


def _missing_columns(names: Sequence[str], others: Sequence[str]) -> DataError:
    shown = join_examples([f"'{name}'" for name in names], limit=MAX_LISTED)
    hint = "The model needs all feature columns that it was trained on; cells may be empty."
    message = f"{count_with_verb(len(names), 'feature column', 'is')} missing: {shown}."
    return DataError(message, f"{similar_names(names, others)} {hint}".strip(), "", "missing-columns")


def _unused_columns(names: Sequence[str]) -> Finding:
    shown = join_examples([f"'{name}'" for name in names], limit=MAX_LISTED)
    message = f"{count_with_verb(len(names), 'column', 'is')} unknown to the model and not used: {shown}."
    return Finding("info", "unused-columns", message)
