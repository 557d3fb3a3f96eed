"""The types that the steps of a check pass on: fetched files, tables as read, inspected columns, rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.declarations import Column, Kind, Purpose
from autotrain_gradio.data.locations import Located
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.values.content_ids import by_chance, of_columns
from autotrain_gradio.data.values.labels import Labels

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[str, float], None]
"""Reports a message and the fraction that is done (0 to 1)."""
LOCATION = "\ue000where"
"""Column of a table as read: file and row number for messages, as text, or with `RawTables.file_names` as a number (see
`location_numbers`). No data has a column of this name."""
ROW = "_row"
"""Column of a table of Arrow files: the number of the row in the concatenation of all files."""

ROW_NAME = "row name"
"""Column of a table with the names of its rows, where its header has none for them; by default not a feature."""

PLACE = "_place"
"""Column of a table's dataset: location number of each row, its file being one of the manifest's `places`."""

ROW_NOUN = "row"
"""What messages call duplicates of all columns of a table."""
EXAMPLE_NOUN = "example"
"""What messages call duplicates of all input columns, where there are several."""


def ignore_progress(message: str, fraction: float) -> None:
    """Report nothing."""


def sub_progress(progress: Progress, begin: float, share: float) -> Progress:
    """Return the progress of a step that takes this share of the whole, and begins at this fraction of it."""
    return lambda message, fraction: progress(message, begin + share * min(1.0, max(0.0, fraction)))


@dataclass(frozen=True)
class Fetched:
    """What a source found. `root`: folder or file; `splits`: relative path → split, where known;
    `own`: the files lie in the run's folder; `revision`: of a Hub dataset; `note`: for the manifest."""

    root: Path
    splits: Mapping[str, str] = field(default_factory=dict)
    own: bool = False
    revision: str = ""
    note: Mapping[str, Any] = field(default_factory=dict)
    files: frozenset[str] | None = None
    """Relative paths of the files that belong to the data; None: all."""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Recognized:
    """A layout fits. Of several, the one with the greatest confidence (0 to 1) is used.

    covers: number of media files that are rows with a target, where several layouts can read the same files.
    """

    confidence: float
    reason: str
    covers: int | None = None


@dataclass(frozen=True)
class Rejected:
    """A layout does not fit; the reasons are reported when none does."""

    reason: str


@dataclass
class RawTables:
    """The rows as they are read from the files, before columns are mapped.

    splits: name of the split as found ("" when the data has none) → table. A cell of media is a struct
        `{bytes, path}`; a path is relative to the root. Each table has a column `LOCATION`.
    kinds: column → name of its kind, where the layout knows it.
    names: column of class numbers → names of the classes.
    features: column → its feature as a dataset declares it (JSON-ready), for kinds whose classes are nested.
    arrow: files whose concatenated rows hold the media's bytes; then every table has `_row`, the number
        of the row in that concatenation, and media cells are not copied.
    """

    splits: dict[str, pa.Table]
    kinds: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    features: dict[str, Any] = field(default_factory=dict)
    arrow: list[Path] = field(default_factory=list)
    files_read: list[str] = field(default_factory=list)
    """Relative paths of tables and Arrow files that were read."""
    findings: list[Finding] = field(default_factory=list)
    reported: set[str] = field(default_factory=set)
    """Relative paths of files that the layout's findings report as not used."""
    redundant_codes: frozenset[str] = frozenset()
    """Codes of findings about cells that the layout's own findings make redundant."""
    file_names: list[str] = field(default_factory=list)
    """Names of the files, for messages, where `LOCATION` holds numbers."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason → number of rows that could not be parsed; they count as rows of the data."""
    notation: str = ""
    """How 1,234 and 1.234 are parsed in all tables (`numbers.parse`); "": each column shows it."""
    sheets: set[str] = field(default_factory=set)
    """Names of the sheets that were read, of workbooks."""


def _no_media(index: int) -> bytes:
    raise LookupError(f"row {index} has no media")


