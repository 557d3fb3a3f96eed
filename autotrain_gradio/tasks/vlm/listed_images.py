"""Lists of images as TRL and others write them, and images that messages name: rows with one image each.

A row with several images has none afterwards, and is skipped with a message: a row has one image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_count, join_examples
from autotrain_gradio.data.files.arrow_files import as_media
from autotrain_gradio.data.kinds.conversation import holds_conversations
from autotrain_gradio.data.layouts.embedded import media_role
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.tables.types import Sheet
from autotrain_gradio.tasks.vlm.image_conversation import image_parts

SEVERAL = "images-several"
NAME_KEYS = ("path", "file_name", "image", "url", "image_url")
"""Keys of an object that names an image."""


def named_image(item: Any) -> str | None:
    """Return the file that an item of a list, or a part of a message, names; None: none."""
    if isinstance(item, Mapping):
        return next((found for key in NAME_KEYS if (found := named_image(item.get(key)))), None)
    return item if isinstance(item, str) and item else None


def media_lists(schema: pa.Schema, request: Request) -> str | None:
    """Return the column that holds lists of images with their bytes; None: there is none."""
    role, asked = media_role(request)
    listed = [f.name for f in schema if pa.types.is_list(f.type) or pa.types.is_large_list(f.type)]
    found = [n for n in listed if as_media(pa.chunked_array([], schema.field(n).type.value_type)) is not None]
    named = [n for n in found if n in asked] or [n for n in found if n.lower() in role.names]
    return next(iter(named or (found if len(found) == 1 else [])), None)


def first_of(batch: pa.RecordBatch, column: str, sizes: list[int]) -> pa.RecordBatch:
    """Return a batch whose lists of images have become their only image; the features that it declared are removed.

    sizes: receives the number of images of each row.
    """
    lists = batch.column(column)
    counts = [len(cell) if cell.is_valid else 0 for cell in lists]
    sizes += counts
    starts = lists.offsets.to_pylist()
    index = pa.array([start if n == 1 else None for start, n in zip(starts, counts, strict=False)], pa.int64())
    media = as_media(pa.chunked_array([lists.values]))
    assert media is not None
    columns = [media.combine_chunks().take(index) if n == column else batch.column(n) for n in batch.schema.names]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def with_single_images(sheet: Sheet, request: Request) -> Sheet:
    """Return a table whose lists of file names have become single names.

    Without a column of images, that of the messages gives it: the only image that a row's messages name.
    """
    role, asked = media_role(request)
    table = sheet.table
    wanted = [n for n in table.column_names if n in asked or n.strip().lower() in role.names]
    for name in wanted:
        cells = [_items(value) for value in table.column(name).to_pylist()]
        if any(items is not None for items in cells):
            texts = [[named_image(i) for i in items] if items is not None else None for items in cells]
            return _replaced(sheet, name, texts)
    if wanted:
        return sheet
    for name in table.column_names:
        if holds_conversations(table.column(name)):
            texts = [list(_named_in_messages(value)) for value in table.column(name).to_pylist()]
            return _replaced(sheet, role.role, texts) if any(texts) else sheet
    return sheet


def several_images(rows: Sequence[int], where: str, numbers: Sequence[Any]) -> list[Finding]:
    """Report rows with several images. rows: number of images of each row. numbers: of each row, for the message."""
    found = [f"row {number} ({count} images)" for count, number in zip(rows, numbers, strict=True) if count > 1]
    if not found:
        return []
    message = format_count("{n} {has} several images and {was} skipped", len(found), "row")
    hint = "Divide the rows, so that each has one image."
    return [Finding("warning", SEVERAL, f"{message}: {join_examples(found)}.", hint, where)]


def _items(value: Any) -> list[Any] | None:
    """Return a cell as a list; None: it is none. A text may write one as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, list) else None


def _named_in_messages(value: Any) -> Iterator[str]:
    yield from (name for part in image_parts(value) if (name := named_image(part)) and not name.startswith("data:"))


def _replaced(sheet: Sheet, name: str, lists: Sequence[Sequence[str | None] | None]) -> Sheet:
    """Return a table with a column of the only name of each list, and a finding about longer lists."""
    values = [items[0] if items is not None and len(items) == 1 else None for items in lists]
    array = pa.array(values, pa.string())
    table = sheet.table
    place = table.column_names.index(name) if name in table.column_names else None
    table = table.append_column(name, array) if place is None else table.set_column(place, name, array)
    found = several_images([len(items or ()) for items in lists], sheet.name, sheet.number)
    return replace(sheet, table=table, findings=[*sheet.findings, *found])
