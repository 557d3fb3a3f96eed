"""Decoding of logits, and long audio cut at pauses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from autotrain_gradio.tasks.automatic_speech_recognition import (
    ctc,
    decoding,
    models,
    tiny,
    transcribe,
)
from autotrain_gradio.tasks.registry import registry
from tests.voices import RATE, record, speak


def params(**changes: Any) -> Any:
    return registry().get("ASR").params(**changes)


def test_frames_after_the_end_of_an_utterance_are_ignored() -> None:
    logits = torch.nn.functional.one_hot(torch.tensor([[3, 3, 4, 4], [3, 0, 4, 4]]), 6).float()
    labels = decoding.best_path(logits, torch.tensor([4, 2]), blank=0)
    assert labels.tolist() == [[3, 3, 4, 4], [3, 0, 0, 0]]
    tokenizer = ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", "a", "b"])})
    rows = np.array([[3, 3, 0, 3, 2, 4, -100]])
    assert decoding.texts(tokenizer, rows, "ctc") == ["aa b"], "doubled letters stay two"


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wav2vec2-bert", "parakeet"])
def test_the_number_of_frames_is_that_of_the_model(kind: str, tmp_path: Path) -> None:
    folder = tiny.tiny_model(tmp_path, "ab", kind=kind)
    made = models.open_recognizer(str(folder), params(vocabulary="new"), ["ab"], tmp_path)
    model, rng = made.model.eval(), np.random.default_rng(0)
    waves = [rng.normal(size=n).astype(np.float32) for n in (16_000, *range(8_000, 9_000, 90))]
    batch = made.collator.features(waves)
    alone = [made.collator.features([wave]) for wave in waves]
    with torch.inference_mode():
        if kind == "parakeet":
            inside = model.encoder(batch["input_features"], batch["attention_mask"], output_attention_mask=True)
            own = inside.attention_mask.sum(dim=-1).tolist()
        elif kind == "wav2vec2-bert":  # a wave of an odd number of features is padded even where it is alone
            own = [int(one["attention_mask"].sum()) for one in alone]
        else:
            own = [model(**{k: v for k, v in one.items() if k != "samples"}).logits.shape[1] for one in alone]
    assert decoding.frames(model, batch).tolist() == own and len(set(own)) > 1


def test_graphemes_are_restored_by_the_tokenizer() -> None:
    counts = {"का": 9, "खि": 9, "ग": 9}
    table = {s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *counts])}
    tokenizer = ctc.ctc_tokenizer(table)
    labels = ctc.encoder(tokenizer)("का खि ग")
    assert labels == [3, 2, 4, 2, 5], "the spaces beside a symbol of several characters are kept"
    assert decoding.texts(tokenizer, [labels], "ctc") == ["का खि ग"]


def test_long_audio_is_split_at_the_quietest_frames(tmp_path: Path) -> None:
    text = "abcdefgh" + " " * 4 + "hgfedcba" + " " * 4 + "abab"
    row = record(tmp_path, [text], seconds=0.25)[0]
    found = list(transcribe.chunks(row["audio"], RATE, 3.5))
    assert sum(len(a) for _, a in found) == len(speak(text, seconds=0.25))
    starts = [s for s, _ in found]
    assert starts[0] == 0 and 2.0 < starts[1] < 3.0 and 5.0 < starts[2] < 6.0
    assert all(len(a) <= 3.5 * RATE for _, a in found)
    assert [s for s, _ in transcribe.chunks(row["audio"], RATE, 60)] == [0]


@pytest.mark.parametrize("rate", [7350, 8000, 11025, 44100])
def test_long_audio_of_another_sampling_rate_is_complete(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, rate * 10).astype(np.float32), rate)
    found = list(transcribe.chunks({"path": str(path), "bytes": None}, RATE, 2.8))
    assert len(found) > 3 and sum(len(a) for _, a in found) / RATE == pytest.approx(10, abs=0.001)
