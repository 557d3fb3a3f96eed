"""Panels of audio: hours, lengths, sampling rates, speakers, and a few clips."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_duration
from autotrain_gradio.data.kinds.audio_cells import AudioCells
from autotrain_gradio.data.media.audio_files import AudioError, read_audio
from autotrain_gradio.data.rows import Context, Rows

EDGES = (0.0, 0.5, 1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 60, 300, 1800)
"""Seconds between the bars of the histogram of lengths."""
SPEED_EDGES = (0, 2, 5, 8, 11, 14, 17, 20, 25, 30, 40)
"""Characters per second between the bars of the histogram of tempo."""
SPEAKERS = 20
CLIPS = 12
CLIP_SECONDS = 20.0
CLIP_RATE = 24_000
"""Highest sampling rate of the clips that are listened to on the page."""


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Tell hours, and plot lengths, tempo, sampling rates and the minutes of each speaker."""
    cells = rows.cells[role]
    seconds = cells.facts["seconds"]
    parts = {name: rows.indices(name) for name in ("train", "validation")}
    used = rows.indices()
    lengths = seconds[used]
    found = [
        panels.numbers(
            "Audio",
            {
                "Total": _duration(float(lengths.sum())),
                "Training": _duration(float(seconds[parts["train"]].sum())),
                "Validation": _duration(float(seconds[parts["validation"]].sum())),
                "Shortest": _duration(float(lengths.min())),
                "Median": _duration(float(np.median(lengths))),
                "Longest": _duration(float(lengths.max())),
            },
        ),
        _histogram("Length", {n: seconds[i] for n, i in parts.items()}, EDGES, " s"),
    ]
    texts = text_of(rows)
    if texts is not None:
        tempo = tempo_of(texts, seconds)
        found.append(_histogram("Characters per second", {n: tempo[i] for n, i in parts.items()}, SPEED_EDGES, ""))
    rates = Counter(cells.facts["rate"][used].tolist())
    if len(rates) > 1:
        labels = [f"{rate:,} Hz" for rate, _ in sorted(rates.items())]
        found.append(
            panels.bars("Sampling rates", labels, {"rows": [float(n) for _, n in sorted(rates.items())]}, unit="rows")
        )
    for group in rows.having("group"):
        found += _minutes(group, rows.cells[group].values, seconds, parts)
    return found


def text_of(rows: Rows) -> Any:
    """Return the texts of the rows as a list, of the first role of texts; None where there is none."""
    for role, column in rows.columns.items():
        if column.kind.texts:
            values = rows.cells[role].values
            return values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    return None


def tempo_of(texts: Any, seconds: Any) -> Any:
    """Return characters per second of each row (numpy)."""
    lengths = np.array([0 if t is None else len(t.strip()) for t in texts], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seconds > 0, lengths / seconds, np.nan)


def _duration(seconds: float) -> str:
    return format_duration(seconds, decimals=1)


def _histogram(title: str, series: dict[str, Any], edges: tuple[float, ...], unit: str = "") -> Panel:
    counts = {n: np.histogram(v, [*edges, np.inf])[0] for n, v in series.items() if len(v) or n == "train"}
    filled = np.flatnonzero(sum(counts.values()))
    cut = slice(filled[0], filled[-1] + 1) if len(filled) else slice(0, 0)
    labels = [f"{a:g} to {b:g}{unit}" for a, b in zip(edges, edges[1:], strict=False)]
    labels.append(f"{edges[-1]:g}{unit} and more")
    return panels.bars(title, labels[cut], {n: [float(c) for c in v[cut]] for n, v in counts.items()}, unit="rows")


def _minutes(role: str, names: Any, seconds: Any, parts: dict[str, Any]) -> list[Panel]:
    """Plot the minutes of each speaker (or other group)."""
    listed = names.to_pylist() if hasattr(names, "to_pylist") else list(names)
    totals: dict[str, dict[str, float]] = {n: defaultdict(float) for n in parts}
    for part, indices in parts.items():
        for i in indices.tolist():
            if listed[i] is not None:
                totals[part][str(listed[i])] += float(seconds[i]) / 60
    every: dict[str, float] = defaultdict(float)
    for total in totals.values():
        for name, minutes in total.items():
            every[name] += minutes
    if not every:
        return []
    shown = sorted(every, key=lambda name: -every[name])[:SPEAKERS]
    series = {n: [round(t[name], 2) for name in shown] for n, t in totals.items() if t or n == "train"}
    note = f"The {SPEAKERS} with the most of {len(every):,}." if len(every) > SPEAKERS else ""
    return [panels.bars(f"Minutes of each {role}", shown, series, unit="min", note=note)]


def gallery(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Write a few clips to `check/`, the same ones each time, as WAV that every browser plays."""
    cells: AudioCells = rows.cells[role]  # type: ignore[assignment]
    used = rows.indices().tolist()
    chosen = sorted(random.Random(7).sample(used, min(CLIPS, len(used))))
    texts = text_of(rows)
    groups = next((rows.cells[r] for r in rows.having("group")), None)
    folder = context.draft / "check"
    folder.mkdir(parents=True, exist_ok=True)
    items, failed = [], 0
    for i in chosen:
        try:
            file = clip(cells, i, folder)
        except AudioError:
            failed += 1  # counted below: not every row was listened to by the checks
            continue
        name = None if groups is None else _at(groups.values, i)
        place = cells.values[i].rpartition("/")[2] if cells.values[i] is not None else rows.locations[i]
        detail = " · ".join(x for x in (name or "", _duration(float(cells.facts["seconds"][i])), place) if x)
        items.append({"file": f"check/{file}", "caption": (texts[i] if texts else None) or "", "detail": detail})
    note = f"{len(items)} of {len(used):,} rows" + (f"; {failed} more cannot be decoded." if failed else ".")
    return [panels.gallery("Listen to some", items, note=note)] if items else []


def _at(values: Any, row: int) -> str | None:
    value = values[row]
    return value.as_py() if hasattr(value, "as_py") else value


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
