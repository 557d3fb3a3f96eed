"""A run gives the same results with any number of threads, within the tolerance that docs/architecture.md states."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FIRST_STEPS, FIRST_TOLERANCE, TOLERANCE = 10, 1e-4, 0.1
"""Relative differences of the losses of equal specs and seeds. The order of a sum of floats decides its last digits,
and each step amplifies the difference."""


def _metrics(home: Path, threads: int) -> dict[int, dict[str, float]]:
    """Train on the sample in a process of its own and return the values of each step."""
    command = [sys.executable, "-m", "autotrain_gradio", "image-classification", "--source", "sample"]
    command += ["--data-path", "shapes", "--model", "tiny", "--epochs", "2", "--project-name", "shapes", "--train"]
    env = {**os.environ, "AUTOTRAIN_GRADIO_HOME": str(home), "OMP_NUM_THREADS": str(threads)}
    root = Path(__file__).parents[3]
    env["PYTHONPATH"] = str(root)
    home.mkdir()
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[int, dict[str, Any]] = {}
    for path in (home / "runs").glob("*/events.jsonl"):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["kind"] == "metric":
                found.setdefault(event["step"], {}).update(event["values"])
    return found


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_results_agree_with_any_number_of_threads(tmp_path: Path) -> None:
    one, two = _metrics(tmp_path / "one", 1), _metrics(tmp_path / "two", 2)
    assert one.keys() == two.keys() and len(one) >= 18
    # What decides is recorded with each point; of two threads one may pause while another process needs its core.
    assert {v["threads"] for v in one.values() if "loss" in v} == {1}
    assert {v["threads"] for v in two.values() if "loss" in v} <= {1, 2}
    for step, values in one.items():
        tolerance = FIRST_TOLERANCE if step <= FIRST_STEPS else TOLERANCE
        for name in ("loss", "eval_loss"):
            if name in values:
                assert two[step][name] == pytest.approx(values[name], rel=tolerance), (step, name)
