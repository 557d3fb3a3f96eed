"""An inspected column of audio: files, or segments of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.data.media.audio_files import Source
from autotrain_gradio.data.rows import Cells


@dataclass
class AudioCells(Cells):
    """A column of audio.

    facts: `seconds` of the file, later of the part (numpy float64, NaN: unknown), `rate`, `channels` (numpy, 0:
        unknown), `format`, `digest` (of the file, later of the part), and once parts are known `start` and `end` (NaN:
        of the file) and `file` (numpy, the number of the file).
    column: the cells as they are in the data.
    """

    column: Any = None
    root: Path = Path()
    draft: Path = Path()

    def source(self, row: int) -> Source:
        """Return the file of a row, or the bytes that the data carries."""
        path = self.values[row]
        if path is not None:
            return self.root / path
        return memoryview(self.column[row]["bytes"].as_buffer())

    def part(self, row: int) -> tuple[float | None, float | None]:
        """Return start and end of a row's part in seconds; None: of the file."""
        times = [self.facts[name][row] if name in self.facts else np.nan for name in ("start", "end")]
        start, end = (None if np.isnan(t) else float(t) for t in times)
        return start, end
