"""A torch data set of labelled clips, and its collator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset

from autotrain_gradio.core.text_format import format_count, pluralize
from autotrain_gradio.data.media.audio_files import read_audio
from autotrain_gradio.tasks.audio_classification.windows import MAX_WINDOWS, window_starts
from autotrain_gradio.training.audio import SPEEDS, Collator, Wave, at_speed
from autotrain_gradio.training.label_sets import LabelSets

NOISE_SHARE = 0.5
NOISE_DB = (10.0, 40.0)
"""Range of the signal-to-noise ratio in dB of clips with noise."""


class Clips(torch.utils.data.Dataset[dict[str, Any]]):
    """Labelled clips; files are decoded at each access.

    An item is `{"audio": float32 (samples,), "label"}` in training: a random crop of at most `window` seconds, with
    augmentation, drawn by seed, epoch and row. Otherwise it is `{"windows": [float32 (samples,)], "label"}`.

    Attributes:
        rows: row number of each item (clips,). Without training, long clips come first, so that batches need little
            padding.
    """

    def __init__(
        self,
        rows: Dataset,
        targets: np.ndarray | LabelSets,
        *,
        rate: int,
        window: float,
        training: bool = False,
        noise: bool = False,
        speed: bool = False,
        seed: int = 0,
    ) -> None:
        """Prepare a split.

        Args:
            rows: with `audio`, `audio_seconds`, and perhaps `start` and `end`.
            targets: classes or label sets of the rows.
            rate: sampling rate of the model in Hz.
            window: maximum length of a model input in seconds.
            training: items are augmented crops.
            noise, speed: augmentation with Gaussian noise, and with speed perturbation.
            seed: of the crops and the augmentation.
        """
        self.targets, self.rate, self.window, self.training = targets, rate, window, training
        self._cells, self._noise, self._speed, self._seed = rows["audio"], noise, speed, seed
        self.seconds = np.asarray(rows["audio_seconds"], dtype=np.float64)
        starts = rows["start"] if "start" in rows.column_names else [None] * len(rows)
        self._starts = np.asarray([start or 0.0 for start in starts])
        order = np.argsort(-self.seconds, kind="stable")
        self.rows = np.arange(len(rows)) if training else order
        # In shared memory: loader processes are persistent over the epochs.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Seconds of each model input (clips,)."""
        return np.minimum(self.seconds, self.window)[self.rows]

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, so that each epoch has different crops and augmentation."""
        self._epoch.fill_(epoch)

    def part(self, row: int, start: float, seconds: float) -> Wave:
        """Return samples (samples,) of a row, mono, in -1 to 1. start, seconds: within its clip.

        Raises:
            DataError: its file cannot be read.
        """
        begin = float(self._starts[row]) + start
        end = float(self._starts[row]) + min(start + seconds, float(self.seconds[row]))
        return read_audio(self._cells[int(row)], begin, end, self.rate)

    def crop(self, row: int, epoch: int) -> tuple[Wave, str]:
        """Return the training input of a row in an epoch (samples,), and a description of it."""
        rng = np.random.default_rng((self._seed, epoch, row))
        factor = float(rng.choice(SPEEDS)) if self._speed else 1.0
        wanted = self.window * factor
        start = float(rng.uniform(0, max(0.0, self.seconds[row] - wanted)))
        audio = at_speed(self.part(row, start, wanted), factor, self.rate)[: round(self.window * self.rate)]
        about = [f"{start:.1f} to {min(start + wanted, float(self.seconds[row])):.1f} s"]
        about += [f"at {factor:g} times the speed"] if factor != 1.0 else []
        if self._noise and rng.random() < NOISE_SHARE:
            ratio = float(rng.uniform(*NOISE_DB))
            audio = with_noise(audio, ratio, rng)
            about.append(f"noise at {ratio:.0f} dB")
        return audio, ", ".join(about)

    def windows(self, row: int) -> list[Wave]:
        """Return the windows of a row, each (samples,), with which it is evaluated."""
        length = round(self.window * self.rate)
        starts = window_starts(round(float(self.seconds[row]) * self.rate), length)
        if len(starts) == 1:
            return [self.part(row, 0.0, self.window)]
        return [self.part(row, start / self.rate, self.window) for start in starts]

    def __getitem__(self, place: int) -> dict[str, Any]:
        row = int(self.rows[place])
        if self.training:
            return {"audio": self.crop(row, int(self._epoch))[0], "label": self.targets[row]}
        return {"windows": self.windows(row), "label": self.targets[row]}


def with_noise(audio: Wave, ratio: float, rng: np.random.Generator) -> Wave:
    """Add Gaussian noise. ratio: signal-to-noise ratio in dB."""
    level = float(np.sqrt(np.mean(audio.astype(np.float64) ** 2))) * 10 ** (-ratio / 20)
    return np.asarray(audio + rng.normal(0, level, len(audio)), dtype=np.float32)


class ClipCollator:
    """Collates items of `Clips`.

    masks: whether the model takes an attention mask. fixed: whether its inputs have a fixed length. batch_size: of the
    windows that the model processes at once.

    A training batch has the model inputs, padded to the longest, and `labels`: int64 (clips,), or float32 (clips,
    labels) of multi-label clips.
    """

    def __init__(self, extractor: Any, *, masks: bool, fixed: bool, batch_size: int) -> None:
        self._training = Collator(extractor, masks=masks)
        self._single = Collator(extractor, masks=masks, shortest=0.0)
        # Without a mask a model averages over the padding too: a score would depend on the other clips of the batch.
        self._together, self._size = masks or fixed, batch_size

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        labels = torch.as_tensor(np.asarray([item["label"] for item in items]))
        if "audio" in items[0]:
            return {"labels": labels, **_features(self._training, [item["audio"] for item in items])}
        return {"labels": labels, **self.windows([item["windows"] for item in items])}

    def windows(self, clips: Sequence[Sequence[Wave]]) -> dict[str, Any]:
        """Return the windows of clips as model inputs, for `windows.clip_logits`.

        `windows`: int64 (clips,), number of windows of each clip. `chunks`: model inputs that are processed at once.
        `order`: int64 (windows,), for each window of the chunks its place among the windows, clip after clip.
        """
        waves = [wave for clip in clips for wave in clip]
        groups: dict[int, list[int]] = defaultdict(list)
        for place, wave in enumerate(waves):
            groups[0 if self._together else len(wave)].append(place)
        chunks = [group[i : i + self._size] for group in groups.values() for i in range(0, len(group), self._size)]
        return {
            "windows": torch.tensor([len(clip) for clip in clips]),
            "order": torch.tensor([place for chunk in chunks for place in chunk]),
            "chunks": [_features(self._single, [waves[place] for place in chunk]) for chunk in chunks],
        }


def _features(collator: Collator, waves: list[Wave]) -> dict[str, torch.Tensor]:
    return {name: value for name, value in collator.features(waves).items() if name != "samples"}


def length_notes(seconds: np.ndarray, window: float, split: str) -> list[str]:
    """Return messages about clips of a split that are longer than a model input.

    seconds: of each clip (clips,). window: maximum length of a model input in seconds.
    """
    count, total = int((seconds > window).sum()), pluralize(len(seconds), f"{split} clip")
    if not count:
        return []
    if split == "training":
        how = "of these, a random crop of this length is used in each epoch."
    else:
        how = f"the scores of their windows of {window:g} s are averaged."
    notes = [f"{count:,} of {total} {'is' if count == 1 else 'are'} longer than {window:g} s: {how}"]
    very = int((seconds > window * MAX_WINDOWS).sum())
    if very and split != "training":
        text = "{n} {is} longer than " + f"{window * MAX_WINDOWS:g} s: {MAX_WINDOWS} evenly spaced windows are used, "
        notes.append(format_count(text + "and the audio between them is ignored.", very, "clip"))
    return notes
