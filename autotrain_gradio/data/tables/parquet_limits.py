"""Read a Parquet file in parts, and stop before it takes too much memory.

Run lengths and dictionaries make a file of kilobytes that has billions of values, or a text of a megabyte in each of a
million rows. The footer counts rows and values; texts are read as dictionaries, whose expanded size is known before
they are expanded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.data.tables.table_limits import require_bytes, require_cells, require_columns, require_rows
from autotrain_gradio.data.values.arrow_columns import is_text

BATCH_ROWS = 65_536


def require_footer(file: pq.ParquetFile, name: str, limits: Limits) -> None:
    """Check the counts in the footer of a file.

    Raises:
        DataError: too many rows, columns or values, or two columns with the same name.
    """
    footer = file.metadata
    require_rows(footer.num_rows, name, limits)
    require_columns(footer.num_columns, name, limits)
    require_cells(footer.num_rows, footer.num_columns, name, limits)
    twice = next((n for n, count in Counter(file.schema_arrow.names).items() if count > 1), None)
    if twice is not None:
        raise DataError(f"Two columns have the name '{twice}'.", "Rename one of them.", name, "column-twice")
    values = sum(
        footer.row_group(group).column(column).num_values
        for group in range(footer.num_row_groups)
        for column in range(footer.num_columns)
    )
    require_cells(values, 1, name, limits)


def read_batches(file: pq.ParquetFile, columns: Sequence[str], name: str, limits: Limits) -> Iterator[pa.RecordBatch]:
    """Yield the rows of some columns.

    Raises:
        DataError: their values would take too much memory.
    """
    size = 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=list(columns)):
        size += sum(expanded_bytes(column) for column in batch.columns)
        require_bytes(size, name, limits.table_bytes, what="would take more than")
        yield batch


def expanded_bytes(column: pa.Array | pa.ChunkedArray) -> int:
    """Return the size of a column in bytes without the dictionary of its values."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return sum(_expanded(chunk) for chunk in chunks)


def _expanded(array: pa.Array) -> int:
    if not pa.types.is_dictionary(array.type):
        return int(array.nbytes)
    values = array.dictionary
    if not (is_text(values.type) or pa.types.is_binary(values.type)):
        return int(len(array) * values.nbytes / max(1, len(values)))
    lengths = pc.binary_length(values).cast(pa.int64()).take(array.indices)
    return int(pc.sum(lengths).as_py() or 0) + 4 * len(array)
