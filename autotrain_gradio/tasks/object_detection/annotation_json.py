"""JSON of annotation tools: which tool wrote a file, and its content."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.tables.table_limits import require_bytes, require_json

SUFFIXES = (".json",)
PIECE = 65_536
"""Bytes that are read at a time while a file is recognized."""
OVERLAP = 100
"""Bytes of the piece before that are looked at again: a key may lie across the border."""
COCO, LABELME, LABEL_STUDIO, LABEL_STUDIO_MIN = "COCO", "LabelMe", "Label Studio", "Label Studio JSON-MIN"
KEY = re.compile(
    rb'"(?:(images|annotations|categories|shapes)"\s*:\s*\[|(data)"\s*:\s*\{|(imagePath)"\s*:\s*"'
    rb'|(rectangle|polygon|ellipse)labels"\s*:\s*\[)'
)
TOOLS = {
    COCO: frozenset({b"images", b"annotations", b"categories"}),
    LABELME: frozenset({b"shapes", b"imagePath"}),
    LABEL_STUDIO: frozenset({b"data", b"annotations"}),
}
"""Tool → keys by which its files are recognized. Those of Label Studio are in a list of tasks."""


def entries_of(tree: Tree, *tools: str) -> list[Entry]:
    """Return the JSON files that one of these tools wrote."""
    return [e for e in tree.tables(SUFFIXES) if tool_of(tree.root / e.path) in tools]


def tool_of(path: Path) -> str | None:
    """Return the tool whose keys a file has, wherever they are in it; None: no tool that is known.

    The file is read in pieces, and only as far as needed.
    """
    seen: set[bytes] = set()
    regions = False
    try:
        with path.open("rb") as file:
            tail, is_list = b"", False
            while piece := file.read(PIECE):
                if not tail:
                    is_list = piece.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"["
                for match in KEY.finditer(tail + piece):
                    name = match[1] or match[2] or match[3]
                    regions |= name is None
                    seen |= {name} if name else set()
                tail = piece[-OVERLAP:]
                for tool, keys in TOOLS.items():
                    if keys <= seen and (is_list or tool != LABEL_STUDIO) and (not is_list or tool != LABELME):
                        return tool
    except OSError:
        return None  # another layout reports it
    return LABEL_STUDIO_MIN if regions and is_list and b"data" not in seen else None


def read_document(tree: Tree, entry: Entry, request: Request) -> tuple[Any, list[Finding]]:
    """Return the content of a JSON file, and findings about its encoding.

    Raises:
        DataError: it is damaged or too large.
    """
    require_bytes(entry.size, entry.path, request.limits.table_bytes)
    text, findings = decode(tree.read(entry.path), entry.path, request.spec.encoding)
    require_json(text, entry.path, request.limits)
    try:
        return json.loads(text), findings
    except (ValueError, RecursionError) as error:
        raise DataError(f"The file is not JSON: {error}.", "Export it again.", entry.path, "json-damaged") from None


def items(document: Any, key: str = "") -> list[Mapping[str, Any]]:
    """Return the objects of a list, or of the list that a mapping has under a key; empty without one."""
    found = document.get(key) if key and isinstance(document, Mapping) else document
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
