"""Label sets: rows, counts and groups without a matrix of rows × labels."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List

from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.training.label_sets import LabelSets

ROWS = [[2, 0], [], [1], [0, 2], [], [0, 1, 2]]
DENSE = [[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 0]]


def column() -> Dataset:
    features = Features({"target": List(ClassLabel(names=list("abcd")))})
    return Dataset.from_dict({"target": ROWS}, features=features)


@pytest.mark.parametrize("rows", [list(range(6)), [5, 1, 0, 3]], ids=["all", "selected"])
def test_rows_counts_and_groups(rows: list[int]) -> None:
    found = LabelSets.of_column(column().select(rows), "target", 4)
    dense = np.asarray([DENSE[i] for i in rows], dtype=np.float32)
    assert len(found) == len(rows)
    assert np.array_equal(np.stack([found[i] for i in range(len(rows))]), dense) and found[0].dtype == np.float32
    assert found.counts().tolist() == dense.sum(axis=0).tolist()
    groups = found.groups()
    for i in range(len(rows)):
        for k in range(len(rows)):
            assert (groups[i] == groups[k]) == np.array_equal(dense[i], dense[k])


def test_no_rows() -> None:
    found = LabelSets.of_column(column().select([]), "target", 4)
    assert len(found) == 0 and found.groups().tolist() == [] and found.counts().tolist() == [0] * 4


def test_memory_grows_with_the_labels_that_rows_have() -> None:
    values = np.arange(100_000, dtype=np.int64).reshape(-1, 1) % 2_000
    rows = Dataset.from_dict({"target": values.tolist()})
    tracemalloc.start()
    try:
        found = LabelSets.of_column(rows, "target", 2_000)
        assert len(np.unique(found.groups())) == 2_000 and found.counts().tolist() == [50] * 2_000
        assert tracemalloc.get_traced_memory()[1] < 20 * MIB, "a float32 matrix takes 763 MiB"
    finally:
        tracemalloc.stop()
