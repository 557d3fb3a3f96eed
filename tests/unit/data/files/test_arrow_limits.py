"""Arrow files whose compressed buffers would need too much memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.data.files.arrow_files import open_table
from autotrain_gradio.data.files.arrow_limits import decompressed_bytes

TABLE = pa.table(
    {
        "number": np.zeros(200_000),
        "text": ["x" * 10] * 200_000,
        "category": pa.array(["u", "v"] * 100_000).dictionary_encode(),
        "list": [[1, 2]] * 200_000,
    }
)
each_container = pytest.mark.parametrize("container", ["file", "stream"])


def write(path: Path, container: str, compression: str | None) -> Path:
    make = pa.ipc.new_file if container == "file" else pa.ipc.new_stream
    with (
        pa.OSFile(str(path), "wb") as sink,
        make(sink, TABLE.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer,
    ):
        writer.write_table(TABLE, max_chunksize=50_000)
    return path


@each_container
@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_compressed_file_is_refused_by_the_size_of_its_content(
    tmp_path: Path, container: str, compression: str
) -> None:
    path = write(tmp_path / "zeros.arrow", container, compression)
    assert path.stat().st_size < TABLE.nbytes / 4
    with pa.memory_map(str(path)) as source:
        assert TABLE.nbytes * 0.99 <= decompressed_bytes(source) <= TABLE.nbytes * 1.01
    assert open_table(path, 2 * TABLE.nbytes).equals(TABLE)
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match="after decompression; the limit is") as caught:
        open_table(path, TABLE.nbytes // 2)
    assert caught.value.code == "table-too-large" and caught.value.where == "zeros.arrow"
    assert pa.total_allocated_bytes() - before < TABLE.nbytes / 10


@each_container
def test_an_uncompressed_file_is_mapped_and_has_no_limit(tmp_path: Path, container: str) -> None:
    path = write(tmp_path / "zeros.arrow", container, None)
    before = pa.total_allocated_bytes()
    assert open_table(path, 1).equals(TABLE)
    assert pa.total_allocated_bytes() - before < TABLE.nbytes / 10


@each_container
def test_damaged_messages_are_errors_of_the_file(tmp_path: Path, container: str) -> None:
    data = write(tmp_path / "whole.arrow", container, "zstd").read_bytes()
    random = np.random.default_rng(5)
    refused = 0
    for _ in range(200):
        changed = bytearray(data[: int(random.integers(20, len(data)))] if random.random() < 0.3 else data)
        for place in random.integers(0, min(len(changed), 3000), 8):
            changed[place] = int(random.integers(256))
        path = tmp_path / "changed.arrow"
        path.write_bytes(changed)
        try:
            open_table(path, TABLE.nbytes * 2)
        except DataError as error:
            assert error.code in {"arrow-damaged", "table-too-large"}
            refused += 1
    assert refused > 50
