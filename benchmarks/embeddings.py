"""Training of embeddings compared with plain scripts on texts of mixed length: a tuned one, and one that pads all."""

from __future__ import annotations

import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.rows import Row
from benchmarks.texts import WORDS, small_bert
from benchmarks.training import trained

BATCH, EPOCHS, PAIRS, TOKENS, REPEATS = 16, 3, 1200, 256, 2


def pairs(folder: Path, count: int) -> Path:
    """Write train.csv and valid.csv: short queries, and answers of which some have several hundred words."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(count):
        words = rng.integers(0, WORDS, int(np.clip(rng.lognormal(3.4, 0.9), 8, 400)))
        answer = " ".join(f"w{w}" for w in words)
        query = " ".join(f"w{w}" for w in rng.choice(words, 6)) + f" w{i % WORDS}"
        rows.append((query, answer))
    folder.mkdir(parents=True)
    for name, part in (("train", rows[count // 5 :]), ("valid", rows[: count // 5])):
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("query", "answer"), *part])
    return folder


def plain(data: Path, model: Path, output: Path, way: str, epochs: int = EPOCHS) -> dict[str, float]:
    """Run a plain script in a process of its own; return its samples per second, loss and peak memory."""
    command = [sys.executable, "-m", "benchmarks.plain_embeddings"]
    command += [str(data), str(model), str(output), str(epochs), str(BATCH), str(TOKENS), way]
    env = {**os.environ, "HF_DATASETS_CACHE": str(output / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    found["samples_per_second"] = (found["steps"] - 1) * BATCH / found["steps_seconds"]
    return found


def ours(service: Service, data: Path, model: Path) -> dict[str, float]:
    """Run the same training as a user would; return its samples per second, loss and peak memory."""
    params: dict[str, Any] = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "max_seq_length": TOKENS,
        "logging_steps": 5,
        "early_stopping_patience": 0,
    }
    spec = {
        "task": "sentence-transformers",
        "model": str(model),
        "project_name": "bench",
        "data": {"path": str(data), "valid_split": "valid"},
        "params": params,
    }
    return trained(service, spec, BATCH)


def measure() -> list[Row]:
    """Run the app and the tuned script alternately, and compare medians; then the padding one."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        data, model = pairs(root / "pairs", PAIRS), small_bert(root / "model")
        service = Service(Settings(home=root / "home"))
        try:
            mine, theirs = [], []
            for i in range(REPEATS):
                theirs.append(plain(data, model, root / f"tuned{i}", "tuned"))
                mine.append(ours(service, data, model))
            padded = plain(data, model, root / "padded", "padded", epochs=1)
        finally:
            service.close()
    speed, tuned = (statistics.median(f["samples_per_second"] for f in found) for found in (mine, theirs))
    name = "training of embeddings, evaluation and checkpoints included, against a plain script that"
    return [
        Row(
            f"{name} is tuned: padded by the batch and the column, batches without duplicates",
            f"{speed:.1f} samples/s",
            f"{tuned:.1f} samples/s",
            speed / tuned,
            1.0,
            at_least=True,
        ),
        Row(
            f"{name} pads all to max_length",
            f"{speed:.1f} samples/s",
            f"{padded['samples_per_second']:.1f} samples/s",
            speed / padded["samples_per_second"],
            2,
            at_least=True,
        ),
        Row(
            "embeddings: best validation loss, compared with the tuned script",
            f"{mine[0]['loss']:.4f}",
            f"{theirs[0]['loss']:.4f}",
            mine[0]["loss"] / theirs[0]["loss"],
            1.1,
        ),
        Row(
            "embeddings: peak memory, compared with the tuned script",
            f"{mine[0]['memory'] / 1e6:.0f} MB",
            f"{theirs[0]['memory'] / 1e6:.0f} MB",
            mine[0]["memory"] / theirs[0]["memory"],
            1,
        ),
    ]
