"""What is handed from stage to stage: recognised, raw, inspected, kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotrain_gradio.data.request import Request
from autotrain_gradio.errors import Finding

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[str, float], None]
WHERE = "_where"
"""Column of a raw table: file and row, for messages."""
ROW = "_row"
"""Column of a raw table with Arrow files: the number of the row in all of them together."""


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
class Recognised:
    """A layout fits. Of several, the one with the greatest confidence (0 to 1) is taken."""

    confidence: float
    reason: str


@dataclass(frozen=True)
class Rejected:
    """A layout does not fit; the reason is told when none does."""

    reason: str


@dataclass
class Raw:
    """The rows as they are in the data.

    splits: name of the split as found ("" when the data has none) → table. A cell of media is a struct
        `{bytes, path}`; a path is relative to the root. Each table has a column `_where`.
    kinds: column → name of its kind, where the layout knows it.
    names: column of class numbers → names of the classes.
    arrow: files whose concatenated rows hold the media's bytes; then every table has `_row`, the number
        of the row in that concatenation, and media cells are not copied.
    """

    splits: dict[str, pa.Table]
    kinds: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    arrow: list[Path] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    """Relative paths of tables and Arrow files that were read."""
    findings: list[Finding] = field(default_factory=list)
    told: frozenset[str] = frozenset()
    """Codes of findings about cells that the layout's own findings make superfluous."""


def _no_media(index: int) -> bytes:
    raise LookupError(f"row {index} has no media")


@dataclass
class Context:
    """What the inspection of a column may use.

    needed: per row, whether it is still wanted; cells of others need no look.
    fingerprint: relative path → (bytes, modification time) of the files below the root.
    stamp: changes whenever bytes inside Arrow files may have changed.
    """

    request: Request
    draft: Path
    root: Path
    column: str
    title: str
    where: Sequence[str]
    needed: Sequence[bool]
    progress: Progress
    fingerprint: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    stamp: str = ""
    names: list[str] | None = None
    open: Callable[[int], bytes] = _no_media
    """Returns the bytes of the media of a row."""


@dataclass
class Cells:
    """An inspected column, one item a row in every list.

    values: what is trained on; None where there is none.
    problems: code of the reason why the row cannot be used, or None.
    facts: further figures of each cell (for images: width, height, digest …).
    names: the classes, where the cells are classes; `values` are then names.
    raw: rows of each value as it stood in the data, where a mapping may change values.
    media: values are relative paths of files; with Arrow files they are None, and bytes lie in those.
    """

    values: list[Any]
    problems: list[str | None]
    facts: dict[str, list[Any]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    names: list[str] | None = None
    raw: Counter[str] = field(default_factory=Counter)
    media: bool = False


@dataclass
class Rows:
    """The working table: train and given validation rows together, in a fixed order.

    split: `train` or `validation`; changed once by the split.
    dropped: per row, the code of the reason why it is not used, or None.
    row: number of each row in the Arrow files, where there are some.
    """

    split: list[str]
    where: list[str]
    dropped: list[str | None]
    cells: dict[str, Cells] = field(default_factory=dict)
    row: list[int] | None = None

    def __len__(self) -> int:
        return len(self.split)

    def used(self, split: str | None = None) -> Iterator[int]:
        """Yield the indices of the rows that are used, of one split or of all."""
        for i, (name, reason) in enumerate(zip(self.split, self.dropped, strict=True)):
            if reason is None and (split is None or name == split):
                yield i

    def drop(self, index: int, reason: str) -> None:
        """Leave a row out; the first reason counts."""
        if self.dropped[index] is None:
            self.dropped[index] = reason

    def classes(self) -> tuple[str, Cells] | None:
        """Return role and cells of the column of classes, if there is one."""
        return next(((role, c) for role, c in self.cells.items() if c.names is not None), None)


def listed(items: Sequence[str], total: int | None = None, *, limit: int = 5) -> str:
    """Return at most `limit` examples and the number of the others."""
    count = len(items) if total is None else total
    shown = ", ".join(items[:limit])
    more = count - min(limit, len(items))
    return f"{shown} and {more:,} more" if more > 0 else shown


def counted(number: int, one: str, many: str = "") -> str:
    """Return '1 image' or '3,000 images'."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
