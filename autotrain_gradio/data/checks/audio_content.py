"""Listening to a sample of the rows: silence, clipping, damage that a header does not show.

Decoding all rows would take as long as a training; `data.options.listen: all` does it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.kinds import audio
from autotrain_gradio.data.kinds.audio_cells import AudioCells
from autotrain_gradio.data.media.audio_files import AudioError, blocks, mix
from autotrain_gradio.data.media.media_cache import Scan
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

SHARE = 256
"""Maximum number of rows that are decoded."""
SECONDS = 60.0
"""Maximum number of seconds that are decoded of each."""
SILENT = 1e-3
"""Peak amplitude up to which audio is silent: -60 dBFS."""
FULL = 0.999
CLIPPED = 1e-3
"""Share of the samples at full scale from which a recording is clipped."""
CUT = 0.9
"""Share of the length in the header under which a file is truncated."""
THREADS = 4
LISTENED = f"at most {SECONDS:g} s of each, for silence, clipping and damage"
SKIPPED = {
    "audio-corrupt": ("{n} cannot be decoded", "Copy or record the files again, or remove them."),
    "audio-cut": ("{n} {ends} before the length in {its} header", "Copy or download the files again."),
    "audio-silent": ("{n} {holds} nothing but silence", "Record them again, or correct the times."),
}
"""Reason why a row is skipped → message, a template of `format_count`, and hint."""


class Decoded(NamedTuple):
    """Properties of decoded audio. clipped: share of samples at full scale. not_finite: NaN and infinite samples."""

    peak: float = 0.0
    clipped: float = 0.0
    not_finite: int = 0
    problem: str | None = None
    detail: str = ""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Decode a sample of the rows, the same in every check; skip silent or damaged rows, and report the share."""
    found, used = audio.of(rows), rows.indices()
    if found is None or not len(used):
        return
    chosen, rest = used, ""
    if len(used) > SHARE and request.spec.options.get("listen") != "all":
        chosen = np.sort(np.random.RandomState(17).choice(used, SHARE, replace=False))
        rest = " Others that were not decoded may be the same."
        message = f"{SHARE:,} of {pluralize(len(used), 'row')} ({SHARE / len(used):.1%}) were decoded, {LISTENED}; "
        message += "of the others only the headers were parsed."
        hint = "Decode all of them if many are of bad quality: it takes longer."
        fix = Fix("Decode all of them", {"options": {"listen": "all"}})
        yield Finding("info", "audio-sampled", message, hint, "data.options.listen", fix)
    else:
        message = f"All of the {pluralize(len(used), 'row')} were decoded, {LISTENED}."
        yield Finding("info", "audio-sampled", message)
    decoded = _decode_rows(found[1], chosen.tolist())
    for code, (text, hint) in SKIPPED.items():
        skipped = [i for i, d in decoded.items() if d.problem == code]
        rows.drop(skipped, code)
        text, hint = text + " and {was} skipped", hint + rest
        yield from rows.findings("warning", code, text, skipped, hint, lambda i: f" ({decoded[i].detail})")
    clipped = [i for i, d in decoded.items() if d.problem is None and d.clipped > CLIPPED]
    text = "{n} {is} clipped, recorded too loud"
    hint = f"They are used anyway. Record with less gain where you can.{rest}"
    yield from rows.findings(
        "warning", "audio-clipped", text, clipped, hint, lambda i: f" ({decoded[i].clipped:.1%} of its samples)"
    )
    not_finite = [i for i, d in decoded.items() if d.problem is None and d.not_finite]
    text = "{n} {has} samples that are not finite numbers, which count as silence"
    hint = f"Export the files again.{rest}"
    yield from rows.findings(
        "warning", "audio-no-numbers", text, not_finite, hint, lambda i: f" ({decoded[i].not_finite:,})"
    )


def _decode_rows(cells: AudioCells, chosen: list[int]) -> dict[int, Decoded]:
    """Return row → properties of its audio; cached where neither the file nor its segment has changed."""
    keys = {i: (str(cells.facts["digest"][i]), 0, 0) for i in chosen}
    scan = Scan(cells.draft / "data" / "scan-heard.parquet", Decoded)
    known = {i: stored for i in chosen if (stored := scan.get(keys[i])) is not None}
    waiting = [i for i in chosen if i not in known]
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        known |= zip(waiting, pool.map(lambda i: decode(cells, i), waiting), strict=True)
    if waiting:
        scan.write({keys[i]: known[i] for i in waiting})
    return {i: known[i] for i in chosen}


def decode(cells: AudioCells, row: int) -> Decoded:
    """Decode a row's audio, at most `SECONDS` of it, and return its properties."""
    start, end = cells.part(row)
    expected = float(cells.facts["seconds"][row])
    wanted = min(expected, SECONDS)
    last = (start or 0.0) + wanted if end is not None or expected > SECONDS else None
    peak, full, not_finite, count, seconds = 0.0, 0, 0, 0, 0.0
    try:
        for block, rate in blocks(cells.source(row), start, last):
            loud = np.nan_to_num(np.abs(block), nan=0.0, posinf=0.0)
            not_finite += int((~np.isfinite(block)).sum())
            # Of the mean of the channels, which is what is trained on: two may cancel each other.
            peak = max(peak, float(np.abs(mix(block)).max(initial=0.0)))
            full += int((loud >= FULL).sum())
            count += loud.size
            seconds += len(block) / rate
    except AudioError as error:
        return Decoded(problem="audio-corrupt", detail=error.reason)
    if seconds < CUT * wanted:
        return Decoded(problem="audio-cut", detail=f"{seconds:.2f} of {wanted:.2f} s are there")
    if peak < SILENT:
        level = "no sound at all" if peak == 0 else f"at most {20 * np.log10(peak):.0f} dB"
        return Decoded(peak, problem="audio-silent", detail=level)
    return Decoded(peak, full / max(1, count), not_finite)
