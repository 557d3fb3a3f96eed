"""Speech recognition: prediction, for audio of any length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.data.media.audio_files import read_audio
from autotrain_gradio.tasks.automatic_speech_recognition import decoding, models, seq2seq
from autotrain_gradio.training.audio import Collator, Wave

CHUNK = 28.0
"""Maximum duration of a chunk in seconds."""
EARLIEST = 0.5
"""A chunk is cut at its quietest position after this share of its duration."""
PAUSE = 0.2
"""Window in seconds in which the energy is measured to find a pause."""
MORE = 0.1
"""Additional seconds that are read after a chunk, so that rounding does not decide whether more audio follows."""
SHORTEST = 0.05
"""Chunks shorter than this many seconds are skipped."""


class load:  # noqa: N801 - called as a function: `load(directory)(inputs)`
    """The recognizer that a run has trained.

    Inputs: `{"audio": path}`. Predictions: `{"text", "seconds", "segments": [{"start", "end", "text"}],
    "panels"}`, times in seconds. Longer audio is cut at its pauses into chunks of at most `CHUNK` seconds; one
    chunk at a time is in memory.
    """

    def __init__(self, directory: Path) -> None:
        self._family, self._model, self._extractor, self._tokenizer = models.load_model(directory / "model")
        masks = models.takes_mask(self._model, self._extractor)
        self._collator = Collator(self._extractor, masks=masks)
        self._rate = int(self._extractor.sampling_rate)
        window = getattr(self._extractor, "n_samples", None)
        self._seconds = min(CHUNK, window / self._rate) if window else CHUNK

    @torch.inference_mode()
    def __call__(self, inputs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Transcribe audio files.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        return [self._transcribe(given.get("audio")) for given in inputs]

    def _transcribe(self, path: Any) -> dict[str, Any]:
        if not path or not Path(path).is_file():
            raise UserError(
                "No audio was given, or the file does not exist.",
                "Give an audio file, or record one.",
                str(path or ""),
                "no-audio",
            )
        segments, end = [], 0.0
        for start, audio in chunks({"path": str(path), "bytes": None}, self._rate, self._seconds):
            end = start + len(audio) / self._rate
            if len(audio) < SHORTEST * self._rate:
                continue
            text = self._recognize(audio)
            if text:
                segments.append({"start": round(start, 2), "end": round(end, 2), "text": text})
        text, seconds = " ".join(str(s["text"]) for s in segments), round(end, 2)
        note, empty = f"{seconds:g} s of audio.", "No speech was recognized."
        panel = panels.text_block("Transcript", text, segments=segments, empty=empty, note=note)
        return {"text": text, "seconds": seconds, "segments": segments, "panels": [panel]}

    def _recognize(self, audio: Wave) -> str:
        features = {k: v.to(self._model.device) for k, v in self._collator.features([audio]).items()}
        most = seq2seq.longest_label(self._model) - 4 if self._family == "seq2seq" else 0
        labels = decoding.generate(self._model, features, self._family, most).cpu().numpy()
        return decoding.texts(self._tokenizer, labels, self._family)[0]


def chunks(cell: Mapping[str, Any], rate: int, seconds: float) -> Iterator[tuple[float, Wave]]:
    """Yield the start of each chunk in seconds and its samples, cut where the audio is quietest.

    Raises:
        DataError: the file cannot be read.
    """
    start = 0
    size = round(seconds * rate)
    while True:
        audio = read_audio(cell, start / rate, (start + size) / rate + MORE, rate)
        if len(audio) <= size:
            if len(audio) or not start:
                yield start / rate, audio
            return
        cut = quietest(audio[:size], rate)
        yield start / rate, audio[:cut]
        start += cut


def quietest(audio: Wave, rate: int) -> int:
    """Return the sample index of the quietest position in the later part of some audio."""
    size = round(PAUSE * rate)
    begin = round(EARLIEST * len(audio))
    energy = np.concatenate([[0.0], np.cumsum(audio[begin:].astype(np.float64) ** 2)])
    if len(energy) <= size:
        return len(audio)
    windows = energy[size:] - energy[:-size]
    return begin + int(windows.argmin()) + size // 2
