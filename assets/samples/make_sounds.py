"""Synthesize the bundled samples of audio classification: bells, birds, drums and sirens, alone and mixed.

    python assets/samples/make_sounds.py [FOLDER]

Needs numpy and soundfile. Pitch, speed, length, loudness and noise vary, so that no clip is a copy. The clips are
16 kHz mono, as Opus.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
PER_CLASS = 20
MIXED = 60
Samples = np.ndarray


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * RATE)) / RATE


def bell(seconds: float, draw: np.random.Generator) -> Samples:
    """Return a struck bell: inharmonic partials that decay."""
    time, pitch = _time(seconds), draw.uniform(350, 700)
    partials = zip((0.5, 1.0, 1.19, 1.5, 2.0, 2.74), (0.3, 1.0, 0.6, 0.4, 0.5, 0.25), strict=True)
    decay = draw.uniform(3, 6)
    return sum(a * np.sin(2 * np.pi * pitch * r * time) * np.exp(-decay * r * time) for r, a in partials)


def bird(seconds: float, draw: np.random.Generator) -> Samples:
    """Return chirps: short rising or falling tones, high up."""
    found = np.zeros(len(_time(seconds)))
    at, low, rises = draw.uniform(0, 0.1), draw.uniform(2200, 3400), draw.choice((-1, 1))
    while at < seconds - 0.15:
        time = _time(draw.uniform(0.06, 0.12))
        sweep = low + 900 * (0.5 + rises * (time / time[-1] - 0.5))
        start = round(at * RATE)
        chirp = np.sin(2 * np.pi * np.cumsum(sweep) / RATE) * np.hanning(len(time))
        found[start : start + len(time)] += chirp[: len(found) - start]
        at += draw.uniform(0.13, 0.25)
    return found


def drum(seconds: float, draw: np.random.Generator) -> Samples:
    """Return beats of a drum: low tones that fall and decay, with a click."""
    found = np.zeros(len(_time(seconds)))
    beat, pitch = draw.uniform(0.22, 0.4), draw.uniform(70, 120)
    for at in np.arange(draw.uniform(0, 0.1), seconds - 0.1, beat):
        time = _time(min(0.25, seconds - at))
        fall = pitch * (1 + 1.5 * np.exp(-30 * time))
        hit = np.sin(2 * np.pi * np.cumsum(fall) / RATE) * np.exp(-14 * time)
        hit += 0.3 * draw.normal(0, 1, len(time)) * np.exp(-120 * time)
        start = round(at * RATE)
        found[start : start + len(time)] += hit[: len(found) - start]
    return found


def siren(seconds: float, draw: np.random.Generator) -> Samples:
    """Return a siren: a tone with overtones that rises and falls."""
    time, middle = _time(seconds), draw.uniform(700, 1000)
    pitch = middle * 2 ** (0.5 * np.sin(2 * np.pi * draw.uniform(0.8, 2) * time + draw.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return np.sin(phase) + 0.4 * np.sin(2 * phase) + 0.2 * np.sin(3 * phase)


SOUNDS: dict[str, Callable[[float, np.random.Generator], Samples]] = {
    "bell": bell,
    "bird": bird,
    "drum": drum,
    "siren": siren,
}


def write(file: Path, sounds: list[Samples], draw: np.random.Generator) -> None:
    """Mix sounds of one length with noise, and write them."""
    whole = draw.normal(0, 0.003, len(sounds[0]) if sounds else round(draw.uniform(0.8, 1.6) * RATE))
    for sound in sounds:
        whole = whole + sound / np.abs(sound).max() * draw.uniform(0.2, 0.4)
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, whole.astype(np.float32), RATE, format="OGG", subtype="OPUS", compression_level=0.96)


def main(folder: Path) -> None:
    """Write a folder for each class, and mixed clips with a table of their labels."""
    draw = np.random.default_rng(7)
    for name, make in SOUNDS.items():
        for number in range(1, PER_CLASS + 1):
            sound = make(draw.uniform(0.6, 1.2), draw)
            write(folder / "sounds" / name / f"{number:02d}.opus", [sound], draw)
    rows, mixed = [], folder / "mixed_sounds"
    for number in range(1, MIXED + 1):
        seconds = draw.uniform(0.8, 1.6)
        names = [name for name in SOUNDS if draw.random() < 0.45]
        file = f"clips/{number:02d}.opus"
        write(mixed / file, [SOUNDS[name](seconds, draw) for name in names], draw)
        rows.append(json.dumps({"file_name": file, "labels": names}) + "\n")
    (mixed / "metadata.jsonl").write_text("".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "audio_classification")
