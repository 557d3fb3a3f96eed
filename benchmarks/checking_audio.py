"""Checking 10,000 clips compared with reading their headers with soundfile; memory by number of clips."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.rows import Row, peak_memory

CLIPS = 10_000
FEW = 1_000
RATE = 16_000


def plant(folder: Path, count: int) -> None:
    """Write clips of 0.2 to 1 s that all differ, and a table of them."""
    draw = np.random.default_rng(3)
    noise = draw.integers(-9000, 9000, 4 * RATE, dtype=np.int16)
    (folder / "clips").mkdir(parents=True)
    lines = ["file_name,text,speaker"]
    for number in range(count):
        begin, length = int(draw.integers(0, 3 * RATE)), int(draw.integers(RATE // 5, RATE))
        samples = noise[begin : begin + length].copy()
        samples[:2] = number % 30_000, number // 30_000
        soundfile.write(folder / "clips" / f"{number:05}.wav", samples, RATE, subtype="PCM_16")
        lines.append(f"clips/{number:05}.wav,clip {number},speaker {number % 50}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def headers(folder: Path) -> float:
    """Read every header with soundfile in as many threads as there are cores; return the seconds."""
    files = sorted(str(p) for p in (folder / "clips").iterdir())
    began = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        lengths = sum(info.duration for info in pool.map(soundfile.info, files, chunksize=64))
    if lengths <= 0:
        raise RuntimeError("the clips have no length")
    return time.perf_counter() - began


def check(folder: Path, draft: Path) -> dict[str, float]:
    """Check a folder in this process; return seconds of a first and a second check, rows, and peak memory in MB."""
    from autotrain_gradio import data
    from autotrain_gradio.core.spec import DataSpec
    from autotrain_gradio.data import catalog as c
    from autotrain_gradio.data.declarations import Column

    columns = (
        Column("audio", "Audio", c.AUDIO, purpose="input", names=("file_name",)),
        Column("text", "Transcript", c.TEXT, purpose="target", names=("text",), many=True, join=True),
        Column("speaker", "Speaker", c.GROUP, purpose="group", names=("speaker",), required=False),
    )

    def run(valid_fraction: float) -> tuple[float, int]:
        request = data.Request(
            title="Speech",
            spec=DataSpec(source="path", path=str(folder), valid_fraction=valid_fraction),
            columns=columns,
            sources=(c.PATH,),
            layouts=(c.TABLE_WITH_FILES,),
            checks=(c.AUDIO_PARTS, c.AUDIO_CONTENT, c.AUDIO_TRANSCRIPTS),
        )
        began = time.perf_counter()
        result = data.check(draft, request)
        return time.perf_counter() - began, sum(result["splits"].values())

    first, rows = run(0.2)
    again, _ = run(0.1)
    peak = peak_memory() / 1e6
    return {"first": first, "again": again, "rows": rows, "megabytes": peak}


def _in_a_process(folder: Path, draft: Path) -> dict[str, float]:
    draft.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks.checking_audio", str(folder), str(draft)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure() -> list[Row]:
    """Check many clips and few, each in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        plant(root / "many", CLIPS)
        plant(root / "few", FEW)
        headers(root / "many")  # the files are in the page cache from here on, for both
        floor = headers(root / "many")
        many = _in_a_process(root / "many", root / "drafts" / "many")
        few = _in_a_process(root / "few", root / "drafts" / "few")
    if many["rows"] != CLIPS:
        raise RuntimeError(f"{many['rows']} rows instead of {CLIPS}")
    return [
        Row(
            f"check of {CLIPS:,} clips, against soundfile.info of each",
            f"{many['first']:.1f} s",
            f"{floor:.1f} s",
            many["first"] / floor,
            10.0,
        ),
        Row(
            "check again after a change of the split",
            f"{many['again']:.1f} s",
            f"{many['first']:.1f} s",
            many["again"] / many["first"],
            0.5,
        ),
        Row(
            f"memory for {CLIPS:,} clips, against {FEW:,}",
            f"{many['megabytes']:.0f} MB",
            f"{few['megabytes']:.0f} MB",
            many["megabytes"] / few["megabytes"],
            1.5,
        ),
    ]


if __name__ == "__main__":
    print(json.dumps(check(Path(sys.argv[1]), Path(sys.argv[2]))))
