"""Training on clips of 1 to 20 seconds compared with the plain script: throughput and error rate."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service, wait
from benchmarks.rows import Row

CLIPS, EPOCHS, BATCH, RATE = 40, 2, 8, 16_000
LETTERS = "abcdefghij"


def clips(folder: Path, count: int = CLIPS) -> float:
    """Write clips of 1 to 20 seconds, each letter a tone, and the table that names them; return their seconds."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    rows, total = [], 0.0
    for place, seconds in enumerate(rng.uniform(1, 20, count)):
        text = "".join(rng.choice(list(LETTERS), int(seconds * 4)))
        time = np.arange(RATE // 4) / RATE
        tones = [np.sin(2 * np.pi * (200 + 97 * LETTERS.index(c)) * time) for c in text]
        rest = np.zeros(int(seconds * RATE) - len(text) * len(time))
        audio = 0.3 * np.concatenate([*tones, rest]) + rng.normal(0, 0.01, int(seconds * RATE))
        soundfile.write(folder / f"{place}.wav", audio.astype(np.float32), RATE)
        rows.append({"file_name": f"{place}.wav", "transcription": text})
        total += len(audio) / RATE
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["file_name", "transcription"])
        writer.writeheader()
        writer.writerows(rows)
    return total


def model(folder: Path) -> Path:
    """Write a small wav2vec2 with random weights whose encoder dominates the compute, as in larger models."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForCTC

    from autotrain_gradio.tasks.automatic_speech_recognition.ctc import ctc_tokenizer
    from autotrain_gradio.training.vocabulary import build

    torch.manual_seed(0)
    tokens = build(dict.fromkeys(LETTERS, 1))
    config = Wav2Vec2Config(
        vocab_size=len(tokens),
        hidden_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=192,
        conv_dim=(16,) * 7,
        num_conv_pos_embeddings=32,
        num_conv_pos_embedding_groups=4,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        layerdrop=0.0,
        apply_spec_augment=False,
        pad_token_id=0,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    ctc_tokenizer({s: i for i, s in enumerate(tokens)}).save_pretrained(folder)
    return folder


def plain(folder: Path, start: Path, output: Path) -> dict[str, Any]:
    """Run the plain script in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.plain_speech", str(folder), str(start), str(output)]
    command += [str(EPOCHS), str(BATCH)]
    env = {**os.environ, "HF_DATASETS_CACHE": str(output / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ours(service: Service, folder: Path, start: Path) -> dict[str, Any]:
    """Run the same training as a user would, and return its measurements."""
    params: dict[str, Any] = {"epochs": EPOCHS, "batch_size": BATCH, "lr": 1e-3, "logging_steps": 1}
    params |= {"spec_augment": False, "freeze_feature_encoder": False}
    spec = {
        "task": "automatic-speech-recognition",
        "model": str(start),
        "project_name": "bench",
        "data": {"path": str(folder), "valid_fraction": 0},
        "params": params,
    }
    draft = service.draft("automatic-speech-recognition")
    service.check(draft, spec)
    run = service.start(draft, spec)
    last = list(wait(service, run, every=0.2))[-1]
    if last["state"] != "completed":
        raise RuntimeError(f"the run is {last['state']}: {last['reason']}")
    lines = (service.store.get(run).directory / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    began = next(e["time"] for e in events if e["kind"] == "state" and e["detail"] == "Training")
    ended = next(e["time"] for e in events if e["kind"] == "state" and e["detail"] == "Saving the model")
    losses = [e["values"]["loss"] for e in events if e["kind"] == "metric" and "loss" in e["values"]]
    each = len(losses) // EPOCHS
    service.delete(run)
    means = [sum(losses[i * each : (i + 1) * each]) / each for i in range(EPOCHS)]
    return {"train_seconds": ended - began, "losses": means}


def measure() -> list[Row]:
    """Train both on the same clips from the same weights."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        seconds, start = clips(root / "clips"), model(root / "model")
        service = Service(Settings(home=root / "home"))
        try:
            theirs = plain(root / "clips", start, root / "plain")
            mine = ours(service, root / "clips", start)
        finally:
            service.close()
    hours = seconds * EPOCHS / 3600
    speeds = [hours / (found["train_seconds"] / 60) for found in (mine, theirs)]
    return [
        Row(
            "speech: hours of audio in a minute of training on clips of 1 to 20 s, against a plain script",
            f"{speeds[0]:.2f} h",
            f"{speeds[1]:.2f} h",
            speeds[0] / speeds[1],
            1.5,
            at_least=True,
        ),
        Row(
            "speech: training loss of the last epoch, against the plain script",
            f"{mine['losses'][-1]:.3f}",
            f"{theirs['losses'][-1]:.3f}",
            mine["losses"][-1] / theirs["losses"][-1],
            1.05,
        ),
    ]
