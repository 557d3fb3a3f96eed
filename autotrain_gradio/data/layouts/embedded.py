"""Parquet or Arrow files that carry the media themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, format_bytes, inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.arrow_files import as_media, open_table
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
    if request.media is None:
        return Rejected("this task reads no files")
    entries = tree.tables(SUFFIXES)
    if not entries:
        return Rejected(f"there are no {' or '.join(SUFFIXES)} files")
    reasons = []
    for entry in entries:
        try:
            schema = _schema(tree.root / entry.path)
        except DataError as error:
            reasons.append(f"{entry.path}: {error.message}")
            continue
        column = media_field(schema, request)
        if column:
            return Recognized(
                0.9,
                f"{join_examples([e.path for e in entries])} {inflect(len(entries), 'holds')} the "
                f"{request.media.name}s in the column '{column}'",
            )
        reasons.append(f"{entry.path} has no column of {request.media.name}s, only {join_examples(schema.names)}")
    return Rejected("; ".join(reasons[:3]))


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the files into memory; Parquet is turned into Arrow once."""
    parts: list[tuple[str, Entry]] = [
        (split_names.of_entry(entry, tree, request.spec), entry) for entry in tree.tables(SUFFIXES)
    ]
    raw_splits: list[tuple[str, str, Path]] = []
    for number, (split, entry) in enumerate(parts):
        if media_field(_schema(tree.root / entry.path), request) is None:
            continue
        path = tree.root / entry.path
        if entry.suffix == ".parquet":
            path = to_arrow(entry, tree, draft, request.limits)
        progress(f"Reading {entry.name}", number / len(parts))
        raw_splits.append((split, entry.path, path))
    raw = join(raw_splits, request)
    raw.files_read = [e.path for _, e in parts if (tree.root / e.path).exists()]
    return raw


def join(parts: list[tuple[str, str, Path]], request: Request) -> RawTables:
    """Make raw tables of Arrow files, given as (split, name for messages, file)."""
    raw = RawTables({}, arrow=[path for _, _, path in parts])
    tables: dict[str, list[pa.Table]] = {}
    start = 0
    for split, name, path in parts:
        table = open_table(path)
        column = media_field(table.schema, request)
        if column is None:
            raise DataError(
                f"The file has no column of {request.media.name if request.media else 'file'}s.",
                "Give all files the same columns.",
                name,
                "splits-differ",
            )
        read_features(table.schema, raw, request)
        columns: dict[str, Any] = {}
        for field_name in table.column_names:
            values = table.column(field_name)
            media = as_media(values)
            if media is not None:
                columns[field_name] = media
            else:
                columns[field_name] = (
                    values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
                )
        count = table.num_rows
        columns[ROW] = pa.array(range(start, start + count), pa.int64())
        columns[LOCATION] = pa.array([f"{name}, row {k}" for k in range(1, count + 1)], pa.string())
        raw.kinds[column] = request.media.name if request.media else ""
        tables.setdefault(split, []).append(pa.table(columns))
        start += count
    if all(_without_bytes(t, request) for found in tables.values() for t in found):
        raw.arrow = []  # the cells name files: these are rows of an ordinary table
    else:
        for found in tables.values():
            found[:] = [_only_bytes(t, request) for t in found]
    for split, found in tables.items():
        raw.splits[split] = stacked(found, "files", split or "data")
    return raw


def _without_bytes(table: pa.Table, request: Request) -> bool:
    column = media_field(table.schema, request)
    return column is not None and all(c.field("bytes").null_count == len(c) for c in table.column(column).chunks)


def _only_bytes(table: pa.Table, request: Request) -> pa.Table:
    """Empty the cells that name a file where the others carry theirs: they are counted as missing."""
    name = media_field(table.schema, request)
    if name is None:
        return table
    chunks = []
    for chunk in table.column(name).chunks:
        fields = [chunk.field("bytes"), chunk.field("path")]
        chunks.append(pa.StructArray.from_arrays(fields, ["bytes", "path"], mask=fields[0].is_null()))
    column = pa.chunked_array(chunks, table.schema.field(name).type)
    return table.set_column(table.column_names.index(name), name, column)


def media_field(schema: pa.Schema, request: Request) -> str | None:
    """Return the media column: by the spec, by the schema's features, by the names of the role, or the only one."""
    role = next((c for c in request.columns if c.kind == request.media), None)
    if role is None:
        return None
    usable = [f.name for f in schema if as_media(pa.chunked_array([], f.type)) is not None]
    asked = request.spec.columns.get(role.role)
    names = [asked] if isinstance(asked, str) else asked or []
    if not set(names).isdisjoint(schema.names):
        return next((n for n in names if n in usable), None)
    features = hub_features(schema)
    for name in usable:
        if isinstance(features.get(name), dict) and features[name].get("_type") == role.kind.feature:
            return name
    for name in usable:
        if name.lower() in role.names:
            return name
    return usable[0] if len(usable) == 1 else None


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


def _schema(path: Path) -> pa.Schema:
    if path.suffix.lower() == ".arrow":
        return open_table(path).schema
    try:
        return pq.read_schema(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(
            f"The Parquet file cannot be read: {error}.", "Write or copy it again.", path.name, "parquet-damaged"
        ) from None


def to_arrow(entry: Entry, tree: Tree, draft: Path, limits: Limits) -> Path:
    """Turn a Parquet file into Arrow, which can be mapped into memory; a file is turned once.

    Of files in the run's own folder the Parquet is removed: the data is on disk once.

    Raises:
        DataError: it is damaged, or grows beyond the limits.
    """
    source = tree.root / entry.path
    if tree.own:
        target = source.with_suffix(".arrow")
    else:
        name = entry.path.replace("/", "--")
        target = draft / "data" / "arrow" / f"{os.path.splitext(name)[0]}.arrow"
    note = target.with_suffix(".json")
    stamp = {"size": entry.size, "mtime_ns": entry.mtime_ns}
    if not tree.own and target.is_file() and read_json(note) == stamp:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    try:
        _convert(source, partial, entry, limits)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    os.replace(partial, target)
    if tree.own:
        source.unlink()
    else:
        write_json(note, stamp)
    return target


def _convert(source: Path, target: Path, entry: Entry, limits: Limits) -> None:
    written = 0
    try:
        with pq.ParquetFile(source) as file, pa.OSFile(str(target), "wb") as sink:
            schema = file.schema_arrow
            with pa.ipc.new_stream(sink, schema) as writer:
                for batch in file.iter_batches(batch_size=BATCH):
                    written += batch.nbytes
                    if written > limits.archive_bytes or (
                        written > 64 * MIB and written / max(1, entry.size) > limits.archive_ratio
                    ):
                        raise DataError(
                            f"The file grows to more than {format_bytes(written)}, "
                            f"{written / max(1, entry.size):,.0f} times its size: it is refused.",
                            "Write it with less compression.",
                            entry.path,
                            "archive-bomb",
                        )
                    writer.write_batch(batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"The Parquet file cannot be read: {error}.", "Write or copy it again.", entry.path, "parquet-damaged"
        ) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(
            f"The Parquet file cannot be read: {error}.", "Write or copy it again.", entry.path, "parquet-damaged"
        ) from None
