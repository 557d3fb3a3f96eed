"""Parts of speech recognition: batches, decoding, cutting at pauses, families and normalizer."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import Wav2Vec2FeatureExtractor, WhisperFeatureExtractor

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.tasks.automatic_speech_recognition import (
    ctc,
    decoding,
    models,
    tiny,
    transcribe,
    transcript_normalizer,
)
from autotrain_gradio.tasks.automatic_speech_recognition.families import family_of
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training.audio import Collator, Speech, Utterance, at_speed
from autotrain_gradio.training.pretrained import ModelError
from tests.unit.training.voices import RATE, record, speak


def params(**changes: Any) -> Any:
    return registry().get("ASR").params(**changes)


def utterance(seconds: float, labels: tuple[int, ...] = (3,), row: int = 0) -> Utterance:
    return Utterance(row, None, None, seconds, "a", "a", labels)


def test_a_part_of_a_file_is_decoded_and_no_more(tmp_path: Path) -> None:
    rows = record(tmp_path, ["ab"], seconds=0.5)
    parts = Speech([rows[0]["audio"]], [Utterance(0, 0.5, 1.0, 0.5, "b", "b", (4,))], RATE)
    item = parts[0]
    assert item["audio"].shape == (RATE // 2,) and item["labels"] == [4]
    assert np.allclose(item["audio"], speak("ab", seconds=0.5)[RATE // 2 :], atol=1e-3)


def test_speed_follows_seed_epoch_and_row(tmp_path: Path) -> None:
    rows = record(tmp_path, ["abcd"] * 6)
    many = [Utterance(i, None, None, 0.6, "a", "a", (3,)) for i in range(6)]
    cells = [r["audio"] for r in rows]
    first, again = (Speech(cells, many, RATE, speeds=(0.9, 1.0, 1.1), seed=1) for _ in range(2))
    lengths = [len(first[i]["audio"]) for i in range(6)]
    assert lengths == [len(again[i]["audio"]) for i in range(6)] and len(set(lengths)) > 1
    again.set_epoch(1)
    assert lengths != [len(again[i]["audio"]) for i in range(6)]
    assert len(at_speed(np.zeros(1100, np.float32), 1.1, RATE)) == pytest.approx(1000, abs=2)


def test_a_batch_is_padded_with_what_a_loss_ignores() -> None:
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


def test_models_without_a_mask_get_none_and_still_are_normalised_alone() -> None:
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    collate = Collator(extractor, masks=False)
    short, long = speak("abcd"), speak("abcdefgh")
    batch = collate([{"audio": short, "labels": [3]}, {"audio": long, "labels": [3]}])
    assert "attention_mask" not in batch
    expected = extractor(short, sampling_rate=RATE, return_tensors="pt").input_values[0]
    assert torch.allclose(batch["input_values"][0, : len(short)], expected)


def test_whispers_window_is_always_the_same() -> None:
    collate = Collator(WhisperFeatureExtractor(chunk_length=4), masks=False)
    batch = collate([{"audio": speak("abcd"), "labels": [1]}])
    assert batch["input_features"].shape == (1, 80, 400)


def test_what_lies_behind_the_end_of_an_utterance_is_not_heard() -> None:
    logits = torch.nn.functional.one_hot(torch.tensor([[3, 3, 4, 4], [3, 0, 4, 4]]), 6).float()
    labels = decoding.best_path(logits, torch.tensor([4, 2]), blank=0)
    assert labels.tolist() == [[3, 3, 4, 4], [3, 0, 0, 0]]
    tokenizer = ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", "a", "b"])})
    rows = np.array([[3, 3, 0, 3, 2, 4, -100]])
    assert decoding.texts(tokenizer, rows, "ctc") == ["aa b"], "doubled letters stay two"


@pytest.mark.parametrize("kind", ["wav2vec2", "hubert", "wav2vec2-bert", "parakeet"])
def test_as_many_frames_are_heard_as_the_model_itself_counts(kind: str, tmp_path: Path) -> None:
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


def test_graphemes_survive_the_way_through_the_tokenizer() -> None:
    counts = {"का": 9, "खि": 9, "ग": 9}
    table = {s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *counts])}
    tokenizer = ctc.ctc_tokenizer(table)
    labels = ctc.encoder(tokenizer)("का खि ग")
    assert labels == [3, 2, 4, 2, 5], "the spaces beside a symbol of several characters are kept"
    assert decoding.texts(tokenizer, [labels], "ctc") == ["का खि ग"]


def test_audio_is_cut_where_it_is_quietest(tmp_path: Path) -> None:
    text = "abcdefgh" + " " * 4 + "hgfedcba" + " " * 4 + "abab"
    row = record(tmp_path, [text], seconds=0.25)[0]
    found = list(transcribe.chunks(row["audio"], RATE, 3.5))
    assert sum(len(a) for _, a in found) == len(speak(text, seconds=0.25))
    starts = [s for s, _ in found]
    assert starts[0] == 0 and 2.0 < starts[1] < 3.0 and 5.0 < starts[2] < 6.0
    assert all(len(a) <= 3.5 * RATE for _, a in found)
    assert [s for s, _ in transcribe.chunks(row["audio"], RATE, 60)] == [0]


@pytest.mark.parametrize("rate", [7350, 8000, 11025, 44100])
def test_nothing_is_lost_of_long_audio_of_another_rate(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.1, rate * 10).astype(np.float32), rate)
    found = list(transcribe.chunks({"path": str(path), "bytes": None}, RATE, 2.8))
    assert len(found) > 3 and sum(len(a) for _, a in found) / RATE == pytest.approx(10, abs=0.001)


def test_an_adapter_is_saved_whatever_its_language_is_called(tmp_path: Path) -> None:
    class Model:
        def _get_adapters(self) -> dict[str, torch.Tensor]:
            return {"adapter": torch.zeros(2)}

    for language in ("Hindi/Urdu", "../../elsewhere", "/"):
        ctc.save_adapter(Model(), tmp_path, language)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        f"adapter.{name}.safetensors" for name in ("Hindi-Urdu", "elsewhere", "new")
    ]


@pytest.mark.parametrize(
    ("kind", "family"),
    [("wav2vec2", "ctc"), ("wav2vec2-bert", "ctc"), ("parakeet_ctc", "ctc"), ("whisper", "seq2seq")],
)
def test_the_family_is_what_the_config_says(kind: str, family: str) -> None:
    assert family_of({"model_type": kind}, "some/model") == family
    assert family_of({"model_type": "parakeet_tdt"}, "some/model") == "transducer"


def test_models_that_cannot_be_trained_are_refused_with_a_reason() -> None:
    with pytest.raises(ModelError, match="prompt of its own"):
        family_of({"model_type": "voxtral"}, "some/model")
    with pytest.raises(ModelError, match="only the encoder"):
        family_of({"model_type": "parakeet_encoder"}, "some/model")
    with pytest.raises(ModelError, match="cannot be used for automatic speech recognition"):
        family_of({"model_type": "bert", "architectures": ["BertModel"]}, "some/model")


def test_a_transducer_whose_loss_needs_torchaudio_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "autotrain_gradio.tasks.automatic_speech_recognition.families.is_torchaudio_available", lambda: False
    )
    with pytest.raises(MissingExtra) as caught:
        family_of({"model_type": "parakeet_rnnt"}, "some/model")
    assert caught.value.findings[0].hint == "pip install torchaudio"


def test_the_case_that_the_model_knows_is_taken() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"ABCDE'"])}))
    found = transcript_normalizer.choose_normalizer(params(), "ctc", ["Abc, cab!", "bad"], known)
    assert found.new is None and found.case == "upper" and found("Abc, d'e!") == "ABC D'E"


def test_a_vocabulary_that_does_not_cover_is_replaced_and_told() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"ABC"])}))
    found = transcript_normalizer.choose_normalizer(params(), "ctc", ["क ख", "ग क"], known)
    assert found.new == ["[PAD]", "[UNK]", "|", "क", "ख", "ग"]
    notes = " ".join(found.notes())
    assert "lacks 100.0%" in notes and "a new one was built" in notes and "hardly be learned: क ख ग" in notes
    kept = transcript_normalizer.choose_normalizer(params(vocabulary="model"), "ctc", ["abc क"], known)
    assert kept.new is None and "lacks 25.00%" in " ".join(kept.notes())


def test_graphemes_and_rare_symbols_in_a_new_vocabulary() -> None:
    texts = ["काका का", "कि"] * 5 + ["ङ"]
    found = transcript_normalizer.choose_normalizer(
        params(tokens="graphemes", min_character_count=2), "ctc", texts, None
    )
    assert found.new is not None and found.new[3:] == ["का", "कि"] and found.rare == ["ङ"]


def test_models_whose_vocabulary_is_fixed_refuse_what_they_cannot_write() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"abc"])}))
    with pytest.raises(UserError, match=r"cannot output 100.0%"):
        transcript_normalizer.choose_normalizer(params(), "transducer", ["क"], known)
    with pytest.raises(UserError, match="Only models of the CTC kind"):
        transcript_normalizer.choose_normalizer(params(vocabulary="new"), "seq2seq", ["a"], known)
    with pytest.raises(UserError, match="no vocabulary"):
        transcript_normalizer.choose_normalizer(params(vocabulary="model"), "ctc", ["a"], None)


def test_a_new_last_layer_keeps_what_both_vocabularies_know(tmp_path: Path) -> None:
    from transformers import AutoModelForCTC, AutoTokenizer

    folder = tiny.tiny_model(tmp_path, list("ABC"), kind="wav2vec2")
    model, old = AutoModelForCTC.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    before = model.lm_head.weight.detach().clone()
    made = ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", "b", "क"])})
    ctc.new_head(model, made, old)
    after = model.lm_head.weight
    assert after.shape[0] == 5 == model.config.vocab_size
    assert torch.equal(after[0], before[0]) and torch.equal(after[2], before[2]) and torch.equal(after[3], before[4])
    assert not any(torch.equal(after[4], row) for row in before)


def test_a_model_of_another_shape_has_no_head() -> None:
    with pytest.raises(UserError, match="last layer"):
        ctc.head_name(SimpleNamespace())
