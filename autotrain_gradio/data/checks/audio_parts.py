"""Segments: rows whose start and end, in seconds, select a part of a recording.

They are the roles `start` and `end` of the kind SECONDS. Rows with impossible times are skipped. From here on the
lengths and the digests of the rows are those of their segments; the fact `file` numbers their files.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.data.kinds import audio
from autotrain_gradio.data.kinds.audio import SHORTEST
from autotrain_gradio.data.kinds.audio_panels import text_of
from autotrain_gradio.data.kinds.seconds import MILLISECONDS
from autotrain_gradio.data.locations import tables_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

START, END = "start", "end"
BEYOND = 0.25
"""Seconds by which a part may end after its file: times are often rounded."""
NEARLY_ALL = 0.9
LONG = 30.0
"""Seconds of audio that most speech models take at once."""
SKIPPED = {
    "part-backwards": ("{n} {ends} before or where {it} {begins}", "Correct the times: the end comes after the start."),
    "part-outside": ("{n} {ends} after the end of {its} file", "Correct the times, or add the whole recordings."),
    "part-short": (
        f"{{n}} {{is}} shorter than {SHORTEST:g} s",
        "A clip this short cannot be trained on: correct the times.",
    ),
}
"""Reason why a row is skipped → message, a template of `format_count`, and hint."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Skip rows with impossible times; report segments and files that are very long."""
    found = audio.of(rows)
    if found is None:
        return
    cells = found[1]
    file = cells.facts["seconds"]
    times = {name: _times(rows, name) for name in (START, END)}
    if all(np.isnan(t).all() for t in times.values()):
        yield from _long(rows, file, "audio file")
        return
    given = request.spec.options.get("time_unit")
    tables, table_of_row = np.unique(tables_of(rows.locations), return_inverse=True)
    why_of = ["" if given else _in_milliseconds(rows, table_of_row == k, times, file) for k in range(len(tables))]
    milliseconds = np.array([given == "milliseconds" or why != "" for why in why_of])[table_of_row]
    for name in times:
        times[name] = np.where(milliseconds, times[name] / 1000, times[name])
        if name in rows.cells:
            rows.cells[name].values = pa.array(times[name], mask=np.isnan(times[name]))
    for table, why in zip(tables, why_of, strict=True):
        if why:
            message = f"The times of {table or 'the parts'} were read as milliseconds: {why}."
            fix = Fix("Read the times as seconds", {"options": {"time_unit": "seconds"}})
            hint = "Write seconds, such as 1.25, to be sure."
            yield Finding("warning", "times-in-milliseconds", message, hint, "data.options.time_unit", fix)
    begin = np.where(np.isnan(times[START]), 0.0, times[START])
    end = np.where(np.isnan(times[END]), file, times[END])
    impossible = {"part-backwards": end <= begin, "part-outside": (begin >= file) | (end > file + BEYOND)}
    end = np.minimum(end, file)
    impossible["part-short"] = end - begin < SHORTEST
    for code, (text, hint) in SKIPPED.items():
        skipped = np.flatnonzero(impossible[code] & rows.needed)
        rows.drop(skipped, code)

        def between(row: int, outside: bool = code == "part-outside") -> str:
            first, last = (name if np.isnan(t[row]) else f"{t[row]:g}" for name, t in times.items())
            return f" ({first} to {last} s{f' of {file[row]:.2f} s' if outside else ''})"

        yield from rows.findings("warning", code, f"{text}, and {{was}} skipped", skipped, hint, between, noun="part")
    parts = zip(cells.facts["digest"], times[START], times[END], strict=True)
    cells.facts |= {"seconds": np.maximum(end - begin, 0.0), "file": cells.content(), **times}
    cells.facts["digest"] = [f"{digest} {first} {last}" if digest else None for digest, first, last in parts]
    yield from _long(rows, cells.facts["seconds"], "part")


def _times(rows: Rows, role: str) -> Any:
    """Return the times of a role (numpy), NaN where there is none."""
    if role not in rows.cells or rows.kinds[role].name != "seconds":
        return np.full(len(rows), np.nan)
    return np.array(rows.cells[role].to_list(), dtype=float)


def _in_milliseconds(rows: Rows, chosen: Any, times: Mapping[str, Any], file: Any) -> str:
    """Return why the times of these rows are milliseconds, by their columns or by their files; "" if they are not."""
    named = [rows.cells[name].about.get("unit") == MILLISECONDS for name in times if name in rows.cells]
    last = np.where(np.isnan(times[END]), times[START], times[END])
    known = rows.needed & chosen & ~np.isnan(last)
    last, file = last[known], file[known] + BEYOND
    if len(last) < 2 or np.mean(last / 1000 <= file) <= NEARLY_ALL:
        return ""
    if np.mean(last > file) > NEARLY_ALL:
        return "as seconds, nearly all would lie beyond the ends of their files"
    return "their columns are named so" if all(named) and named else ""


def _long(rows: Rows, seconds: Any, noun: str) -> Iterator[Finding]:
    if text_of(rows) is None:
        return  # without transcripts long clips can be divided: the training says how
    long = np.flatnonzero(rows.needed & (seconds > LONG))
    long = long[np.argsort(-seconds[long], kind="stable")]
    longest = datetime.timedelta(seconds=round(float(seconds[long].max(initial=0))))
    text = f"{{n}} {{is}} longer than {LONG:g} s, the longest {longest}"
    hint = "Most speech models process about 30 s at once: longer clips than the training allows are skipped there. "
    hint += "Cut long recordings into parts, with start and end times or a TextGrid."
    yield from rows.findings("warning", "audio-long", text, long, hint, lambda i: f" ({seconds[i]:,.0f} s)", noun=noun)
