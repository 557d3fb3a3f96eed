"""Checking tables of a million rows on two cores: seconds until the findings, peak memory, and the targets of both."""

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
RUNS = 3
SECONDS = {"first findings": 3.0, "all findings": 8.0, "rows written": 8.0}
"""Measurement, from the start of Python → maximum seconds."""
MEMORY = 1e9
"""Maximum peak memory in bytes."""
TASKS = {
    "texts": "text-classification",
    "texts, 1 % of the rows too long": "text-classification",
    "ten mixed columns": "tabular-classification",
}
"""The tasks whose columns and checks are used."""


def texts(rng: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """Yield lines of a text of 4 to 29 words and one of four labels."""
    words = np.array(WORDS)[rng.integers(0, len(WORDS), (count, 30))]
    lengths, labels = rng.integers(4, 30, count), rng.integers(0, 4, count)
    for i in range(count):
        yield f'"{" ".join(words[i][: lengths[i]])}, {first + i}",{LABEL_NAMES[labels[i]]}\n'


def ragged(rng: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """Yield the same lines; every hundredth has a cell too many."""
    for number, line in enumerate(texts(rng, first, count)):
        yield line if number % 100 else f"{line.rstrip()},more\n"


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


MEASURED = """
import sys, time
from pathlib import Path
from autotrain_gradio.data.pipeline import check as pipeline
from benchmarks import checking_tables as here
from benchmarks.rows import peak_memory
first, shown = [], []
def progress(message, fraction):
    if f"{pipeline.SAMPLE_ROWS:,} rows" in message and not first:
        first.append(time.time() - float(sys.argv[4]))
result = here.check(here.request_of(Path(sys.argv[1]), sys.argv[2]), Path(sys.argv[3]), progress,
                    lambda found: shown.append(time.time() - float(sys.argv[4])))
print(result["rows"], first[0], shown[0], time.time() - float(sys.argv[4]), peak_memory())
"""
"""Prints the rows, the seconds since Python was started until the first findings, until all of them and until the
rows are written, and the peak memory in bytes."""


def request_of(path: Path, which: str) -> data.Request:
    """Return the request of the page for a table."""
    spec = {"task": TASKS[which], "data": {"source": "path", "path": str(path)}}
    return data.Request.of(resolve(spec))


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


def measure_once(path: Path, which: str, draft: Path) -> list[float]:
    """Check a table in a process of its own and return what `MEASURED` prints."""
    command = [sys.executable, "-c", MEASURED, str(path), which, str(draft), str(time.time())]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shutil.rmtree(draft)
    return [float(number) for number in out.split()]


def measure() -> list[Row]:
    """Check two tables of texts and one of ten mixed columns; best time and highest memory of three runs."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        header = "id,age,income,city,plan,since,visits,score,note,active,target"
        for which, path in {
            "texts": table(root / "texts.csv", "text,label", texts),
            "texts, 1 % of the rows too long": table(root / "ragged.csv", "text,label", ragged),
            "ten mixed columns": table(root / "mixed.csv", header, mixed),
        }.items():
            runs = [measure_once(path, which, root / "draft") for _ in range(RUNS)]
            rows, *seconds = (min(values) for values in list(zip(*runs, strict=True))[:4])
            if rows != ROWS:
                raise RuntimeError(f"{rows:.0f} of {ROWS} rows")
            for (what, most), taken in zip(SECONDS.items(), seconds, strict=True):
                name = f"check of {ROWS:,} rows ({which}), {what}"
                found.append(Row(name, f"{taken:.2f} s", f"{most:g} s", taken / most, 1.0))
            memory = max(run[-1] for run in runs)
            name = f"peak memory of the check of {ROWS:,} rows ({which})"
            found.append(Row(name, f"{memory / 1e6:.0f} MB", f"{MEMORY / 1e6:.0f} MB", memory / MEMORY, 1.0))
    return found
