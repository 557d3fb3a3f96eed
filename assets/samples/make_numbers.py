"""Speak the bundled sample of speech recognition: digits, one to three in a row, by two voices.

    python assets/samples/make_numbers.py [FOLDER]

Needs the program espeak-ng, numpy and soundfile. Speed, pitch, loudness and the silence around the words
vary, and a little noise is added, so that no clip is a copy. A fifth of the phrases are kept for validation; none of
them is among those that are trained on. The clips are 16 kHz mono, as Opus.
"""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
VOICES = {"voice-1": ("en-us", 45), "voice-2": ("en-us+f3", 55)}
"""Speaker → espeak-ng's voice and its usual pitch (0 to 99)."""
CLIPS = 160
RATE = 16_000


def phrases(draw: random.Random) -> list[str]:
    """Return different phrases of one to three digits; each digit alone, and every one equally often."""
    found = list(WORDS)
    while len(found) < CLIPS // 2:
        digits = list(WORDS)
        draw.shuffle(digits)
        for words in (digits[:2], digits[2:5], digits[5:7], digits[7:]):
            phrase = " ".join(words)
            if phrase not in found:
                found.append(phrase)
    return found[: CLIPS // 2]


def speak(text: str, voice: str, pitch: int, speed: int, draw: random.Random) -> np.ndarray:
    """Return the phrase as samples at RATE, shape (samples,)."""
    command = ["espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout", text]
    spoken = subprocess.run(command, check=True, capture_output=True).stdout
    samples, rate = soundfile.read(io.BytesIO(spoken), dtype="float32")
    samples = soxr.resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    samples = samples[loud[0] : loud[-1] + 1]
    quiet = [np.zeros(round(draw.uniform(0.05, 0.15) * RATE), np.float32) for _ in range(2)]
    whole = np.concatenate([quiet[0], samples, quiet[1]])
    whole = whole / np.abs(whole).max() * draw.uniform(0.4, 0.9)
    noise = np.random.default_rng(draw.randrange(2**32)).normal(0, 0.002, len(whole))
    return np.asarray(whole + noise, np.float32)


def main(folder: Path) -> None:
    """Write the clips and `metadata.csv`."""
    draw = random.Random(7)
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    said = phrases(draw)
    alone, together = said[: len(WORDS)], said[len(WORDS) :]
    draw.shuffle(together)
    kept = set(together[: CLIPS // 10])
    rows = []
    for phrase in (*alone, *sorted(together)):
        for speaker, (voice, pitch) in VOICES.items():
            name = f"clips/{phrase.replace(' ', '_')}_{speaker[-1]}.opus"
            sound = speak(phrase, voice, pitch + draw.randint(-8, 8), draw.randint(140, 185), draw)
            soundfile.write(
                folder / name, sound, RATE, format="OGG", subtype="OPUS", compression_level=0.96
            )  # about 16 kbit/s
            rows.append((name, phrase, speaker, "validation" if phrase in kept else "train"))
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file_name", "transcription", "speaker", "split"))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "automatic_speech_recognition" / "numbers")
