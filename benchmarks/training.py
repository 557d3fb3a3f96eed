"""Image training compared with a plain script: throughput, time to the first step, and with a busy core."""

from __future__ import annotations

import contextlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import MIB
from autotrain_gradio.service import Service, wait
from benchmarks.data import folder_of_photos, small_resnet
from benchmarks.rows import Row

BATCH, EPOCHS, IMAGES, REPEATS = 16, 3, 240, 2


@contextlib.contextmanager
def busy_core() -> Iterator[None]:
    """Run a process that fully uses one core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def plain(photos: Path, model: Path, output: Path, epochs: int = EPOCHS) -> dict[str, float]:
    """Run the plain script in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.plain_image_classification"]
    command += [str(photos), str(model), str(output), str(epochs), str(BATCH)]
    env = {**os.environ, "HF_DATASETS_CACHE": str(output / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found = json.loads(done.stdout.splitlines()[-1])
    found["samples_per_second"] = (found["steps"] - 1) * BATCH / found["steps_seconds"]
    return found


def ours(service: Service, photos: Path, model: Path, epochs: int = EPOCHS) -> dict[str, float]:
    """Run the same training as a user would, and return its measurements."""
    params: dict[str, Any] = {"epochs": epochs, "batch_size": BATCH, "logging_steps": 5, "early_stopping_patience": 0}
    spec = {
        "task": "image-classification",
        "model": str(model),
        "project_name": "bench",
        "data": {"path": str(photos)},
        "params": params,
    }
    return trained(service, spec, BATCH)


def trained(service: Service, spec: dict[str, Any], batch_size: int) -> dict[str, float]:
    """Train by a spec, and return the seconds to the first step, the samples per second after it, the best validation
    loss, and the memory in bytes.
    """
    draft = service.draft(spec["task"])
    service.check(draft, spec)
    run = service.start(draft, spec)
    last = list(wait(service, run, every=0.2))[-1]
    if last["state"] != "completed":
        raise RuntimeError(f"the run is {last['state']}: {last['reason']}")
    directory = service.store.get(run).directory
    control = [json.loads(line) for line in (directory / "control.jsonl").read_text().splitlines()]
    events = [json.loads(line) for line in (directory / "events.jsonl").read_text().splitlines()]
    started = next(c["time"] for c in control if c["kind"] == "started")
    steps = [(e["time"], e["step"]) for e in events if e["kind"] == "progress" and e["step"] > 0]
    last_step = max(steps, key=lambda s: (s[1], -s[0]))
    found = {
        "first_step_seconds": steps[0][0] - started,
        "samples_per_second": (last_step[1] - steps[0][1]) * batch_size / (last_step[0] - steps[0][0]),
    }
    values = [e["values"] for e in events if e["kind"] == "metric"]
    found["loss"] = min((v["eval_loss"] for v in values if "eval_loss" in v), default=math.nan)
    found["memory"] = max(v["memory_mib"] for v in values if "memory_mib" in v) * MIB
    service.delete(run)
    return found


def measure() -> list[Row]:
    """Run both alternately, and compare medians."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        photos, model = folder_of_photos(root / "photos", IMAGES), small_resnet(root / "model")
        service = Service(Settings(home=root / "home"))
        try:
            mine, theirs, shared = [], [], []
            for i in range(REPEATS):
                theirs.append(plain(photos, model, root / f"plain{i}"))
                mine.append(ours(service, photos, model))
            with busy_core():
                for _ in range(REPEATS):
                    shared.append(ours(service, photos, model))
        finally:
            service.close()
    speed, their_speed = _median(mine, "samples_per_second"), _median(theirs, "samples_per_second")
    first, their_first = _median(mine, "first_step_seconds"), _median(theirs, "first_step_seconds")
    with_busy_core = _median(shared, "samples_per_second")
    return [
        Row(
            "training throughput, evaluation and checkpoints included, compared with a tuned plain Trainer script",
            f"{speed:.1f} samples/s",
            f"{their_speed:.1f} samples/s",
            speed / their_speed,
            0.95,
            at_least=True,
        ),
        Row(
            "from Start to the end of the first step",
            f"{first:.1f} s",
            f"{their_first:.1f} s",
            first / their_first,
            1.2,
        ),
        Row(
            "training next to a process that fully uses one core, compared with training alone",
            f"{with_busy_core:.1f} samples/s",
            f"{speed:.1f} samples/s",
            with_busy_core / speed,
            1 / 3,
            at_least=True,
        ),
    ]


def _median(results: list[dict[str, float]], name: str) -> float:
    return statistics.median(r[name] for r in results)
