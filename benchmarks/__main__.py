"""Run benchmarks: `python -m benchmarks [NAME …]`. Without names, run all of them and write `results.md`."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.rows import Row, markdown

NAMES = (
    "training",
    "evaluating",
    "texts",
    "tabular",
    "speech",
    "checking",
    "checking_tables",
    "checking_audio",
    "recording",
    "many_runs",
    "viewers",
    "page",
)


def main(names: list[str]) -> int:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # measured processes use cached byte code, as an installation does
    rows: list[Row] = []
    for name in names or NAMES:
        print(f"{name} …", flush=True)
        found = importlib.import_module(f"benchmarks.{name}").measure()
        print(markdown(found), flush=True)
        rows += found
    if not names:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        text = (
            "# Benchmark results\n\nEach row compares two measurements of the same run, on the same machine: "
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}, commit "
            f"{commit or 'unknown'}.\nMade by `make bench`.\n\n{markdown(rows)}"
        )
        (Path(__file__).parent / "results.md").write_text(text, encoding="utf-8")
    missed = [row.name for row in rows if not row.good]
    for name in missed:
        print(f"missed: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
