"""Listening to a share of the rows: silence, clipping, damage that a header does not show.

Decoding all rows would take as long as a training; `data.options.listen: all` does it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import count_with_verb, format_count, join_examples, pluralize
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


def check(rows: Rows, request: Request) -> list[Finding]:
    """Decode a sample of the rows, the same in every check; skip silent or damaged rows, and report the share."""
    found = audio.of(rows)
    if found is None:
        return []
    cells = found[1]
    used = rows.indices()
    every = request.spec.options.get("listen") == "all"
    chosen = used
    if len(used) > SHARE and not every:
        chosen = np.sort(np.random.RandomState(17).choice(used, SHARE, replace=False))
    decoded = _decode_rows(cells, chosen.tolist(), rows.locations)
    findings = []
    if len(chosen) < len(used):
        findings.append(
            Finding(
                "info",
                "audio-sampled",
                f"{len(chosen):,} of {pluralize(len(used), 'row')} ({len(chosen) / len(used):.1%}) were listened to, "
                f"at most {SECONDS:g} s of each, for silence, clipping and damage; of the others only the headers "
                "were read.",
                "Listen to all of them if many were recorded badly: it takes longer.",
                "data.options.listen",
                Fix("Listen to all of them", {"options": {"listen": "all"}}),
            )
        )
    elif len(used):
        findings.append(
            Finding(
                "info",
                "audio-sampled",
                f"All of the {pluralize(len(used), 'row')} were listened to, at most {SECONDS:g} s of "
                f"each, for silence, "
                "clipping and damage.",
            )
        )
    rest = "" if len(chosen) == len(used) else " Others that were not listened to may be the same."
    for code, (text, hint) in SKIPPED.items():
        hit = [i for i in chosen.tolist() if decoded[i].problem == code]
        if hit:
            rows.drop(hit, code)
            shown = [f"{rows.locations[i]} ({decoded[i].detail})" for i in hit[:5]]
            findings.append(
                Finding(
                    "warning",
                    code,
                    format_count(f"{text} and {{was}} skipped", len(hit), "row")
                    + f": {join_examples(shown, len(hit))}.{rest}",
                    hint,
                    rows.locations[hit[0]] if len(hit) == 1 else pluralize(len(hit), "row"),
                )
            )
    good = [i for i in chosen.tolist() if decoded[i].problem is None]
    clipped = [i for i in good if decoded[i].clipped > CLIPPED]
    if clipped:
        shown = [f"{rows.locations[i]} ({decoded[i].clipped:.1%} of its samples)" for i in clipped[:5]]
        findings.append(
            Finding(
                "warning",
                "audio-clipped",
                f"{count_with_verb(len(clipped), 'row', 'is')} clipped, recorded too loud: "
                f"{join_examples(shown, len(clipped))}.{rest}",
                "They are used anyway. Record with less gain where you can.",
            )
        )
    not_finite = [i for i in good if decoded[i].not_finite]
    if not_finite:
        shown = [f"{rows.locations[i]} ({decoded[i].not_finite:,})" for i in not_finite[:5]]
        findings.append(
            Finding(
                "warning",
                "audio-no-numbers",
                f"{count_with_verb(len(not_finite), 'row', 'has')} samples that are not finite numbers, which "
                f"count as silence: {join_examples(shown, len(not_finite))}.{rest}",
                "Export the files again.",
            )
        )
    if rows.count() < len(used) and not rows.count("train"):
        findings.append(rows.no_rows("Correct what the other findings report."))
    return findings


def _decode_rows(cells: AudioCells, chosen: list[int], where: Sequence[str]) -> dict[int, Decoded]:
    """Return row → properties of its audio; cached where neither the file nor its segment has changed."""
    digests = cells.facts["digest"]
    keys = {}
    for i in chosen:
        keys[i] = (str(digests[i]), 0, 0)
    scan = Scan(cells.draft / "data" / "scan-heard.parquet", Decoded)
    decoded = {i: known for i in chosen if (known := scan.get(keys[i])) is not None}
    waiting = [i for i in chosen if i not in decoded]
    with ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        for i, result in zip(waiting, pool.map(lambda i: decode(cells, i), waiting), strict=True):
            decoded[i] = result
    if waiting:
        scan.write({keys[i]: decoded[i] for i in waiting})
    return decoded


def decode(cells: AudioCells, row: int) -> Decoded:
    """Decode a row's audio, at most `SECONDS` of it, and return its properties."""
    start, end = cells.part(row)
    promised = float(cells.facts["seconds"][row])
    begin = start or 0.0
    last = begin + min(promised, SECONDS) if end is not None or promised > SECONDS else None
    peak, full, not_finite, count, seconds = 0.0, 0, 0, 0, 0.0
    try:
        for block, rate in blocks(cells.source(row), start, last):
            loud = np.abs(block)
            numbers = np.isfinite(loud)
            not_finite += int(loud.size - numbers.sum())
            loud = np.where(numbers, loud, 0.0)
            # Of the mean of the channels, which is what is trained on: two may cancel each other.
            peak = max(peak, float(np.abs(mix(block)).max(initial=0.0)))
            full += int((loud >= FULL).sum())
            count += loud.size
            seconds += len(block) / rate
    except AudioError as error:
        return Decoded(problem="audio-corrupt", detail=error.reason)
    wanted = min(promised, SECONDS)
    if seconds < CUT * wanted:
        return Decoded(problem="audio-cut", detail=f"{seconds:.2f} of {wanted:.2f} s are there")
    if peak < SILENT:
        level = "no sound at all" if peak == 0 else f"at most {20 * np.log10(peak):.0f} dB"
        return Decoded(peak, problem="audio-silent", detail=level)
    return Decoded(peak, full / max(1, count), not_finite)
