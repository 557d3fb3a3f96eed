"""The store of scores: the columns are what was added, from memory and from a file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from autotrain_gradio.training.evaluators.score_store import ScoreStore


@pytest.mark.parametrize("max_buffered", [1, 10, 33, 1000])
def test_columns_are_what_was_added(tmp_path: Path, max_buffered: int) -> None:
    rng = np.random.default_rng(0)
    logits, order = rng.normal(size=(29, 5)).astype(np.float32), rng.permutation(29)
    targets = (logits > 0.3).astype(np.float32)
    store = ScoreStore(29, 5, tmp_path, max_buffered)
    for start in range(0, 29, 4):
        rows = order[start : start + 4]
        store.add(logits[rows], targets[rows], rows)
    for _ in range(2):
        columns = list(store.columns())
        assert len(columns) == 5
        for label, (values, true) in enumerate(columns):
            assert np.array_equal(values, logits[store.row_numbers, label])
            assert np.array_equal(true, targets[store.row_numbers, label] > 0) and true.dtype == bool
    assert sorted(store.row_numbers) == list(range(29)) and os.listdir(tmp_path) == []


def test_the_file_is_where_it_was_asked_for(tmp_path: Path) -> None:
    store = ScoreStore(100, 4, tmp_path / "missing", 40)
    with pytest.raises(FileNotFoundError):
        store.add(np.zeros((100, 4), np.float32), np.zeros((100, 4)), np.arange(100))


def test_closing_frees_the_file(tmp_path: Path) -> None:
    store = ScoreStore(100, 4, tmp_path, 40)
    store.add(np.zeros((100, 4), np.float32), np.zeros((100, 4)), np.arange(100))
    file = store._file
    assert file is not None and not file.closed
    store.close()
    assert file.closed
