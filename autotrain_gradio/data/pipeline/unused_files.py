"""Files of the data that no row uses."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import RawTables

TEXTS = (".txt", "/text")
"""Endings of files that may be something else than data."""


def unused_files(tree: Tree, raw: RawTables, request: Request) -> list[Finding]:
    """Return a warning that names media files and annotations that no row of any split uses.

    Files that a finding of the layout names are not named again.
    """
    media = request.media
    if media is None or tree.only is not None or raw.arrow:
        return []
    known = raw.reported.union(raw.files_read)
    for table in raw.splits.values():
        for name, kind in raw.kinds.items():
            if kind == media.name and name in table.column_names and pa.types.is_struct(table.column(name).type):
                known.update(pc.unique(pc.struct_field(table.column(name), "path")).to_pylist())
    endings = tuple(end for layout in request.layouts for end in layout.files if end not in TEXTS)
    unused = [
        f.path
        for f in tree.files
        if f.path not in known and (f.suffix in media.suffixes or f.name.lower().endswith(endings))
    ]
    text, hint = "{n} {is} not used by any row", "Name them in the table or annotate them, or remove them."
    return report_examples("warning", "files-unused", text, unused, "file", hint)
