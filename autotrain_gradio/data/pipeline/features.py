"""The `datasets` feature of a column: declared by its kind, or derived from the Arrow type of its values."""

from __future__ import annotations

from typing import Any, Literal

import datasets
import pyarrow as pa

from autotrain_gradio.data.rows import Cells

LabelForm = Literal["single", "set", "sequence"]


def feature_of(cells: Cells) -> Any:
    """Return the feature that the column has once it is loaded."""
    if cells.feature is not None:
        return cells.feature
    if cells.names is not None:
        label = datasets.ClassLabel(names=cells.names)
        return datasets.List(label) if cells.labels.multi else label
    return datasets.Features.from_arrow_schema(pa.schema([("column", as_arrow(cells).type)]))["column"]


def as_arrow(cells: Cells) -> Any:
    """Return the values as an Arrow array in the storage type of their feature; media are relative paths."""
    if cells.names is not None:
        codes = pa.array(cells.labels.codes, pa.int64())
        if not cells.labels.multi:
            return codes
        return pa.ListArray.from_arrays(pa.array(cells.labels.offsets, pa.int32()), codes)
    if isinstance(cells.values, pa.Array | pa.ChunkedArray):
        return cells.values
    if cells.media:
        return pa.array(cells.values, pa.string())
    return pa.array(cells.values, None if cells.feature is None else storage_type(cells.feature))


def storage_type(feature: Any) -> pa.DataType:
    """Return the Arrow type in which values of a feature are stored."""
    return datasets.Features({"column": feature}).arrow_schema.field("column").type


def to_dict(feature: Any) -> dict[str, Any]:
    """Return a feature as JSON-ready data."""
    data: dict[str, Any] = datasets.Features({"column": feature}).to_dict()["column"]
    return data


def from_dict(data: Any) -> Any:
    """Return the feature that `to_dict` described, or that a dataset declares in its metadata."""
    return datasets.Features.from_dict({"column": data})["column"]


def class_names(feature: Any, path: str = "") -> dict[str, list[str]]:
    """Return path → class names of every `ClassLabel` inside a feature; items of lists add nothing to a path.

    A sequence of labels has the path `path` itself; the labels of a list of spans `path.label`.
    """
    if isinstance(feature, datasets.ClassLabel):
        return {path: list(feature.names)}
    if isinstance(feature, dict):
        fields = feature.items()
        return {p: n for key, f in fields for p, n in class_names(f, f"{path}.{key}" if path else key).items()}
    if isinstance(feature, list):
        return class_names(feature[0], path) if feature else {}
    inner = getattr(feature, "feature", None)
    return class_names(inner, path) if inner is not None else {}


def label_form(cells: Cells) -> LabelForm | None:
    """Return whether a row has one label, a set of labels, or a sequence of them (one a token); None: no labels."""
    if cells.names is not None:
        return "set" if cells.labels.multi else "single"
    is_list = isinstance(cells.feature, datasets.List | datasets.LargeList)
    return "sequence" if is_list and isinstance(cells.feature.feature, datasets.ClassLabel) else None
