"""Estimates of the memory of trainings, compared with trainings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.text_format import format_bytes, parse_bytes

SMALL = {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 6}
DEEP = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 10}
LEAST, MOST = 0.85, 1.35
"""Bounds of estimate / measurement."""


def measure(folder: Path, case: dict[str, Any]) -> tuple[int, float]:
    """Train in a subprocess; return the peak of its memory and the estimate in bytes."""
    command = [sys.executable, "-m", "tests.unit.training.measured_training", str(folder), json.dumps(case)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(line for line in done.stdout.splitlines() if line.startswith("MEASURED "))
    found = json.loads(line.removeprefix("MEASURED "))
    shown = re.search(r"(?:Estimated memory: |needs about )([\d.]+ \w+)", found["message"])
    assert shown, found
    return found["peak"], parse_bytes(shown[1])


CASES: dict[str, dict[str, Any]] = {
    "all weights": {"sizes": SMALL, "length": 512, "params": {"batch_size": 8}},
    "LoRA": {"sizes": DEEP, "length": 512, "params": {"batch_size": 4, "peft": True}},
    "large vocabulary": {"sizes": SMALL, "length": 256, "vocabulary": 32_000, "params": {"batch_size": 8}},
    "checkpointing": {"sizes": DEEP, "length": 512, "params": {"batch_size": 4, "gradient_checkpointing": True}},
    "preferences": {"task": "llm-dpo", "sizes": SMALL, "length": 256, "params": {"batch_size": 4}},
    "judgements": {"task": "llm-kto", "sizes": SMALL, "length": 512, "params": {"batch_size": 4}},
    "reward model": {"task": "llm-reward", "sizes": SMALL, "length": 256, "params": {"batch_size": 4}},
}
OFTEN = ("all weights",)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc/self/status")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in OFTEN else pytest.mark.long) for name in CASES]
)
def test_the_estimate_is_near_the_measured_peak(name: str, tmp_path: Path) -> None:
    measured, estimated = measure(tmp_path, {"task": "llm-generic", "vocabulary": 2000, **CASES[name]})
    assert LEAST < estimated / measured < MOST, (format_bytes(estimated), format_bytes(measured))
