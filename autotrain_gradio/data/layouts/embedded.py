"""Parquet or Arrow files that carry the media themselves."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import format_bytes, inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.files.archives import RATIO_FROM
from autotrain_gradio.data.files.arrow_files import as_media, open_parquet, open_table
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, ROW, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.values.arrow_columns import stacked

SUFFIXES = (".parquet", ".arrow")
BATCH = 64
"""Rows of a Parquet file that are in memory at once."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are Parquet or Arrow files with a column of media."""
    entries = tree.tables(SUFFIXES)
    if not entries:
        return Rejected(f"there are no {' or '.join(SUFFIXES)} files")
    noun = f"{request.files.name}s"
    reasons = []
    for entry in entries:
        try:
            schema = _schema(tree.root / entry.path, request.limits)
        except DataError as error:
            reasons.append(f"{entry.path}: {error.message}")
            continue
        if column := media_field(schema, request):
            files = f"{join_examples([e.path for e in entries])} {inflect(len(entries), 'holds')}"
            return Recognized(0.9, f"{files} the {noun} in the column '{column}'")
        reasons.append(f"{entry.path} has no column of {noun}, only {join_examples(schema.names)}")
    return Rejected("; ".join(reasons[:3]))


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the files into memory; Parquet is turned into Arrow once."""
    entries = tree.tables(SUFFIXES)
    files: list[tuple[str, str, Path]] = []
    splits, findings = split_names.of_entries(entries, tree, request.spec)
    for number, entry in enumerate(entries):
        path = tree.root / entry.path
        if media_field(_schema(path, request.limits), request) is None:
            continue
        if entry.suffix == ".parquet":
            path = to_arrow(entry, tree, draft, request.limits)
        progress(f"Reading {entry.name}", number / len(entries))
        files.append((splits[entry.path], entry.path, path))
    raw = join(files, request)
    raw.findings += findings
    raw.files_read = [e.path for e in entries if (tree.root / e.path).exists()]
    return raw


def join(files: list[tuple[str, str, Path]], request: Request) -> RawTables:
    """Make raw tables of Arrow files, given as (split, name for messages, file)."""
    raw = RawTables({}, arrow=[path for _, _, path in files])
    tables: list[tuple[str, dict[str, Any], str]] = []
    start = 0
    for split, name, path in files:
        table = open_table(path, request.limits.table_bytes)
        column = media_field(table.schema, request)
        if column is None:
            message = f"The file has no column of {request.files.name}s."
            raise DataError(message, "Give all files the same columns.", name, "splits-differ")
        read_features(table.schema, raw, request)
        raw.kinds[column] = request.files.name
        columns: dict[str, Any] = {}
        for field, values in zip(table.schema, table.columns, strict=True):
            plain = values.cast(field.type.value_type) if pa.types.is_dictionary(field.type) else values
            columns[field.name] = plain if (media := as_media(values)) is None else media
        columns[ROW] = pa.array(range(start, start + table.num_rows), pa.int64())
        columns[LOCATION] = pa.array([f"{name}, row {k}" for k in range(1, table.num_rows + 1)], pa.string())
        start += table.num_rows
        tables.append((split, columns, column))
    inside = any(c.field("bytes").null_count < len(c) for _, columns, name in tables for c in columns[name].chunks)
    if not inside:
        raw.arrow = []  # the cells name files: these are rows of an ordinary table
    splits: dict[str, list[pa.Table]] = {}
    for split, columns, name in tables:
        if inside:
            columns[name] = _only_bytes(columns[name])
        splits.setdefault(split, []).append(pa.table(columns))
    raw.splits = {split: stacked(found, "files", split or "data") for split, found in splits.items()}
    return raw


def _only_bytes(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells, null where they name a file instead of carrying it: these are counted as missing."""
    chunks = []
    for chunk in cells.chunks:
        fields = [chunk.field("bytes"), chunk.field("path")]
        chunks.append(pa.StructArray.from_arrays(fields, ["bytes", "path"], mask=fields[0].is_null()))
    return pa.chunked_array(chunks, cells.type)


def media_role(request: Request) -> tuple[Column, list[str]]:
    """Return the role of the media, and the columns that the spec maps to it."""
    role = next(c for c in request.columns if c.kind == request.files)
    asked = request.spec.columns.get(role.role) or []
    return role, [asked] if isinstance(asked, str) else asked


