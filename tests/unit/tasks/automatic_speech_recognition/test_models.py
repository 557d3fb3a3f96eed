"""Model families, vocabularies and adapters of speech recognition."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from autotrain_gradio.core.errors import MissingExtra, UserError
from autotrain_gradio.tasks.automatic_speech_recognition import (
    ctc,
    tiny,
    transcript_normalizer,
)
from autotrain_gradio.tasks.automatic_speech_recognition.families import family_of
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.training.pretrained import ModelError


def params(**changes: Any) -> Any:
    return registry().get("ASR").params(**changes)


def test_an_adapter_of_any_language_name_is_saved(tmp_path: Path) -> None:
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
def test_the_family_is_derived_from_the_config(kind: str, family: str) -> None:
    assert family_of({"model_type": kind}, "some/model") == family
    assert family_of({"model_type": "parakeet_tdt"}, "some/model") == "transducer"


def test_models_that_cannot_be_trained_are_refused_with_a_reason() -> None:
    with pytest.raises(ModelError, match="model-specific prompt"):
        family_of({"model_type": "voxtral"}, "some/model")
    with pytest.raises(ModelError, match="only an encoder"):
        family_of({"model_type": "parakeet_encoder"}, "some/model")
    with pytest.raises(ModelError, match="cannot be used for automatic speech recognition"):
        family_of({"model_type": "bert", "architectures": ["BertModel"]}, "some/model")


def test_a_transducer_without_torchaudio_is_refused_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "autotrain_gradio.tasks.automatic_speech_recognition.families.is_torchaudio_available", lambda: False
    )
    with pytest.raises(MissingExtra) as caught:
        family_of({"model_type": "parakeet_rnnt"}, "some/model")
    assert caught.value.findings[0].hint == "pip install torchaudio"


def test_transcripts_get_the_case_of_the_vocabulary() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"ABCDE'"])}))
    found = transcript_normalizer.choose_normalizer(params(), "ctc", ["Abc, cab!", "bad"], known)
    assert found.new is None and found.case == "upper" and found("Abc, d'e!") == "ABC D'E"


def test_an_insufficient_vocabulary_is_replaced_with_a_note() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"ABC"])}))
    found = transcript_normalizer.choose_normalizer(params(), "ctc", ["क ख", "ग क"], known)
    assert found.new == ["[PAD]", "[UNK]", "|", "क", "ख", "ग"]
    notes = " ".join(found.notes())
    assert "lacks 100.0%" in notes and "a new one was built" in notes and "hard to learn: क ख ग" in notes
    kept = transcript_normalizer.choose_normalizer(params(vocabulary="model"), "ctc", ["abc क"], known)
    assert kept.new is None and "lacks 25.00%" in " ".join(kept.notes())


def test_graphemes_and_rare_symbols_in_a_new_vocabulary() -> None:
    texts = ["काका का", "कि"] * 5 + ["ङ"]
    found = transcript_normalizer.choose_normalizer(
        params(tokens="graphemes", min_character_count=2), "ctc", texts, None
    )
    assert found.new is not None and found.new[3:] == ["का", "कि"] and found.rare == ["ङ"]


def test_models_with_a_fixed_vocabulary_refuse_other_characters() -> None:
    known = ctc.known(ctc.ctc_tokenizer({s: i for i, s in enumerate(["[PAD]", "[UNK]", "|", *"abc"])}))
    with pytest.raises(UserError, match=r"cannot output 100.0%"):
        transcript_normalizer.choose_normalizer(params(), "transducer", ["क"], known)
    with pytest.raises(UserError, match="Only CTC models"):
        transcript_normalizer.choose_normalizer(params(vocabulary="new"), "seq2seq", ["a"], known)
    with pytest.raises(UserError, match="no vocabulary"):
        transcript_normalizer.choose_normalizer(params(vocabulary="model"), "ctc", ["a"], None)


def test_a_new_output_layer_keeps_the_weights_of_shared_tokens(tmp_path: Path) -> None:
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


def test_a_model_without_a_known_head_has_none() -> None:
    with pytest.raises(UserError, match="output layer"):
        ctc.head_name(SimpleNamespace())
