"""Arrow and Parquet files; media inside Arrow files are mapped into memory, never copied."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.files.arrow_limits import decompressed_bytes, stream_start

MEDIA = pa.struct([("bytes", pa.large_binary()), ("path", pa.string())])


@contextmanager
def damage_reported(name: str, format_: str, code: str) -> Iterator[None]:
    """Turn errors about the content of an Arrow or Parquet file into a DataError with this code."""
    try:
        yield
    except MemoryError:
        raise
    # ArrowException: damaged, or of a type or encoding that pyarrow does not read. UnicodeDecodeError: a column's name
    # is not UTF-8.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
            raise
        message = f"The {format_} file cannot be read: {error}."
        raise DataError(message, "Write or copy it again.", name, code) from None


def open_table(path: Path, limit: int | None = None) -> pa.Table:
    """Map an Arrow file (stream or file format) into memory; compressed buffers are decompressed.

    limit: bytes that these may have; None: the file was checked before.

    Raises:
        DataError: it is not an Arrow file, damaged, or exceeds the limit.
    """
    with damage_reported(path.name, "Arrow", "arrow-damaged"):
        source = pa.memory_map(str(path))
        size = 0 if limit is None else decompressed_bytes(source)
        if limit is not None and size > limit:
            bound = f"the limit is {format_bytes(limit)}"
            message = f"The Arrow file has {format_bytes(size)} after decompression; {bound}."
            raise DataError(message, "Split the file, or save it as Parquet.", path.name, "table-too-large")
        source.seek(stream_start(source))
        table = pa.ipc.open_stream(source).read_all()
        table.validate(full=True)
    return table


@contextmanager
def open_parquet(path: Path, name: str, **options: Any) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file; errors about its content, here and inside the `with`, become a DataError.

    options: of `pyarrow.parquet.ParquetFile`.
    """
    with damage_reported(name, "Parquet", "parquet-damaged"), pq.ParquetFile(path, **options) as file:
        yield file


def as_media(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column as structs `{bytes, path}` without copying bytes; None when it holds no media.

    Accepts structs with a field `bytes` and plain binary columns.
    """
    type_ = column.type
    names = [field.name for field in type_] if pa.types.is_struct(type_) else []
    if not _is_binary(type_.field("bytes").type if "bytes" in names else type_):
        return None
    chunks = []
    for chunk in column.chunks:
        data = chunk.field("bytes") if names else chunk
        path = chunk.field("path") if "path" in names else pa.nulls(len(chunk))
        cells = [data.cast(pa.large_binary()), path.cast(pa.string())]
        chunks.append(pa.StructArray.from_arrays(cells, ["bytes", "path"], mask=chunk.is_null()))
    return pa.chunked_array(chunks, MEDIA)


def _is_binary(type_: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type_) or pa.types.is_large_binary(type_))


def media_column(files: Sequence[Path], name: str) -> pa.ChunkedArray:
    """Return one column of several Arrow files, one after the other, as structs `{bytes, path}`."""
    chunks: list[pa.Array] = []
    for path in files:
        column = as_media(open_table(path).column(name))
        if column is None:
            raise DataError(f"The column '{name}' holds no media.", "Check the data again.", path.name, "files-changed")
        chunks += column.chunks
    return pa.chunked_array(chunks, MEDIA)
