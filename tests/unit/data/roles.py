"""Requests as tasks of texts and tables make them, and a check that may be asked for one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio import data
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.spec import DataSpec
from autotrain_gradio.data.catalog import (
    CLASS_BALANCE,
    DUPLICATES,
    FEATURE,
    GROUP,
    HUB,
    LABEL_SPELLING,
    LABELS,
    NUMBER,
    PATH,
    SAVED_DATASET,
    SECONDS,
    TABLE,
    TABLE_COLUMNS,
    TABLE_LEAKAGE,
    TABLE_TARGET,
    TEXT,
    TEXT_FOLDERS,
    TEXT_LENGTH,
    UPLOAD,
    VALUE,
)
from autotrain_gradio.data.declarations import Column

TEXTS = (
    Column("text", "Text", TEXT, purpose="input", names=("text", "sentence", "review"), many=True, join=True),
    Column("target", "Label", LABELS, purpose="target", names=("target", "label", "labels"), many=True, join=True),
)
TABLES = (
    Column("features", "Columns to learn from", FEATURE, purpose="input", many=True, rest=True),
    Column("target", "Target", LABELS, purpose="target", names=("target", "label", "class"), many=True),
    Column("id", "Id", VALUE, purpose="meta", names=("id",), required=False),
)
NUMBERS = (
    TABLES[0],
    Column("target", "Target", NUMBER, purpose="target", names=("target", "price"), many=True),
    TABLES[2],
)
SPEECH = (
    Column("text", "Transcript", TEXT, purpose="target", names=("text",)),
    Column("start", "Begin", SECONDS, purpose="input", names=("start",), required=False),
    Column("speaker", "Speaker", GROUP, purpose="group", names=("speaker",), required=False),
    Column("recording", "Recording", GROUP, purpose="group", names=("recording",), required=False),
)


def request(of: tuple[Column, ...], *, limits: Limits | None = None, **given: Any) -> data.Request:
    """Return a request for these columns with these settings of the data."""
    return data.Request(
        title="Test",
        spec=DataSpec(**given),
        columns=of,
        sources=(UPLOAD, PATH, HUB),
        layouts=(SAVED_DATASET, TABLE, TEXT_FOLDERS),
        checks=(LABEL_SPELLING, CLASS_BALANCE, DUPLICATES, TEXT_LENGTH, TABLE_COLUMNS, TABLE_LEAKAGE, TABLE_TARGET),
        limits=limits or Limits(),
    )


def check(draft: Path, of: tuple[Column, ...], path: Path, **given: Any) -> dict[str, Any]:
    """Check a folder or file, and see that every row of it is counted."""
    result: dict[str, Any] = {**data.check(draft, request(of, source="path", path=str(path), **given))}
    if not any(f["level"] == "error" for f in result["findings"]):
        assert result["rows"] == sum(result["splits"].values()) + sum(d["count"] for d in result["dropped"])
    return result


def dropped(result: Mapping[str, Any]) -> dict[str, int]:
    """Return reason → rows that were left out."""
    return {d["code"]: d["count"] for d in result["dropped"]}
