"""Detect the GPUs of this machine without importing torch."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/gpus")
SMI_SECONDS = 20.0


def devices(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the NVIDIA GPUs that a training may use, as CUDA_VISIBLE_DEVICES names them: numbers or UUIDs."""
    visible = (os.environ if environ is None else environ).get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(i) for i in range(_count())]
    names = [name.strip() for name in visible.split(",")]
    # As in CUDA: names after -1 or an empty name are ignored.
    end = next((i for i, name in enumerate(names) if name in {"", "-1"}), len(names))
    return names[:end]


@lru_cache(maxsize=1)
def _count() -> int:
    """Count the GPUs of the driver in /proc, else those that nvidia-smi lists."""
    if DRIVER.is_dir():
        return sum(1 for _ in DRIVER.iterdir())
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    try:
        found = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=SMI_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0  # a driver that does not respond cannot be used for training either
    return len(re.findall(r"^GPU \d+:", found.stdout, re.MULTILINE))


def accelerated() -> bool:
    """Whether a training here would use a GPU: NVIDIA's, or that of an Apple computer."""
    return bool(devices()) or (platform.system() == "Darwin" and platform.machine() == "arm64")


def least_used(names: list[str], used: Iterable[str], count: int = 1) -> list[str]:
    """Return the devices that the fewest trainings use, in the order of `names`; fewer if there are fewer."""
    trainings = Counter(used)
    chosen = sorted(names, key=lambda name: trainings[name])[:count]  # stable: ties keep their order
    return [name for name in names if name in chosen]
