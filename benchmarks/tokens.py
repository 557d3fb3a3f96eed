"""Token classification compared with plain scripts on texts of mixed length: a tuned one, and a padding one."""

from __future__ import annotations

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

BATCH, EPOCHS, TEXTS, TOKENS, REPEATS = 16, 3, 1500, 256, 2
TYPES = ("PER", "LOC", "ORG")


def tagged_texts(folder: Path, count: int) -> Path:
    """Write train.jsonl and valid.jsonl: lists of tokens and tags; most have a few dozen tokens, some 200 (log-normal).

    An entity is a word that names its type, and up to two words behind it.
    """
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        length = int(np.clip(rng.lognormal(3.4, 0.8), 3, 240))
        words, tags = rng.integers(len(TYPES), WORDS, length), ["O"] * length
        place = int(rng.integers(0, 6))
        while place < length:
            size, kind = int(rng.integers(1, 4)), int(rng.integers(0, len(TYPES)))
            words[place] = kind
            for k in range(place, min(place + size, length)):
                tags[k] = f"{'B' if k == place else 'I'}-{TYPES[kind]}"
            words[place + 1 : place + size] = words[place + 1 : place + size] // 7 * 7 + kind
            place += size + int(rng.integers(2, 12))
        rows.append({"tokens": [f"w{w}" for w in words], "tags": tags})
    folder.mkdir(parents=True)
    for name, part in (("train", rows[count // 5 :]), ("valid", rows[: count // 5])):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in part), encoding="utf-8")
    return folder


def plain(data: Path, model: Path, output: Path, way: str, epochs: int = EPOCHS) -> dict[str, float]:
    """Run a plain script in a process of its own; return its samples per second, loss and peak memory."""
    command = [sys.executable, "-m", "benchmarks.plain_token_classification"]
    command += [str(data), str(model), str(output), str(epochs), str(BATCH), str(TOKENS), way]
    env = {**os.environ, "HF_DATASETS_CACHE": str(output / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "samples_per_second": (found["steps"] - 1) * BATCH / found["steps_seconds"]}


def ours(service: Service, data: Path, model: Path) -> dict[str, float]:
    """Run the same training as a user would; return its samples per second, loss and peak memory."""
    params: dict[str, Any] = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "lr": 5e-4,
        "max_seq_length": TOKENS,
        "logging_steps": 5,
        "early_stopping_patience": 0,
    }
    spec = {
        "task": "token-classification",
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
        data, model = tagged_texts(root / "texts", TEXTS), small_bert(root / "model")
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
    name = "token classification, evaluation and checkpoints included, against a plain script that"
    return [
        Row(
            f"{name} is tuned: tokenised once, padded by the batch, by length",
            f"{speed:.1f} samples/s",
            f"{tuned:.1f} samples/s",
            speed / tuned,
            1,
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
            "token classification: best validation loss, compared with the tuned script",
            f"{mine[0]['loss']:.4f}",
            f"{theirs[0]['loss']:.4f}",
            mine[0]["loss"] / theirs[0]["loss"],
            1.1,
        ),
        Row(
            "token classification: peak memory, compared with the tuned script",
            f"{mine[0]['memory'] / 1e6:.0f} MB",
            f"{theirs[0]['memory'] / 1e6:.0f} MB",
            mine[0]["memory"] / theirs[0]["memory"],
            1,
        ),
    ]
