"""Panels of audio: hours, lengths, sampling rates, speakers, and a few clips."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_duration
from autotrain_gradio.data.kinds import charts
from autotrain_gradio.data.kinds.audio_cells import AudioCells
from autotrain_gradio.data.media.audio_files import AudioError, read_audio
from autotrain_gradio.data.rows import Context, Rows

EDGES = (0.0, 0.5, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 60, 300, 1800)
"""Seconds between the bars of the histogram of lengths."""
SPEED_EDGES = (0, 2, 5, 8, 11, 14, 17, 20, 25, 30, 40)
"""Characters per second between the bars of the histogram of tempo."""
SPEAKERS = 20
CLIPS = 12
PER_CLASS = 3
CLASSES = 12
CLIP_SECONDS = 20.0
CLIP_RATE = 24_000
"""Highest sampling rate of the clips that are played on the page."""


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Plot total duration, lengths, tempo, sampling rates and the minutes of each speaker."""
    cells = rows.cells[role]
    seconds = cells.facts["seconds"]
    parts = charts.by_split(rows, seconds)
    lengths = seconds[rows.indices()]
    totals = {"Total": lengths.sum(), "Training": parts["train"].sum(), "Validation": parts["validation"].sum()}
    totals |= {"Shortest": lengths.min(), "Median": np.median(lengths), "Longest": lengths.max()}
    found = [
        panels.numbers("Audio", {name: format_duration(float(s), decimals=1) for name, s in totals.items()}),
        _histogram("Length", parts, EDGES, " s"),
    ]
    texts = text_of(rows)
    if texts is not None:
        tempo = charts.by_split(rows, tempo_of(texts, seconds))
        found.append(_histogram("Characters per second", tempo, SPEED_EDGES, ""))
    rates = sorted(Counter(cells.facts["rate"][rows.indices()].tolist()).items())
    if len(rates) > 1:
        labels = [f"{rate:,} Hz" for rate, _ in rates]
        found.append(panels.bars("Sampling rates", labels, {"rows": [float(n) for _, n in rates]}, unit="rows"))
    for group in rows.having("group"):
        found += charts.groups(f"Minutes of each {group}", rows, group, SPEAKERS, unit="min", weights=seconds / 60)
    return found


def _histogram(title: str, values: dict[str, Any], edges: tuple[float, ...], unit: str) -> Panel:
    labels = [f"{a:g} to {b:g}{unit}" for a, b in zip(edges, edges[1:], strict=False)]
    return charts.histogram(title, values, [*edges, np.inf], [*labels, f"{edges[-1]:g}{unit} and more"])


def text_of(rows: Rows) -> Any:
    """Return the texts of the rows as a list, of the first role of texts; None where there is none."""
    for role, column in rows.columns.items():
        if column.kind.texts:
            return rows.cells[role].values.to_pylist()
    return None


def tempo_of(texts: Any, seconds: Any) -> Any:
    """Return characters per second of each row (numpy)."""
    lengths = np.array([0 if t is None else len(t.strip()) for t in texts], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seconds > 0, lengths / seconds, np.nan)


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Write a few clips to `check/`, the same ones each time, as WAV that every browser plays."""
    cells: AudioCells = rows.cells[role]  # type: ignore[assignment]
    used = rows.indices()
    texts, found = text_of(rows), rows.classes()
    groups = next((rows.cells[r] for r in rows.having("group")), None)
    folder = context.draft / "check"
    folder.mkdir(parents=True, exist_ok=True)
    items, failed = [], 0
    # Of each class, or of all rows.
    chosen, more = charts.examples(rows, CLIPS if found is None else PER_CLASS, CLASSES)
    for label, i in chosen:
        try:
            file = clip(cells, i, folder)
        except AudioError:
            failed += 1  # counted below: the checks have not decoded every row
            continue
        name = None if groups is None else groups.values[i].as_py()
        place = cells.values[i].rpartition("/")[2] if cells.values[i] is not None else rows.locations[i]
        length = format_duration(float(cells.facts["seconds"][i]), decimals=1)
        detail = " · ".join(x for x in (name, length, place) if x)
        items.append({"file": f"check/{file}", "caption": (texts[i] if texts else None) or "", "detail": detail})
        if label:
            items[-1]["group"] = label
    note = f"{len(items)} of {len(used):,} rows" + (f"; {failed} more cannot be decoded" if failed else "")
    note += f"; {more}." if more else "."
    return [panels.gallery("Listen to some", items, note=note)] if items else []


def clip(cells: AudioCells, row: int, folder: Any) -> str:
    """Write the first `CLIP_SECONDS` of a row as mono WAV; return the file's name."""
    start, end = cells.part(row)
    begin = start or 0.0
    last = begin + CLIP_SECONDS if end is None else min(end, begin + CLIP_SECONDS)
    source = cells.source(row)
    cell = {"bytes": source} if isinstance(source, bytes | memoryview) else {"path": str(source)}
    rate = int(min(cells.facts["rate"][row] or CLIP_RATE, CLIP_RATE))
    samples = read_audio(cell, begin, last, rate)
    name = f"audio-{row}.wav"
    soundfile.write(folder / name, samples, rate, subtype="PCM_16")
    return name
