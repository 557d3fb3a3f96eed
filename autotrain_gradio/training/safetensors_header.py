"""The header of a safetensors file: 8 bytes of length, JSON, then the data (https://huggingface.co/docs/safetensors)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autotrain_gradio.core.text_format import MIB, format_bytes

HEADER_BYTES = 100 * MIB
"""Maximum size of a header, that of the format itself."""


def safetensors_header(path: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """Return name → `{dtype, shape, data_offsets}` of each tensor, and the offset in bytes at which the data begin.

    Raises:
        ValueError: the length or the JSON of the header is invalid.
    """
    total = path.stat().st_size
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 0 < size <= min(HEADER_BYTES, total - 8):
            raise ValueError(f"its header has {format_bytes(size)}, and the file {format_bytes(total)}")
        header = json.loads(file.read(size))
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    return {name: tensor for name, tensor in header.items() if name != "__metadata__"}, 8 + size
