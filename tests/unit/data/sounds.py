"""Sounds for the tests of audio: tones that differ, in the formats that libsndfile and ffmpeg write."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def tone(
    seconds: float = 1.0, rate: int = 16_000, *, hertz: float = 440.0, channels: int = 1, level: float = 0.5
) -> Any:
    """Return a sine of shape (frames, channels); each channel is quieter than the one before."""
    time = np.arange(round(seconds * rate)) / rate
    wave = level * np.sin(2 * np.pi * hertz * time)
    return np.stack([wave / (k + 1) for k in range(channels)], axis=1).astype(np.float64)


def sound(
    seconds: float = 1.0,
    rate: int = 16_000,
    *,
    format: str = "WAV",
    subtype: str | None = None,
    samples: Any = None,
    **how: Any,
) -> bytes:
    """Return the bytes of an audio file: a tone, or `samples`."""
    buffer = io.BytesIO()
    data = tone(seconds, rate, **how) if samples is None else samples
    soundfile.write(buffer, data, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def with_ffmpeg(target: Path, seconds: float = 1.0, rate: int = 16_000) -> Path:
    """Write a tone in a format that only ffmpeg writes (M4A, AAC, WMA), by the target's extension."""
    source = target.with_suffix(".source.wav")
    source.write_bytes(sound(seconds, rate))
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(source), str(target)], check=True)
    source.unlink()
    return target
