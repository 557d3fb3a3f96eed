"""The scores of all rows and labels of an evaluation: written row by row, read label by label, with bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import numpy as np

MAX_BUFFERED = 4 * 1024**2
"""Maximum number of scores in memory: 20 MiB with their targets."""


class ScoreStore:
    """Logits float32 and targets bool of (rows, labels).

    Up to `MAX_BUFFERED` scores stay in memory. More are in a temporary file without a name, 5 bytes a score, as blocks
    of rows in which the scores of a label are contiguous; the system removes it when the store is closed, or the
    process ends.

    Attributes:
        row_numbers: the row numbers (rows,) in the order in which the rows were added, which is that of the columns.
    """

    def __init__(self, rows: int, labels: int, folder: Path | None = None, max_buffered: int = MAX_BUFFERED) -> None:
        """Prepare a store.

        folder: where the file is; None: the system's folder of temporary files, which may be in memory.
        """
        self.row_numbers = np.zeros(rows, dtype=np.int64)
        self.labels = labels
        self._folder, self._max_buffered = folder, max_buffered
        capacity = min(rows, max(1, max_buffered // labels))
        self._logits = np.zeros((capacity, labels), dtype=np.float32)
        self._true = np.zeros((capacity, labels), dtype=bool)
        self._written = self._buffered = 0
        self._blocks: list[tuple[int, int]] = []
        """Offset in the file and number of rows of each block."""
        self._file: FileIO | None = None

    def add(self, logits: np.ndarray, targets: np.ndarray, rows: np.ndarray) -> None:
        """Add a batch: logits and targets (batch, labels), row numbers (batch,).

        Raises:
            OSError: the disk is full.
        """
        done = 0
        while done < len(rows):
            if self._buffered == len(self._logits):
                self._write_block()
            count = min(len(rows) - done, len(self._logits) - self._buffered)
            batch, place = slice(done, done + count), slice(self._buffered, self._buffered + count)
            self._logits[place], self._true[place] = logits[batch], targets[batch] > 0
            start = self._written + self._buffered
            self.row_numbers[start : start + count] = rows[batch]
            self._buffered += count
            done += count

    def columns(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the logits float32 and targets bool of each label, both (rows,), in the order of `row_numbers`."""
        if self._file is None:
            for label in range(self.labels):
                yield self._logits[: self._buffered, label], self._true[: self._buffered, label]
            return
        if self._buffered:
            self._write_block()
        group = min(self.labels, max(1, self._max_buffered // self._written))
        for first in range(0, self.labels, group):
            count = min(group, self.labels - first)
            logits = np.empty((count, self._written), dtype=np.float32)
            true = np.empty((count, self._written), dtype=bool)
            start = 0
            for offset, rows in self._blocks:
                part = slice(start, start + rows)
                logits[:, part] = self._read(offset + 4 * first * rows, (count, rows), np.float32)
                true[:, part] = self._read(offset + (4 * self.labels + first) * rows, (count, rows), np.bool_)
                start += rows
            yield from zip(logits, true, strict=True)

    def close(self) -> None:
        """Free the memory and the file."""
        self._logits, self._true = self._logits[:0].copy(), self._true[:0].copy()
        if self._file is not None:
            self._file.close()

    def _write_block(self) -> None:
        if self._file is None:
            # Closed by `close`, or when the store is discarded.
            self._file = tempfile.TemporaryFile(dir=self._folder, prefix="scores-", buffering=0)  # noqa: SIM115
        offset = self._file.seek(0, 2)
        for part in (self._logits, self._true):
            self._write(np.ascontiguousarray(part[: self._buffered].T))
        self._blocks.append((offset, self._buffered))
        self._written += self._buffered
        self._buffered = 0

    def _write(self, values: np.ndarray) -> None:
        assert self._file is not None
        view = memoryview(values).cast("B")
        while view:
            view = view[self._file.write(view) :]

    def _read(self, offset: int, shape: tuple[int, int], dtype: type) -> np.ndarray:
        assert self._file is not None
        found = np.empty(shape, dtype=dtype)
        self._file.seek(offset)
        view = memoryview(found).cast("B")
        while view:
            count = self._file.readinto(view)
            if not count:
                raise EOFError("the file of the scores is truncated")
            view = view[count:]
        return found
