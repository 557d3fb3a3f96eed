"""What the parts of the measurements share: sizes, the time budget, and outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.service import Service
from benchmarks.rows import Row

MOST_REPEATS = 3
"""Most runs of each kind in a comparison."""
LEAST_LIMIT = 180.0
"""Seconds that a run may take in any case: imports alone can take a minute on a machine that has just started."""


class CannotRun(Exception):
    """A part cannot run on this machine; the text says why."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of models and data.

    llama: of the model of the comparisons, small_llama: of the checks, both as in `LlamaConfig`; vit, whisper: alike.
    tolerance: largest relative difference of two loss curves that count as equal; drift: that of a resumed run.
    speed: least share of the plain script's rate; memory: most of its memory. warm: steps before the rate is measured.
    precision_steps: steps of a run in each precision. resume_rows: rows of the run that is stopped and resumed.
    """

    llama: dict[str, int]
    small_llama: dict[str, int]
    vit: dict[str, int]
    whisper: dict[str, int]
    chats: int
    words: tuple[float, float]
    batch_size: int
    tokens: int
    images: int
    image_batch_size: int
    clips: int
    clip_seconds: tuple[float, float]
    clip_batch_size: int
    logging_steps: int
    warm: int
    precision_steps: int
    resume_rows: int
    tolerance: float
    drift: float
    speed: float
    memory: float


FULL = Sizes(
    llama={
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "vocab_size": 32_000,
        "max_position_embeddings": 2048,
    },
    small_llama={
        "hidden_size": 512,
        "intermediate_size": 2048,
        "num_hidden_layers": 8,
        "max_position_embeddings": 2048,
    },
    vit={"image_size": 224, "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24},
    whisper={"d_model": 768, "layers": 12, "heads": 12, "ffn": 3072, "chunk_length": 30},
    chats=960,
    words=(5.5, 0.5),
    batch_size=16,
    tokens=1024,
    images=2048,
    image_batch_size=64,
    clips=640,
    clip_seconds=(5.0, 25.0),
    clip_batch_size=16,
    logging_steps=5,
    warm=5,
    precision_steps=60,
    resume_rows=4800,
    tolerance=0.02,
    drift=0.05,
    speed=0.98,
    memory=1.02,
)
"""A Llama of half a billion parameters, ViT-large and Whisper-small."""

SMOKE = Sizes(
    llama={"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "max_position_embeddings": 256},
    small_llama={"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "max_position_embeddings": 256},
    vit={"image_size": 32, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1},
    whisper={"d_model": 32, "layers": 1, "heads": 2, "ffn": 64, "chunk_length": 4},
    chats=24,
    words=(2.5, 0.5),
    batch_size=4,
    tokens=128,
    images=24,
    image_batch_size=4,
    clips=12,
    clip_seconds=(1.0, 3.0),
    clip_batch_size=4,
    logging_steps=1,
    warm=1,
    precision_steps=6,
    resume_rows=1600,
    tolerance=1e-3,
    drift=1e-3,
    speed=0.0,
    memory=float("inf"),
)
"""Tiny sizes for a CPU, of which rates and memory say nothing: their bounds always hold."""


@dataclass
class Bench:
    """The service and the folder of the measurements. gpu: name of the GPU; empty: none. seconds: budget of a part."""

    root: Path
    service: Service
    sizes: Sizes
    gpu: str
    seconds: float
    _made: dict[str, Path] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[Path], Any]) -> Path:
        """Return a folder that `make` has filled, the same one for all parts."""
        if name not in self._made:
            make(self.root / name)
            self._made[name] = self.root / name
        return self._made[name]

    @property
    def limit(self) -> float:
        """Most seconds of one run: beyond that it is stopped, and its part has failed."""
        return max(LEAST_LIMIT, 5 * self.seconds)

    @property
    def mixed_precision(self) -> str | None:
        """Mixed precision of the trainings: bf16 with a GPU."""
        return "bf16" if self.gpu else None


@dataclass(frozen=True)
class Part:
    """A part. measure: returns its rows. packages: modules that must be importable."""

    name: str
    title: str
    measure: Callable[[Bench], list[Row]]
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The outcome of a part. state: `ran`, `failed` (an error) or `cannot run`; reason: of the latter two."""

    part: str
    state: str
    seconds: float
    reason: str = ""
    rows: list[Row] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON data."""
        rows = [
            {
                "name": r.name,
                "ours": r.ours,
                "theirs": r.theirs,
                "ratio": r.ratio,
                "target": r.target,
                "at_least": r.at_least,
                "met": r.good,
            }
            for r in self.rows
        ]
        return {"part": self.part, "state": self.state, "reason": self.reason, "seconds": self.seconds, "rows": rows}


def alternate(bench: Bench, theirs: Callable[[int], Any], ours: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
    """Run both alternately, once at least, and again while the budget of the part is enough for another pair."""
    first, second = [], []
    began = time.monotonic()
    for i in range(MOST_REPEATS):
        first.append(theirs(i))
        second.append(ours())
        spent = time.monotonic() - began
        if spent * (i + 2) / (i + 1) > bench.seconds:
            break
    return second, first
