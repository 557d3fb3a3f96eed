"""Checking and previewing tables of a million rows against reading them with pandas."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio import data
from autotrain_gradio.tasks.registry import resolve
from benchmarks.rows import Row

ROWS = 1_000_000
BATCH = 10_000
WORDS = (
    *("the", "room", "was", "clean", "and", "staff", "friendly", "but", "breakfast", "cold", "train", "late", "ticket"),
    *("refund", "never", "again", "price", "good", "bad", "value", "phone", "screen", "battery", "broke", "after"),
)
LABEL_NAMES = ("billing", "delivery", "praise", "other")
TASKS = {"texts": "text-classification", "ten mixed columns": "tabular-classification"}
"""Whose columns and checks are used: all of them, as in the page."""


def texts(rng: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """Yield lines of a text of 4 to 29 words and one of four labels."""
    words = np.array(WORDS)[rng.integers(0, len(WORDS), (count, 30))]
    lengths, labels = rng.integers(4, 30, count), rng.integers(0, 4, count)
    for i in range(count):
        yield f'"{" ".join(words[i][: lengths[i]])}, {first + i}",{LABEL_NAMES[labels[i]]}\n'


def mixed(rng: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """Yield lines of ten columns of all kinds and a target."""
    age, visits, days = rng.integers(18, 90, count), rng.poisson(5, count), rng.integers(0, 2000, count)
    income, score = rng.normal(40_000, 9_000, count), rng.random(count)
    city, plan, stays = rng.integers(0, 200, count), rng.integers(0, 3, count), rng.integers(0, 2, count)
    begin = datetime.date(2019, 1, 1)
    for i in range(count):
        yield (
            f"{first + i},{age[i]},{income[i]:.2f},city{city[i]},{'abc'[plan[i]]},"
            f"{begin + datetime.timedelta(days=int(days[i]))},{visits[i]},{score[i]:.4f},note {age[i] * visits[i]},"
            f"{'yes' if score[i] > 0.5 else 'no'},{'stay' if stays[i] else 'leave'}\n"
        )


def table(path: Path, header: str, lines: Callable[[np.random.Generator, int, int], Iterator[str]]) -> Path:
    """Write a CSV of a million rows."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        for first in range(0, ROWS, BATCH):
            file.writelines(lines(rng, first, BATCH))
    return path


READ = """
import sys, time
import pandas
began = time.perf_counter()
rows = len(pandas.read_csv(sys.argv[1]))
print(time.perf_counter() - began, rows)
"""
CHECK = """
import sys, time
from pathlib import Path
from autotrain_gradio.data.pipeline import check as pipeline
from benchmarks import checking_tables as here
from benchmarks.rows import peak_memory
told, shown = [], []
def progress(message, fraction):
    if "First look" in message and not told:
        told.append(time.time() - float(sys.argv[4]))
request = here.request_of(Path(sys.argv[1]), sys.argv[2])
here.load(request)
began = time.perf_counter()
result = here.check(request, Path(sys.argv[3]), progress, lambda found: shown.append(time.perf_counter() - began))
seconds = time.perf_counter() - began
print(seconds, result["rows"], peak_memory(), told[0], shown[0])
"""


def request_of(path: Path, which: str) -> data.Request:
    """Return what the page would ask of a table."""
    spec = {"task": TASKS[which], "data": {"source": "path", "path": str(path)}}
    return data.Request.of(resolve(spec))


def load(request: data.Request) -> None:
    """Load the modules of a check, as pandas is loaded before its reading is timed."""
    kinds = [column.kind for column in request.columns]
    sources = [source for source in request.sources if source.name == request.spec.source]
    for part in (*sources, *request.layouts, *kinds, *request.checks):
        part.load()


def check(
    request: data.Request,
    draft: Path,
    progress: Callable[[str, float], None],
    found: Callable[[Any], None] | None = None,
) -> dict[str, Any]:
    """Check a table as the page would, in this process."""
    result = dict(data.check(draft, request, progress, found))
    if any(f["level"] == "error" for f in result["findings"]):
        raise RuntimeError(result["findings"])
    return result


def run(code: str, *arguments: str) -> tuple[list[float], float]:
    """Run a program in a process of its own; return the numbers that it prints, and its seconds as a whole."""
    began = time.perf_counter()
    out = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True).stdout
    return [float(n) for n in out.split()], time.perf_counter() - began


def measure() -> list[Row]:
    """Check a table of texts and one of ten mixed columns; each in a process of its own, the best of five."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        header = "id,age,income,city,plan,since,visits,score,note,active,target"
        for which, path in {
            "texts": table(root / "texts.csv", "text,label", texts),
            "ten mixed columns": table(root / "mixed.csv", header, mixed),
        }.items():
            read, ours, reading, whole, told, shown = [], [], [], [], [], []
            memory = 0.0
            for number in range(5):
                (seconds, rows), process = run(READ, str(path))
                read.append(seconds)
                reading.append(process)
                draft = str(root / f"{which}-{number}")
                (seconds, checked, peak, first, found_after), process = run(
                    CHECK, str(path), which, draft, str(time.time())
                )
                told.append(first)
                shown.append(found_after)
                shutil.rmtree(draft)
                ours.append(seconds)
                whole.append(process)
                memory = max(memory, peak)
                if rows != ROWS or checked != ROWS:
                    raise RuntimeError(f"{checked:.0f} of {rows:.0f} rows")
            found += [
                Row(
                    f"check of {ROWS:,} rows ({which}), until all findings and the overview are shown",
                    f"{min(shown):.2f} s",
                    f"{min(read):.2f} s",
                    min(shown) / min(read),
                    6.0,
                ),
                Row(
                    "the same until its rows are written too, against pandas.read_csv",
                    f"{min(ours):.2f} s",
                    f"{min(read):.2f} s",
                    min(ours) / min(read),
                    6.0,
                ),
                Row(
                    "all of it, with starting Python and loading the libraries on both sides",
                    f"{min(whole):.2f} s",
                    f"{min(reading):.2f} s",
                    min(whole) / min(reading),
                    6.0,
                ),
                Row("its first findings, from the start of Python on", f"{min(told):.2f} s", "3 s", min(told) / 3, 1.0),
                Row("its memory, against 800 MB", f"{memory / 1e6:.0f} MB", "800 MB", memory / 800e6, 1.0),
            ]
    return found
