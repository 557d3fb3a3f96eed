"""A torch data set of utterances, and its collator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import soxr
import torch
from transformers import Wav2Vec2FeatureExtractor

from autotrain_gradio.data.media.audio_files import read_audio

SPEEDS = (0.9, 1.0, 1.1)
"""Factors of speed perturbation (Ko et al., Audio Augmentation for Speech Recognition, Interspeech 2015)."""
SHORTEST = 0.25
"""Minimum padded duration of a batch in seconds: SpecAugment needs a few frames."""
IGNORED = -100
"""Label that the loss ignores."""

Wave: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Utterance:
    """An utterance: a segment of audio and its transcript.

    row: its row number in the split. start, end: seconds in its file; None: the file's beginning, its end.
    seconds: its duration. text: the normalized transcript, which the model is trained to output. reference: the
    transcript in the data. labels: the label ids of the text.
    """

    row: int
    start: float | None
    end: float | None
    seconds: float
    text: str
    reference: str
    labels: tuple[int, ...]
    speaker: str | None = None


class Speech(torch.utils.data.Dataset[dict[str, Any]]):
    """Utterances; an item is `{"audio": float32 (samples,), "labels": [int]}`. Files are decoded at each access.

    cells: row → `{"path", "bytes"}`, for instance a column of a `datasets.Dataset`, which stays on disk.
    rate: sampling rate of the model in Hz. speeds: factors of speed perturbation, one of which is drawn at each access
    by seed, epoch and row; empty: unchanged.
    """

    def __init__(
        self,
        cells: Sequence[Mapping[str, Any]],
        utterances: Sequence[Utterance],
        rate: int,
        *,
        speeds: Sequence[float] = (),
        seed: int = 0,
    ) -> None:
        self.utterances, self.rate = list(utterances), rate
        self._cells, self._speeds, self._seed = cells, tuple(speeds), seed
        # In shared memory: loader processes are persistent over the epochs.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return len(self.utterances)

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Seconds of each utterance (utterances,)."""
        return np.array([u.seconds for u in self.utterances])

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, so that each epoch has different augmentation."""
        self._epoch.fill_(epoch)

    def wave(self, place: int) -> Wave:
        """Return an utterance's samples (samples,), mono, in -1 to 1.

        Raises:
            DataError: its file cannot be read.
        """
        one = self.utterances[place]
        return read_audio(self._cells[one.row], one.start, one.end, self.rate)

    def __getitem__(self, place: int) -> dict[str, Any]:
        audio = self.wave(place)
        if self._speeds:
            rng = np.random.default_rng((self._seed, int(self._epoch), place))
            audio = at_speed(audio, float(rng.choice(self._speeds)), self.rate)
        return {"audio": audio, "labels": list(self.utterances[place].labels)}


def at_speed(audio: Wave, factor: float, rate: int) -> Wave:
    """Change the speed of samples, and with it the pitch; a factor above 1 is faster."""
    if factor == 1.0:
        return audio
    return np.asarray(soxr.resample(audio, round(rate * factor), rate, quality="MQ"), dtype=np.float32)


class Collator:
    """Collates items of `Speech` into a batch: audio features, padded to the longest, and labels.

    extractor: the model's feature extractor. masks: whether the model takes an attention mask; some were trained
    without one and are worse with it. padding: padding value of the labels. start: first decoder input of a transducer;
    None: for other models. shortest: minimum padded duration of a batch in seconds.

    A batch has the outputs of the extractor (`input_values` or `input_features`, and `attention_mask`), `labels` int64
    (batch, longest), and `samples` int64 (batch,): length of each wave without padding.
    """

    def __init__(
        self,
        extractor: Any,
        *,
        masks: bool,
        padding: int = IGNORED,
        start: int | None = None,
        shortest: float = SHORTEST,
    ) -> None:
        self._extractor, self._masks, self._padding, self._start = extractor, masks, padding, start
        self._shortest = shortest
        # Without a mask it would normalize over the padding too: each wave is processed alone, as in a prediction.
        self._alone = isinstance(extractor, Wav2Vec2FeatureExtractor)

    def __call__(self, items: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        batch = self.features([item["audio"] for item in items])
        labels = [item["labels"] for item in items]
        longest = max(map(len, labels))
        table = torch.full((len(items), longest), self._padding, dtype=torch.long)
        for place, one in enumerate(labels):
            table[place, : len(one)] = torch.tensor(one, dtype=torch.long)
        batch["labels"] = table
        if self._start is not None:
            # A transducer predicts each label from those before it, and the first one from the blank.
            before = table.masked_fill(table == self._padding, self._start)
            batch["decoder_input_ids"] = torch.nn.functional.pad(before, (1, 0), value=self._start)
        return batch

    def features(self, waves: Sequence[Wave]) -> dict[str, torch.Tensor]:
        """Return the model inputs for some waves, and `samples`."""
        rate = self._extractor.sampling_rate
        lengths = [len(w) for w in waves]
        longest = max(*lengths, round(self._shortest * rate))
        if self._alone:
            items = [{"input_values": self._extractor(w, sampling_rate=rate).input_values[0]} for w in waves]
            found = self._extractor.pad(
                items,
                padding="max_length",
                max_length=longest,
                return_attention_mask=self._masks,
                return_tensors="pt",
            )
        else:
            given = list(waves)
            if max(lengths) < longest:
                given[0] = np.pad(given[0], (0, longest - len(given[0])))
            found = self._extractor(
                given, sampling_rate=rate, return_attention_mask=self._masks or None, return_tensors="pt"
            )
        batch = {k: v for k, v in found.items() if k != "attention_mask" or self._masks}
        batch["samples"] = torch.tensor(lengths)
        return batch


def sample_by_length(utterances: Sequence[Utterance], count: int, seed: int) -> list[int]:
    """Draw utterances of all lengths, stratified by duration; the same seed gives the same ones."""
    order = np.argsort([u.seconds for u in utterances], kind="stable")
    parts = np.array_split(order, min(count, len(order))) if len(order) else []
    rng = np.random.default_rng(seed)
    return [int(rng.choice(part)) for part in parts]
