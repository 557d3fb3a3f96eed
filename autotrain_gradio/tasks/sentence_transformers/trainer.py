"""The trainer: batches without duplicates, an order that a resumed run continues, and checkpoints of all weights.

It overrides private members of the trainers of transformers 5.23 and sentence-transformers 6.2 (`_save`,
`_load_from_checkpoint`, `_load_best_model`): the library's checkpoints lack the weights of the loss (the classifier of
pairs with a relation) and those of adapters, and it only logs a failure to load the best weights.
`tests/unit/tasks/sentence_transformers/test_trainer.py` fails when a new version changes one of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from safetensors.torch import load_model, save_model
from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.base.sampler import DefaultBatchSampler, NoDuplicatesBatchSampler
from transformers import TrainerCallback

from autotrain_gradio.data.values.arrow_columns import encode

WEIGHTS = "model.safetensors"


class PairTrainer(SentenceTransformerTrainer):
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

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_model(self.loss, str(folder / WEIGHTS))

    def _load_from_checkpoint(self, checkpoint_path: str) -> None:
        load_model(self.loss, str(Path(checkpoint_path) / WEIGHTS), device=str(self.args.device))

    def _load_best_model(self) -> None:
        assert self.state.best_model_checkpoint is not None
        self._load_from_checkpoint(self.state.best_model_checkpoint)


class _EpochOrder(TrainerCallback):
    """Sets the epoch of the training sampler, also in the epoch in which a run is resumed."""

    def __init__(self, samplers: list[DefaultBatchSampler]) -> None:
        self._samplers = samplers

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        for sampler in self._samplers:
            sampler.set_epoch(int((state.epoch or 0.0) + 1e-6))


class NoDuplicates(NoDuplicatesBatchSampler):
    """`BatchSamplers.NO_DUPLICATES` on numbers of the texts, which are encoded once: a tenth of the time."""

    def __init__(self, dataset: Any, **kwargs: Any) -> None:
        super().__init__(_TextNumbers(dataset, kwargs.get("valid_label_columns") or ()), **kwargs)


class _TextNumbers:
    """A data set of the number of each text, equal for equal texts of all columns."""

    def __init__(self, dataset: Any, labels: Any) -> None:
        self.column_names = [name for name in dataset.column_names if name not in labels]
        columns = [dataset.with_format("arrow")[:][name] for name in self.column_names]
        chunks = [chunk for column in columns for chunk in column.cast(pa.string()).chunks]
        numbers = encode(pa.chunked_array(chunks, pa.string()))[1]
        self._numbers = numbers.reshape(len(columns), len(dataset)).T

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> dict[str, int]:
        return dict(zip(self.column_names, self._numbers[index].tolist(), strict=True))
