"""A made-up language of tones, and runs that learn it: speech recognition without the layers that read data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pytest
import soundfile

from autotrain_gradio import data
from autotrain_gradio.runs.record import Run, read_lines, write_json
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.tasks.registry import resolve

RATE = 16_000


def speak(text: str, *, seconds: float = 0.15, rate: int = RATE, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return a wave in which each character is a tone of its own, and each space a pause."""
    rng = np.random.default_rng(seed)
    parts = []
    for symbol in text:
        time = np.arange(round(seconds * rate)) / rate
        pitch = 200 + 97 * (ord(symbol) % 31)
        parts.append(0.3 * np.sin(2 * np.pi * pitch * time) * (symbol != " "))
    return (np.concatenate(parts) + rng.normal(0, 0.003, sum(map(len, parts)))).astype(np.float32)


def record(folder: Path, texts: Sequence[str], *, rate: int = RATE, seconds: float = 0.15) -> list[dict[str, Any]]:
    """Write a WAV for each text; return rows of audio and text."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for place, text in enumerate(texts):
        path = folder / f"{len(list(folder.iterdir())):04d}.wav"
        soundfile.write(path, speak(text, seconds=seconds, rate=rate, seed=place), rate)
        rows.append({"audio": {"path": str(path), "bytes": None}, "text": text})
    return rows


def dataset(rows: Sequence[dict[str, Any]]) -> datasets.Dataset:
    """Make rows a data set as the data layer leaves it."""
    audio = pa.array([row["audio"] for row in rows], pa.struct({"bytes": pa.binary(), "path": pa.string()}))
    others = [name for name in rows[0] if name != "audio"]
    columns = {"audio": audio, **{name: pa.array([row.get(name) for row in rows]) for name in others}}
    types = {name: datasets.features.features.generate_from_arrow_type(columns[name].type) for name in others}
    features = datasets.Features({"audio": datasets.Audio(decode=False), **types})
    return datasets.Dataset(pa.table(columns, schema=features.arrow_schema))


class Talk:
    """One run directory with prepared utterances, whose training is called as a function."""

    def __init__(self, folder: Path, rows: datasets.DatasetDict, spec: dict[str, Any]) -> None:
        self.directory, self.rows = folder, rows
        folder.mkdir(parents=True, exist_ok=True)
        self.resolved = resolve(spec)
        write_json(folder / "draft.json", {"task": spec["task"], "owner": "local", "created": 0.0, "spec": spec})
        self.record = Run(folder)
        self.record.freeze(self.resolved.complete())

    @property
    def params(self) -> Any:
        """The parameters with all defaults."""
        return self.resolved.params

    def reporter(self, attempt: int = 1) -> Reporter:
        """Return a reporter of an attempt."""
        return Reporter(self.directory, self.resolved.spec, self.params, attempt=attempt, resume=attempt > 1)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind."""
        return [e for e in read_lines(self.directory / "events.jsonl")[0] if e["kind"] == kind]

    def notes(self) -> str:
        """Return all notes, one a line."""
        return "\n".join(e["message"] for e in self.events("note"))

    def losses(self, attempt: int = 1) -> dict[int, float]:
        """Return step → training loss."""
        found = [e for e in self.events("metric") if "loss" in e["values"] and e["attempt"] == attempt]
        return {e["step"]: e["values"]["loss"] for e in found}


def prepare(talk: Talk, patch: pytest.MonkeyPatch) -> Talk:
    """Let the task find the run's rows."""
    patch.setattr(data, "load", lambda directory: talk.rows, raising=False)
    return talk
