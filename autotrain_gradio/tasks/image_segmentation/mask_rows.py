"""Parquet or Arrow files that carry images and masks."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts import embedded
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.image_segmentation.mask_tables import declare_classes


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are Parquet or Arrow files with a column of images."""
    return embedded.recognize(tree, request)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Map the files into memory; every column of bytes may hold images or masks."""
    raw = embedded.read(tree, request, draft, progress)
    for table in raw.splits.values():
        media = [f.name for f in table.schema if pa.types.is_struct(f.type) and f.type.get_field_index("bytes") >= 0]
        raw.kinds |= dict.fromkeys(media, request.files.name)
    declare_classes(raw, tree, request)
    return raw
