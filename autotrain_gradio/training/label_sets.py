"""The labels of multi-label rows: memory grows with the labels that the rows have, not with rows × labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from datasets import Dataset


@dataclass(frozen=True)
class LabelSets:
    """The labels of rows, each label at most once per row.

    ids: the label ids of all rows, int32, row after row. starts: where each row begins in `ids`, int64 (rows + 1,).
    labels: the number of labels.
    """

    ids: np.ndarray
    starts: np.ndarray
    labels: int

    @classmethod
    def of_column(cls, rows: Dataset, column: str, labels: int) -> LabelSets:
        """Return the label sets of a column with lists of label ids; it is never turned into Python lists."""
        chunks = rows.select_columns(column).with_format("arrow")[:][column].chunks
        values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in chunks]
        lengths = [pa.compute.list_value_length(chunk).to_numpy(zero_copy_only=False) for chunk in chunks]
        starts = np.concatenate([[0], np.cumsum(np.concatenate([np.zeros(0, np.int64), *lengths]), dtype=np.int64)])
        return cls(np.concatenate([np.zeros(0, np.int32), *values]).astype(np.int32), starts.astype(np.int64), labels)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        """Return 0 or 1 for each label of a row, float32 (labels,)."""
        found = np.zeros(self.labels, dtype=np.float32)
        found[self.ids[self.starts[row] : self.starts[row + 1]]] = 1
        return found

    def counts(self) -> np.ndarray:
        """Return the number of rows that have each label, int64 (labels,)."""
        return np.bincount(self.ids, minlength=self.labels)

    def groups(self) -> np.ndarray:
        """Return a group id for each row (rows,), equal for rows with the same labels.

        Each label has a random number of 64 bits, and a row the sum of those of its labels: different sets have
        different sums, but for a chance of rows² / 2⁶⁴.
        """
        numbers = np.random.default_rng(0).integers(0, 2**64, size=self.labels, dtype=np.uint64)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(numbers[self.ids], dtype=np.uint64)])
        of_rows = sums[self.starts[1:]] - sums[self.starts[:-1]]
        return np.unique(of_rows, return_inverse=True)[1].reshape(-1)
