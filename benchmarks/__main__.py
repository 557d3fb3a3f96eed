"""Run benchmarks: `python -m benchmarks [NAME …]`, by default all; each writes its section of `results.md`."""

from __future__ import annotations

import importlib
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rows import Row, markdown

NAMES = (
    "training",
    "evaluating",
    "texts",
    "embeddings",
    "tokens",
    "object_detection",
    "language_models",
    "tabular",
    "speech",
    "checking",
    "checking_tables",
    "checking_audio",
    "checking_boxes",
    "recording",
    "many_runs",
    "viewers",
    "page",
)


RESULTS = Path(__file__).parent / "results.md"
TITLE = """\
# Benchmark results

Each row compares two measurements of the same run, on the same machine. Made by `make bench`.
"""


def main(names: list[str]) -> int:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # measured processes use cached byte code, as an installation does
    missed: list[str] = []
    for name in names or NAMES:
        print(f"{name} …", flush=True)
        found = importlib.import_module(f"benchmarks.{name}").measure()
        print(markdown(found), flush=True)
        missed += [row.name for row in found if not row.good]
        text = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
        RESULTS.write_text(with_section(text, name, found), encoding="utf-8")
    for name in missed:
        print(f"missed: {name}")
    return 0


def with_section(text: str, name: str, rows: list[Row]) -> str:
    """Return the results with the section of a benchmark replaced; the sections are in the order of `NAMES`."""
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    made = f"{time.strftime('%Y-%m-%d')}, {machine}, commit {commit or 'unknown'}"
    sections[name] = f"\n{made}:\n\n{markdown(rows)}\n"
    return TITLE + "".join(f"\n## {n}\n{sections[n].rstrip()}\n" for n in NAMES if n in sections)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