@dataclass
class Context(Located):
    """What a kind may use to inspect a column.

    needed: numpy array of boolean values: whether each row is still used; cells of other rows need not be inspected.
    fingerprint: relative path → (bytes, modification time) of the files below the root.
    stamp: changes whenever bytes inside Arrow files may have changed.
    names: class names, where the data declares them for the column's numbers.
    notation: how 1,234 and 1.234 are parsed (`numbers.parse`); "": the column shows it.
    feature: the feature that the data declares for the column (JSON-ready), or None.
    """

    request: Request
    draft: Path
    root: Path
    column: str
    title: str
    locations: Sequence[str]
    needed: Any
    progress: Progress
    fingerprint: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stamp: str = ""
    names: list[str] | None = None
    feature: Any = None
    notation: str = ""
    open: Callable[[int], bytes] = _no_media
    """Returns the bytes of the media of a row."""

    def skipped(
        self, code: str, text: str, rows: Any, hint: str, detail: Callable[[int], str] = lambda row: ""
    ) -> list[Finding]:
        """Report rows, if there are any, that are skipped because of this column."""
        text, where = text + " and {was} skipped", f"column {self.column}"
        return self.findings("warning", code, text, rows, hint, detail, where=where)


def show_cell(cells: Any) -> Callable[[int], str]:
    """Return a function that shows the value of a row after its location: ": 'x'". cells: an Arrow array."""
    return lambda row: f": {str(cells[row].as_py())[:40]!r}"


Problems = Sequence["str | None"] | Mapping[str, Any]


@dataclass(frozen=True)
class Guess:
    """The columns that a kind recognizes by their cells. reason: why, for a message; empty: it needs none."""

    names: list[str]
    reason: str = ""


@dataclass
class Cells:
    """An inspected column, one item a row in every list.

    values: what is trained on: a list, `Labels`, or an Arrow array; None (null) where there is none. Labels inside
        nested values are class numbers.
    feature: the `datasets` feature of the values, nested ones included (`List(ClassLabel)` for a sequence of labels,
        `List({"start": …, "end": …, "label": ClassLabel})` for spans, `Image(decode=False)` for media); None:
        `ClassLabel` or a list of it for `Labels`, else derived from the Arrow type of the values.
    problems: per row the code of the reason why it must be dropped, or None; or code → numpy array of row numbers.
    facts: further properties of each cell (for images: width, height, digest …). Rows with the same
        `digest` (text, or a whole number from 0; None or -1: as no other row) have the same content. The split keeps
        rows with the same `file` or `group` (numpy, whole numbers) together, where there are enough of them.
    names: the classes, where the values are `Labels`: one class a row, or a set of classes.
    raw: number of rows of each value as written in the data, before a mapping.
    media: values are relative paths of files; with Arrow files they are None, and bytes lie in those.
    about: properties of the column in `check.json`, besides its kind.
    settings: what the training must know to read the cells, JSON-ready: `settings` of the manifest, by role.
    stored: whether the column is part of the dataset.
    stored_facts: names of facts (numpy arrays) that are part of the dataset too, as `<role>_<fact>`.
    """

    values: Any
    problems: Problems
    facts: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    names: list[str] | None = None
    raw: Counter[str] = field(default_factory=Counter)
    media: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    stored: bool = True
    stored_facts: tuple[str, ...] = ()
    feature: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.values, Labels):
            self.names = self.values.names
        elif self.names is not None:
            self.values = Labels.of(self.values, self.names)

    def dropped_rows(self) -> Mapping[str, Any]:
        """Return code → numbers of the rows that must be dropped for it."""
        if isinstance(self.problems, Mapping):
            return self.problems
        found: dict[str, list[int]] = {}
        for i, problem in enumerate(self.problems):
            if problem is not None:
                found.setdefault(problem, []).append(i)
        return {code: np.array(rows, dtype=np.int64) for code, rows in found.items()}

    @property
    def labels(self) -> Labels:
        """The classes of the rows.

        Raises:
            TypeError: the values are not class labels.
        """
        if not isinstance(self.values, Labels):
            raise TypeError("the values of this column are not class labels")
        return self.values

    @property
    def is_numeric(self) -> bool:
        """Whether the values are floating-point numbers of an Arrow array, not classes or texts."""
        return str(getattr(self.values, "type", "")) in {"float", "double"}

    def to_list(self) -> list[Any]:
        """Return the values of the rows, None for missing ones."""
        return self.values.to_pylist() if hasattr(self.values, "to_pylist") else list(self.values)

    def content(self) -> Any:
        """Return per row the number of its content (numpy, -1: unique); None if the kind computes no digests."""
        digests = self.facts.get("digest")
        if digests is None or isinstance(digests, np.ndarray):
            return digests
        number: dict[str, int] = {}
        return np.array([number.setdefault(d, len(number)) if d else -1 for d in digests], dtype=np.int64)


