"""Arrow files with media inside: mapped into memory, read row by row, never copied."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import DataError


def open_table(path: Path) -> pa.Table:
    """Map an Arrow file (stream or file format) into memory.

    Raises:
        DataError: it is no Arrow file, or damaged.
    """
    try:
        source = pa.memory_map(str(path))
        try:
            table = pa.ipc.open_stream(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            table = pa.ipc.open_file(source).read_all()
        table.validate(full=True)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise DataError(
            f"The Arrow file cannot be read: {error}.", "Write it again, or copy it again.", path.name, "arrow-damaged"
        ) from None
    return table


def as_media(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column as structs `{bytes, path}` without copying bytes; None when it holds no media.

    Accepts structs with a field `bytes` and plain binary columns.
    """
    type_ = column.type
    if pa.types.is_struct(type_):
        names = [type_.field(i).name for i in range(type_.num_fields)]
        if "bytes" not in names or not _is_binary(type_.field("bytes").type):
            return None
        chunks = [_struct(c.field("bytes"), c.field("path") if "path" in names else None, c) for c in column.chunks]
    elif _is_binary(type_):
        chunks = [_struct(c, None, c) for c in column.chunks]
    else:
        return None
    return pa.chunked_array(chunks, pa.struct([("bytes", pa.large_binary()), ("path", pa.string())]))


def _is_binary(type_: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_))


def _struct(data: pa.Array, paths: pa.Array | None, parent: pa.Array) -> pa.StructArray:
    text = pa.nulls(len(data), pa.string()) if paths is None else paths.cast(pa.string())
    return pa.StructArray.from_arrays([data.cast(pa.large_binary()), text], ["bytes", "path"], mask=parent.is_null())


def media_column(files: Sequence[Path], name: str) -> pa.ChunkedArray:
    """Return one column of several Arrow files, one after the other, as structs `{bytes, path}`."""
    chunks: list[pa.Array] = []
    for path in files:
        column = as_media(open_table(path).column(name))
        if column is None:
            raise DataError(f"The column '{name}' holds no media.", "Check the data again.", path.name, "files-changed")
        chunks += column.chunks
    return pa.chunked_array(chunks, pa.struct([("bytes", pa.large_binary()), ("path", pa.string())]))
