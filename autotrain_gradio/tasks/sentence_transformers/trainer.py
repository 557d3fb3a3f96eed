"""The trainer: batches of similar length, without duplicates, that a resumed run continues; complete checkpoints."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.base.sampler import DefaultBatchSampler
from transformers import TrainerCallback

from autotrain_gradio.data.values.arrow_columns import encode
from autotrain_gradio.training.length_sampler import LengthSampler
from autotrain_gradio.training.trainer_internals import LossCheckpoints

SKIPPED = 50
"""Maximum number of batches of rows that are skipped to fill one; with few different texts, it stays small."""


class PairTrainer(LossCheckpoints, SentenceTransformerTrainer):
    """A SentenceTransformerTrainer whose checkpoints hold the state of model and loss."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._samplers: list[DefaultBatchSampler] = []
        super().__init__(*args, **kwargs)
        self.add_callback(_EpochOrder(self._samplers))

    def get_batch_sampler(self, *args: Any, **kwargs: Any) -> Any:
        """Return the batch sampler; its epoch is set when an epoch begins."""
        sampler = super().get_batch_sampler(*args, **kwargs)
        if isinstance(sampler, DefaultBatchSampler):
            self._samplers[:] = [sampler]
        return sampler


class _EpochOrder(TrainerCallback):
    """Sets the epoch of the training sampler, also in the epoch in which a run is resumed."""

    def __init__(self, samplers: list[DefaultBatchSampler]) -> None:
        self._samplers = samplers

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for sampler in self._samplers:
            sampler.set_epoch(int((state.epoch or 0.0) + 1e-6))


class LengthGroupedBatches(DefaultBatchSampler):
    """Batches of rows of similar length; the order depends on seed and epoch only (`LengthSampler`).

    unique: no text occurs twice in a batch, as in `BatchSamplers.NO_DUPLICATES`: each would be a negative of itself. A
    row that cannot be in a batch is in one of the next.
    """

    unique = False

    def __init__(self, dataset: Any, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        table = dataset.with_format("arrow")[:]
        labels = set(self.valid_label_columns or ())
        columns = [table[name].cast(pa.string()) for name in table.column_names if name not in labels]
        # In characters: with each column padded by itself, the tokens of a row are about proportional to them.
        self._order = LengthSampler(sum(characters(column) for column in columns), self.batch_size, seed=self.seed)
        texts = encode(pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()))[1]
        self._texts = texts.reshape(len(columns), len(dataset)).T if self.unique else None

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which decides the order."""
        super().set_epoch(epoch)
        self._order.set_epoch(epoch)

    def __len__(self) -> int:
        rows = len(self._order)
        return rows // self.batch_size if self.drop_last else -(-rows // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        waiting = deque(self._order)
        while waiting:
            batch = self._next_batch(waiting)
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def _next_batch(self, waiting: deque[int]) -> list[int]:
        """Take the rows of a batch from the front; rows that cannot be in it stay there."""
        batch: list[int] = []
        skipped: list[int] = []
        seen: set[int] = set()
        while waiting and len(batch) < self.batch_size and len(skipped) < SKIPPED * self.batch_size:
            row = waiting.popleft()
            texts = set() if self._texts is None else set(self._texts[row].tolist())
            if seen.isdisjoint(texts):
                seen |= texts
                batch.append(row)
            else:
                skipped.append(row)
        waiting.extendleft(reversed(skipped))
        return batch


class UniqueTextBatches(LengthGroupedBatches):
    """The same, without a text twice in a batch."""

    unique = True


def characters(column: Any) -> np.ndarray:
    """Return the number of characters of each text of an Arrow column."""
    return np.asarray(pc.fill_null(pc.utf8_length(column), 0).to_numpy())
