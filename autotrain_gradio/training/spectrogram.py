"""Mel spectrograms of audio as small images."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
from PIL import Image

from autotrain_gradio.training.audio import Wave

MELS, FFT, HOP = 64, 512, 160
SIDE = 160
"""Width and height of an image in pixels."""
RANGE_DB = 80.0
COLORS = ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))
"""Colors from silence to the loudest: those of matplotlib's `magma`, evenly spaced."""


def write_spectrogram(audio: Wave, rate: int, file: Path) -> None:
    """Draw the mel spectrogram of samples (samples,) into a PNG: time from left to right, low frequencies below.

    Colors are relative to the loudest value, down to `RANGE_DB` below it. rate: in Hz.
    """
    if len(audio) < FFT:
        audio = np.pad(audio, (0, FFT - len(audio)))
    power = librosa.feature.melspectrogram(y=audio, sr=rate, n_fft=FFT, hop_length=HOP, n_mels=MELS)
    decibels = librosa.power_to_db(power, ref=np.max, top_db=RANGE_DB)
    levels = np.round(255 * (1 + decibels[::-1] / RANGE_DB)).clip(0, 255).astype(np.uint8)
    image = Image.fromarray(levels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    places = np.linspace(0, 255, len(COLORS))
    channels = [np.interp(np.arange(256), places, values) for values in zip(*COLORS, strict=True)]
    image.putpalette(np.stack(channels, axis=1).round().astype(np.uint8).ravel().tolist())
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)