class Rows(Located):
    """The working table: train and given validation rows together, in a fixed order.

    locations: per row its file and row number, for messages.
    validation: numpy array of boolean values, one a row; changed once by the split, through `validate`.
    cells: role → its inspected column.
    columns: role → its declaration.
    row: number of each row in the Arrow files, where there are some.
    """

    def __init__(self, locations: Sequence[str], validation: Any) -> None:
        self.locations = locations
        self.validation = np.array(validation, dtype=bool)
        self.cells: dict[str, Cells] = {}
        self.columns: dict[str, Column] = {}
        self.row: Any = None
        self._reason = np.zeros(len(self.validation), dtype=np.int16)
        self._reasons = [""]

    def __len__(self) -> int:
        return len(self.validation)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Role → its kind."""
        return {role: column.kind for role, column in self.columns.items()}

    def having(self, purpose: Purpose) -> list[str]:
        """Return the roles of this purpose that have cells."""
        return [role for role in self.cells if role in self.columns and self.columns[role].purpose == purpose]

    def validate(self, rows: Any) -> None:
        """Move these rows to the validation split."""
        self.validation[rows] = True

    @property
    def needed(self) -> Any:
        """Numpy array: whether each row is used so far."""
        return self._reason == 0

    def indices(self, split: str | None = None) -> Any:
        """Return the numbers of the rows that are used, of one split (`train`, `validation`) or of all."""
        wanted = self.needed
        if split is not None:
            wanted &= self.validation if split == "validation" else ~self.validation
        return np.flatnonzero(wanted)

    def label_counts(self, labels: Labels, split: str | None = None) -> list[int]:
        """Return how many of the rows that are used have each class."""
        return list(labels.counts(self.indices(split)).tolist())

    def count(self, split: str | None = None) -> int:
        """Return how many rows are used, of one split or of all."""
        return len(self.indices(split))

    def drop(self, rows: Any, reason: str) -> None:
        """Drop rows from training and validation; the first reason counts."""
        if reason not in self._reasons:
            self._reasons.append(reason)
        rows = np.atleast_1d(np.asarray(rows, dtype=np.int64))
        self._reason[rows[self._reason[rows] == 0]] = self._reasons.index(reason)

    def dropped(self) -> Counter[str]:
        """Return reason → number of the rows that were dropped for it."""
        counts = np.bincount(self._reason, minlength=len(self._reasons)).tolist()
        return Counter({reason: n for reason, n in zip(self._reasons[1:], counts[1:], strict=True) if n})

    def classes(self) -> tuple[str, Cells] | None:
        """Return role and cells of the first target column that holds classes, if there is one."""
        targets = ((role, self.cells[role]) for role in self.having("target"))
        return next(((role, cells) for role, cells in targets if cells.names is not None), None)

    @cached_property
    def content(self) -> tuple[str, Any] | None:
        """What duplicates are called, and per row the number of its content (-1: unique).

        Of the input columns whose cells have digests, together where there are several (a pair of texts); else of
        all columns that have codes, together. It is computed once, when all columns are there.
        """
        found = [(self.columns[r].kind, c) for r in self.having("input") if (c := self.cells[r].content()) is not None]
        if len(found) == 1:
            return found[0][0].noun or found[0][0].name, found[0][1]
        if found:
            together = np.stack([content for _, content in found])
            numbers = np.unique(together, axis=1, return_inverse=True)[1].reshape(-1)
            return EXAMPLE_NOUN, np.where((together < 0).any(axis=0), -1, numbers)
        codes = self._codes()
        return (ROW_NOUN, of_columns(codes)) if codes else None

    def content_groups(self) -> Any:
        """Return per row the number of its content (-1: unique), by which the split keeps duplicates in one split.

        In a table with few distinct rows all are unique: there equal rows are coincidences, not duplicates.
        """
        noun, content = self.content or ("", None)
        if content is None or (
            noun == ROW_NOUN and by_chance(content[self.needed], (c[self.needed] for c in self._codes()))
        ):
            return np.full(len(self), -1, dtype=np.int64)
        return content

    def _codes(self) -> list[Any]:
        return [c.facts["codes"] for c in self.cells.values() if "codes" in c.facts and c.stored]
