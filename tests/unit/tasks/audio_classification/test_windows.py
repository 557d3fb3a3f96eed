"""Windows of clips, their averaged scores, and the messages about long clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from autotrain_gradio.tasks.audio_classification.clips import length_notes, with_noise
from autotrain_gradio.tasks.audio_classification.windows import MAX_WINDOWS, average_scores, window_starts


@pytest.mark.parametrize(("samples", "count"), [(0, 1), (5, 1), (100, 1), (101, 2), (200, 2), (250, 3)])
def test_windows_cover_a_clip(samples: int, count: int) -> None:
    starts = window_starts(samples, 100)
    assert len(starts) == count and starts[0] == 0
    assert starts[-1] == max(0, samples - 100), "the last window ends with the clip"
    assert all(b - a <= 100 for a, b in zip(starts, starts[1:], strict=False)), "without gaps"


def test_very_long_clips_have_a_limited_number_of_windows() -> None:
    starts = window_starts(100 * 1000, 100)
    assert len(starts) == MAX_WINDOWS and starts[-1] == 99_900


def test_scores_are_means_of_the_probabilities_of_the_windows() -> None:
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)) * 4
    found = average_scores(logits, [1, 3, 2], multi_label=False)
    assert torch.equal(found[0], logits[0])
    assert torch.allclose(found[1].softmax(-1), logits[1:4].softmax(-1).mean(0), atol=1e-6)
    found = average_scores(logits, [1, 3, 2], multi_label=True)
    assert torch.equal(found[0], logits[0])
    assert torch.allclose(found[2].sigmoid(), logits[4:].sigmoid().mean(0), atol=1e-6)


def test_long_clips_are_counted() -> None:
    seconds = np.array([1.0, 2.0, 3.0, 500.0])
    assert length_notes(seconds, 1000.0, "training") == []
    assert length_notes(seconds, 10.0, "training") == [
        "1 of 4 training clips is longer than 10 s: of these, a random crop of this length is used in each epoch."
    ]
    found = length_notes(seconds, 2.0, "validation")
    assert found[0].startswith("2 of 4 validation clips are longer than 2 s: the scores")
    assert found[1] == (
        "1 clip is longer than 60 s: 30 evenly spaced windows are used, and the audio between them is ignored."
    )


def test_noise_has_the_given_ratio() -> None:
    audio = np.sin(np.arange(160_000) / 10).astype(np.float32)
    noise = with_noise(audio, 20.0, np.random.default_rng(0)) - audio
    assert 20 * np.log10(audio.std() / noise.std()) == pytest.approx(20, abs=0.1)
