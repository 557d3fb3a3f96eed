"""Utterances as a training reads them: decoding, speed perturbation, batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training.audio import Collator, Speech, Utterance, at_speed
from tests.voices import RATE, record, speak


def params(**changes: Any) -> Any:
    return registry().get("ASR").params(**changes)


def utterance(seconds: float, labels: tuple[int, ...] = (3,), row: int = 0) -> Utterance:
    return Utterance(row, None, None, seconds, "a", "a", labels)


def test_only_the_segment_of_a_file_is_decoded(tmp_path: Path) -> None:
    rows = record(tmp_path, ["ab"], seconds=0.5)
    parts = Speech([rows[0]["audio"]], [Utterance(0, 0.5, 1.0, 0.5, "b", "b", (4,))], RATE)
    item = parts[0]
    assert item["audio"].shape == (RATE // 2,) and item["labels"] == [4]
    assert np.allclose(item["audio"], speak("ab", seconds=0.5)[RATE // 2 :], atol=1e-3)


def test_the_speed_perturbation_depends_on_seed_epoch_and_row(tmp_path: Path) -> None:
    rows = record(tmp_path, ["abcd"] * 6)
    many = [Utterance(i, None, None, 0.6, "a", "a", (3,)) for i in range(6)]
    cells = [r["audio"] for r in rows]
    first, again = (Speech(cells, many, RATE, speeds=(0.9, 1.0, 1.1), seed=1) for _ in range(2))
    lengths = [len(first[i]["audio"]) for i in range(6)]
    assert lengths == [len(again[i]["audio"]) for i in range(6)] and len(set(lengths)) > 1
    again.set_epoch(1)
    assert lengths != [len(again[i]["audio"]) for i in range(6)]
    assert len(at_speed(np.zeros(1100, np.float32), 1.1, RATE)) == pytest.approx(1000, abs=2)


def test_labels_are_padded_with_the_ignored_index() -> None:
    collate = Collator(Wav2Vec2FeatureExtractor(return_attention_mask=True), masks=True)
    items = [{"audio": speak("abc"), "labels": [5, 6]}, {"audio": speak("abcdef"), "labels": [7]}]
    batch = collate(items)
    assert batch["labels"].tolist() == [[5, 6], [7, -100]]
    assert batch["attention_mask"].sum(-1).tolist() == [7200, 14400]
    assert batch["samples"].tolist() == [7200, 14400]
    alone = collate(items[:1])
    assert alone["input_values"].shape == (1, 7200)
    assert collate([{"audio": speak("a"), "labels": [1]}])["input_values"].shape == (1, 4000), "a quarter of a second"
    assert torch.equal(alone["input_values"][0, :7200], batch["input_values"][0, :7200]), "a neighbour changes nothing"


def test_models_without_an_attention_mask_get_utterances_normalized_separately() -> None:
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    collate = Collator(extractor, masks=False)
    short, long = speak("abcd"), speak("abcdefgh")
    batch = collate([{"audio": short, "labels": [3]}, {"audio": long, "labels": [3]}])
    assert "attention_mask" not in batch
    expected = extractor(short, sampling_rate=RATE, return_tensors="pt").input_values[0]
    assert torch.allclose(batch["input_values"][0, : len(short)], expected)


def test_whisper_inputs_have_a_fixed_length() -> None:
    collate = Collator(WhisperFeatureExtractor(chunk_length=4), masks=False)
    batch = collate([{"audio": speak("abcd"), "labels": [1]}])
    assert batch["input_features"].shape == (1, 80, 400)
