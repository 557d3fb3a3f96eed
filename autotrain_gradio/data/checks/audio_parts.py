"""Segments: rows whose start and end, in seconds, select a part of a recording.

They are the roles `start` and `end` of the kind SECONDS. Rows with impossible times are skipped. From here on the
lengths and the digests of the rows are those of their segments; the fact `recording` numbers their files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, format_count, join_examples, pluralize
from autotrain_gradio.data.kinds import audio
from autotrain_gradio.data.kinds.audio import SHORTEST
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

START, END = "start", "end"
BEYOND = 0.25
"""Seconds by which a part may end after its file: times are often rounded."""
LONG = 30.0
"""Seconds of audio that most speech models take at once."""
UNIT = "time_unit"
MILLISECONDS = "milliseconds"

HINTS = {
    "part-backwards": ("{n} {ends} before or where {it} {begins}", "Correct the times: the end comes after the start."),
    "part-outside": ("{n} {ends} after the end of {its} file", "Correct the times, or add the whole recordings."),
    "part-short": (
        f"{{n}} {{is}} shorter than {SHORTEST:g} s",
        "A clip this short holds no speech: correct the times.",
    ),
}


def check(rows: Rows, request: Request) -> list[Finding]:
    """Skip rows with impossible times; report segments and files that are very long."""
    found = audio.of(rows)
    if found is None:
        return []
    cells = found[1]
    file = cells.facts["seconds"]
    times = {name: _times(rows, name) for name in (START, END)}
    if all(np.isnan(t).all() for t in times.values()):
        return _long(rows, file, "audio file")
    findings = []
    if request.spec.options.get(UNIT) == MILLISECONDS:
        for name in times:
            times[name] = times[name] / 1000
            if name in rows.cells:
                rows.cells[name].values = pa.array(times[name], mask=np.isnan(times[name]))
    elif _milliseconds(rows, times, file):
        findings.append(
            Finding(
                "error",
                "times-in-milliseconds",
                "The times of nearly all parts lie far beyond the ends of their files: they look like milliseconds.",
                "Write seconds, or have them read as milliseconds.",
                "data.options.time_unit",
                Fix("Read them as milliseconds", {"options": {UNIT: MILLISECONDS}}),
            )
        )
        return findings
    begin = np.where(np.isnan(times[START]), 0.0, times[START])
    end = np.where(np.isnan(times[END]), file, times[END])
    used = rows.indices()
    bad = {
        "part-backwards": used[end[used] <= begin[used]],
        "part-outside": used[(begin[used] >= file[used]) | (end[used] > file[used] + BEYOND)],
    }
    end = np.minimum(end, file)
    bad["part-short"] = used[end[used] - begin[used] < SHORTEST]
    for code, indices in bad.items():
        indices = indices[rows.needed[indices]]
        rows.drop(indices, code)
        if len(indices):
            findings.append(_skipped(code, indices, rows, times, file))
    digests = cells.facts["digest"]
    parts = [f"{d} {a} {b}" if d else None for d, a, b in zip(digests, times[START], times[END], strict=True)]
    cells.facts |= {
        "seconds": np.maximum(end - begin, 0.0),
        START: times[START],
        END: times[END],
        "file": cells.content(),
        "digest": parts,
    }
    if not rows.count("train"):
        findings.append(rows.no_rows("Correct the times that the other findings report."))
    return [*findings, *_long(rows, cells.facts["seconds"], "part")]


def _times(rows: Rows, role: str) -> Any:
    """Return the times of a role, NaN where there is none."""
    if role not in rows.cells or rows.kinds[role].name != "seconds":
        return np.full(len(rows), np.nan)
    values = rows.cells[role].values
    listed = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
    return np.array([np.nan if v is None else float(v) for v in listed])


def _milliseconds(rows: Rows, times: dict[str, Any], file: Any) -> bool:
    used = rows.indices()
    end = times[END][used]
    known = ~np.isnan(end)
    if known.sum() < 2:
        return False
    end, whole = end[known], file[used][known]
    return bool(np.mean(end > whole + BEYOND) > 0.9 and np.mean(end / 1000 <= whole + BEYOND) > 0.9)


def _skipped(code: str, indices: Any, rows: Rows, times: dict[str, Any], file: Any) -> Finding:
    text, hint = HINTS[code]
    message = format_count(f"{text}, and {{was}} skipped", len(indices), "part")
    shown = []
    for i in indices[:5].tolist():
        of = f" of {file[i]:.2f} s" if code == "part-outside" else ""
        start, end = _format_time(times[START][i], "start"), _format_time(times[END][i], "end")
        shown.append(f"{rows.locations[i]} ({start} to {end} s{of})")
    return Finding(
        "warning",
        code,
        f"{message}: {join_examples(shown, len(indices))}.",
        hint,
        rows.locations[int(indices[0])] if len(indices) == 1 else pluralize(len(indices), "row"),
    )


def _format_time(time: float, missing: str) -> str:
    return missing if np.isnan(time) else f"{time:g}"


def _long(rows: Rows, seconds: Any, noun: str) -> list[Finding]:
    used = rows.indices()
    long = used[seconds[used] > LONG]
    if not len(long):
        return []
    longest = long[np.argsort(-seconds[long], kind="stable")]
    shown = [f"{rows.locations[i]} ({seconds[i]:,.0f} s)" for i in longest[:5].tolist()]
    return [
        Finding(
            "warning",
            "audio-long",
            f"{count_with_verb(len(long), noun, 'is')} longer than {LONG:g} s, the longest "
            f"{_clock(seconds[longest[0]])}: {join_examples(shown, len(long))}.",
            "Most speech models hear about 30 s at once: longer clips than the training allows are skipped there. "
            "Cut long recordings into parts, with start and end times or a TextGrid.",
        )
    ]


def _clock(seconds: float) -> str:
    whole = round(float(seconds))
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"
