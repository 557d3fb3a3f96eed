"""The classes of rows as numbers: one a row, or any number of them; and the names of classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autotrain_gradio.core.text_format import truncate
from autotrain_gradio.data.values.spellings import fold

Numbers = Any
"""A numpy array of whole numbers (its exact type differs between versions of numpy's stubs)."""

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""Control characters (Unicode's Cc), line breaks and tabs among them: no name of a class needs one."""
SHOWN = 60
"""Characters of a name that a message shows."""

_WHOLE = re.compile(r"([+-]?)(\d+)\.0*")
_SEPARATOR = re.compile(r"(?<=[^\W\d_])[-.]+(?=[^\W_])|(?<=\d)[-.]+(?=[^\W\d_])|(?<!\d)[\s_]+|[\s_]+(?!\d)")
"""What may stand between the words of a name: no sign before or after a letter, and nothing between two digits."""


def canonical(name: str) -> str:
    """Return the name of a class; of a whole number without its point, so that 1.0 is 1 in every format."""
    found = _WHOLE.fullmatch(name)
    if not found:
        return name
    return found[2] if found[1] == "-" and not found[2].strip("0") else found[1] + found[2]


def canonical_mapping(labels: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return a mapping of labels with its keys as `canonical` has them."""
    return {canonical(name): to for name, to in labels.items()}


def spelling(name: str) -> str:
    """Return what names that a person would read as the same have in common: `Sugar beet`, `sugar-beet`.

    Signs that carry meaning are kept: `A-` is not `A`, `1.1` not `11`, `-1` not `1`.
    """
    return _SEPARATOR.sub("", fold(name)) or name


def short(name: str) -> str:
    """Return a name for a message: cut where it is long, control characters as they are escaped in code."""
    return truncate(CONTROL.sub(lambda found: repr(found[0])[1:-1], name[: SHOWN + 1]), SHOWN)


def quoted(name: str) -> str:
    """Return a name for a message, as `short` has it, between quotation marks."""
    return f"'{short(name)}'"


class Labels(Sequence[Any]):
    """The classes of each row. An item is a name, or None for a row without one; with `multi` a tuple of names.

    names: the classes, in their order.
    codes: number of the class of each row, -1 for none; with `offsets` the numbers of all rows, one after the other.
    offsets: with several labels a row: where the numbers of row i begin (`offsets[i]`) and end (`offsets[i + 1]`).
    """

    def __init__(self, names: Sequence[str], codes: Numbers, offsets: Numbers | None = None) -> None:
        self.names = list(names)
        self.codes = np.asarray(codes, dtype=np.int32)
        self.offsets = None if offsets is None else np.asarray(offsets, dtype=np.int64)

    @classmethod
    def of(cls, values: Iterable[str | None], names: Sequence[str]) -> Labels:
        """Make labels of one name (or None) a row."""
        number = {name: k for k, name in enumerate(names)}
        return cls(names, [-1 if v is None else number[v] for v in values])

    @property
    def multi(self) -> bool:
        """Whether a row may have several labels, or none."""
        return self.offsets is not None

    def __len__(self) -> int:
        return len(self.codes) if self.offsets is None else len(self.offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if self.offsets is not None:
            return tuple(self.names[k] for k in self.codes[self.offsets[index] : self.offsets[index + 1]])
        code = self.codes[index]
        return self.names[code] if code >= 0 else None

    def counts(self, rows: Numbers) -> Numbers:
        """Return the number of rows that each class has, among these rows, each of them once."""
        return np.bincount(self.flat(rows)[0], minlength=len(self.names))

    def flat(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Return the codes of these rows, one after the other, and how many each row has."""
        if self.offsets is None:
            codes = self.codes[rows]
            return codes[codes >= 0], (codes >= 0).astype(np.int64)
        lengths = self.offsets[1:][rows] - self.offsets[:-1][rows]
        total = int(lengths.sum())
        begins = np.repeat(self.offsets[:-1][rows] - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths)
        return self.codes[np.arange(total) + begins], lengths

    def strata(self, rows: Numbers) -> Numbers:
        """Return the number of the class by which each of these rows is balanced; -1 for none.

        With several labels a row that is the rarest of them, so that rare labels are shared out first.
        """
        if self.offsets is None:
            return self.codes[rows]
        codes, lengths = self.flat(rows)
        counts = self.counts(rows)
        order = np.empty(len(self.names), dtype=np.int64)
        order[np.argsort(counts, kind="stable")] = np.arange(len(self.names))
        found = np.full(len(rows), len(self.names), dtype=np.int64)
        np.minimum.at(found, np.repeat(np.arange(len(rows)), lengths), order[codes])
        back = np.append(np.argsort(counts, kind="stable"), -1)
        return back[found]

    def signatures(self, rows: Numbers) -> Numbers:
        """Return a number for each of these rows that is the same for rows with the same labels."""
        if self.offsets is None:
            return self.codes[rows].astype(np.int64)
        codes, lengths = self.flat(rows)
        # Random numbers of the labels, added up: sets that differ have different sums, for all practical purposes.
        salt = np.random.RandomState(0).randint(1, 2**62, len(self.names) + 1)
        found = np.zeros(len(rows), dtype=np.int64)
        np.add.at(found, np.repeat(np.arange(len(rows)), lengths), salt[codes])
        return found

    def only(self, rows: Numbers) -> Labels:
        """Return the labels with the classes alone that these rows have; elsewhere others are forgotten."""
        kept = np.flatnonzero(self.counts(rows) > 0)
        if len(kept) == len(self.names):
            return self
        number = np.full(len(self.names) + 1, -1, dtype=np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        names = [self.names[k] for k in kept]
        codes = number[self.codes]  # -1 stays -1: it is the last place
        if self.offsets is None:
            return Labels(names, codes)
        lengths = np.add.reduceat(np.append(codes >= 0, False).astype(np.int64), self.offsets[:-1])
        lengths[self.offsets[:-1] == self.offsets[1:]] = 0
        return Labels(names, codes[codes >= 0], np.concatenate(([0], np.cumsum(lengths))))