def media_field(schema: pa.Schema, request: Request) -> str | None:
    """Return the media column: by the spec, by the schema's features, by the names of the role, or the only one."""
    role, asked = media_role(request)
    usable = [f.name for f in schema if as_media(pa.chunked_array([], f.type)) is not None]
    if not set(asked).isdisjoint(schema.names):
        return next((n for n in asked if n in usable), None)
    types = {n: f.get("_type") for n, f in hub_features(schema).items() if isinstance(f, dict)}
    declared = [n for n in usable if types.get(n) == role.kind.feature]
    named = [n for n in usable if n.lower() in role.names]
    return next(iter(declared or named or (usable if len(usable) == 1 else [])), None)


def hub_features(schema: pa.Schema) -> dict[str, Any]:
    """Return the features that the library `datasets` wrote into a schema; empty without them."""
    raw = (schema.metadata or {}).get(b"huggingface")
    if not raw:
        return {}
    try:
        features = json.loads(raw)["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}  # metadata of another program under that name
    return features if isinstance(features, dict) else {}


def read_features(schema: pa.Schema, raw: RawTables, request: Request, features: dict[str, Any] | None = None) -> None:
    """Note the kinds of columns, and the names of classes, that a schema declares."""
    kinds = {c.kind.feature: c.kind.name for c in request.columns if c.kind.feature}
    for name, declared in (features or hub_features(schema)).items():
        feature = _of_labels(declared)
        if not isinstance(feature, dict) or name not in schema.names:
            continue
        kind = kinds.get(str(feature.get("_type")))
        if kind:
            raw.kinds[name] = kind
        raw.features[name] = declared
        names = feature.get("names")
        if feature.get("_type") == "ClassLabel" and isinstance(names, list):
            texts = [str(n) for n in names]
            if raw.names.setdefault(name, texts) != texts:
                raise DataError(
                    f"The splits list the classes of '{name}' differently.",
                    "Give them the same list of classes.",
                    f"column {name}",
                    "classes-differ",
                )


def _of_labels(feature: Any) -> Any:
    """Return the feature itself, but of a list of class numbers that of its items."""
    inner = feature
    if isinstance(inner, list) and len(inner) == 1:
        inner = inner[0]  # how older versions write a list
    elif isinstance(inner, dict) and inner.get("_type") in {"List", "LargeList", "Sequence"}:
        inner = inner.get("feature")
    return inner if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else feature


def _schema(path: Path, limits: Limits) -> pa.Schema:
    if path.suffix.lower() == ".arrow":
        return open_table(path, limits.table_bytes).schema
    with open_parquet(path, path.name) as file:
        return file.schema_arrow


Change = Callable[[pa.RecordBatch], pa.RecordBatch]


def to_arrow(entry: Entry, tree: Tree, draft: Path, limits: Limits, change: Change = lambda batch: batch) -> Path:
    """Turn a Parquet file into Arrow, which can be mapped into memory; a file is turned once.

    change: applied to each batch, whose number of rows it keeps.
    Of files in the run's own folder the Parquet is removed: the data is on disk once.

    Raises:
        DataError: it is damaged, or grows beyond the limits.
    """
    source = tree.root / entry.path
    target = source if tree.own else draft / "data" / "arrow" / entry.path.replace("/", "--")
    target, note = target.with_suffix(".arrow"), target.with_suffix(".json")
    stamp = {"size": entry.size, "mtime_ns": entry.mtime_ns}
    if not tree.own and target.is_file() and read_json(note) == stamp:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    try:
        _convert(source, partial, entry, limits, change)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, target)
    if tree.own:
        source.unlink()
    else:
        write_json(note, stamp)
    return target


def _convert(source: Path, target: Path, entry: Entry, limits: Limits, change: Change) -> None:
    with (
        open_parquet(source, entry.path) as file,
        pa.OSFile(str(target), "wb") as sink,
        pa.ipc.new_stream(sink, _changed_schema(file.schema_arrow, change)) as writer,
    ):
        written = 0
        for batch in file.iter_batches(batch_size=BATCH):
            written += batch.nbytes
            ratio = written / max(1, entry.size)
            if written > limits.archive_bytes or (written > RATIO_FROM and ratio > limits.archive_ratio):
                message = f"The file grows to more than {format_bytes(written)}, {ratio:,.0f} times its size."
                raise DataError(message, "Write it with less compression.", entry.path, "archive-bomb")
            writer.write_batch(change(batch))


def _changed_schema(schema: pa.Schema, change: Change) -> pa.Schema:
    return change(pa.RecordBatch.from_pylist([], schema)).schema
