"""Small randomly initialized models of each supported kind, for dry runs and tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from autotrain_gradio.tasks.automatic_speech_recognition import model_internals
from autotrain_gradio.tasks.automatic_speech_recognition.ctc import ctc_tokenizer
from autotrain_gradio.training import vocabulary

RATE = 16_000
LETTERS = "abcdefghijklmnopqrstuvwxyz'"
KINDS = ("tiny", "wav2vec2", "hubert", "wav2vec2-bert", "parakeet", "mms", "whisper", "moonshine", "tdt")


def tiny_model(folder: Path, labels: Sequence[str] = (), *, kind: str = "tiny", seed: int = 42) -> Path:
    """Write a small random model with its feature extractor and its tokenizer; return the folder.

    labels: the symbols of its vocabulary; none: English letters. kind: one of `KINDS`; `tiny` learns a few spoken
    words from scratch in a minute or two, the others are as small as their architecture allows.
    """
    torch.manual_seed(seed)
    folder = Path(folder)
    makers = {"whisper": _whisper, "moonshine": _moonshine, "mms": _mms, "tdt": _transducer}
    makers.get(kind, _ctc)(folder, list(labels) or list(LETTERS), kind)
    return folder


def tiny_config(symbols: int) -> Any:
    """Return the configuration of `tiny`: a w2v-BERT of 2 layers on log-mel features, 50 frames a second."""
    from transformers import Wav2Vec2BertConfig

    return Wav2Vec2BertConfig(
        vocab_size=symbols,
        hidden_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=192,
        output_hidden_size=96,
        feature_projection_input_dim=160,
        conv_depthwise_kernel_size=15,
        position_embeddings_type="relative_key",
        left_max_position_embeddings=32,
        right_max_position_embeddings=8,
        layerdrop=0.0,
        attention_dropout=0.0,
        activation_dropout=0.0,
        hidden_dropout=0.05,
        feat_proj_dropout=0.0,
        final_dropout=0.05,
        conformer_conv_dropout=0.05,
        mask_time_prob=0.0,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
    )


def _ctc(folder: Path, symbols: list[str], kind: str) -> None:
    from transformers import (
        AutoModelForCTC,
        HubertConfig,
        ParakeetCTCConfig,
        ParakeetFeatureExtractor,
        SeamlessM4TFeatureExtractor,
        Wav2Vec2BertConfig,
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
    )

    tokens = vocabulary.build(dict.fromkeys(symbols, 1))
    raw: dict[str, Any] = {
        "vocab_size": len(tokens),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "conv_dim": (32,) * 7,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
        "pad_token_id": 0,
        "mask_time_length": 2,
        "layerdrop": 0.0,
    }
    config: Any
    extractor: Any = Wav2Vec2FeatureExtractor(return_attention_mask=kind == "mms")
    if kind == "tiny":
        config, extractor = tiny_config(len(tokens)), SeamlessM4TFeatureExtractor()
    elif kind == "hubert":
        config = HubertConfig(**raw)
    elif kind == "wav2vec2-bert":
        small = {k: v for k, v in raw.items() if not k.startswith(("conv", "num_conv", "mask"))}
        config = Wav2Vec2BertConfig(**small, conv_depthwise_kernel_size=7, mask_time_length=2)
        extractor = SeamlessM4TFeatureExtractor()
    elif kind == "parakeet":
        config = ParakeetCTCConfig(vocab_size=len(tokens), encoder_config=_parakeet_encoder(), pad_token_id=0)
        extractor = ParakeetFeatureExtractor(feature_size=80)
    elif kind == "mms":
        config = Wav2Vec2Config(**raw, do_stable_layer_norm=True, feat_extract_norm="layer", adapter_attn_dim=8)
    else:
        config = Wav2Vec2Config(**raw)
    AutoModelForCTC.from_config(config).save_pretrained(folder)
    extractor.save_pretrained(folder)
    ctc_tokenizer({s: i for i, s in enumerate(tokens)}).save_pretrained(folder)


def _mms(folder: Path, symbols: list[str], kind: str) -> None:
    """Write a model with adapters and vocabularies of two languages, as MMS."""
    from safetensors.torch import save_file
    from transformers import Wav2Vec2CTCTokenizer, Wav2Vec2ForCTC

    _ctc(folder, symbols, kind)
    tokens = vocabulary.build(dict.fromkeys(symbols, 1))
    nested = {language: {s: i for i, s in enumerate(tokens)} for language in ("eng", "hin")}
    file = folder / "vocab.json"
    file.write_text(json.dumps(nested, ensure_ascii=False), encoding="utf-8")
    Wav2Vec2CTCTokenizer(
        str(file),
        pad_token=vocabulary.PAD,
        unk_token=vocabulary.UNKNOWN,
        bos_token=None,
        eos_token=None,
        target_lang="eng",
    ).save_pretrained(folder)
    model = Wav2Vec2ForCTC.from_pretrained(folder)
    for language in ("eng", "hin"):
        model.init_adapter_layers()
        weights = {name: weight.detach().clone() for name, weight in model_internals.adapter_weights(model).items()}
        save_file(weights, folder / f"adapter.{language}.safetensors", metadata={"format": "pt"})


def _bytes_tokenizer() -> Any:
    """Return a byte-level tokenizer, which can encode any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={s: i for i, s in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def _whisper(folder: Path, symbols: list[str], kind: str) -> None:
    from transformers import (
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    base = _bytes_tokenizer()
    vocab = base.get_vocab()
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|hi|>", "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    vocab["<|endoftext|>"] = len(vocab)
    tokenizer = WhisperTokenizer(vocab=vocab, merges=[], language=None, task=None)
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:], "pad_token": special[0]})
    ids = {s: tokenizer.convert_tokens_to_ids(s) for s in special}
    extractor = WhisperFeatureExtractor(chunk_length=4)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=200,
        max_target_positions=64,
        pad_token_id=ids["<|endoftext|>"],
        bos_token_id=ids["<|endoftext|>"],
        eos_token_id=ids["<|endoftext|>"],
        decoder_start_token_id=ids["<|startoftranscript|>"],
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    model = WhisperForConditionalGeneration(config)
    settings = model.generation_config
    settings.is_multilingual = True
    settings.lang_to_id = {s: ids[s] for s in ("<|en|>", "<|hi|>")}
    settings.task_to_id = {t: ids[f"<|{t}|>"] for t in ("translate", "transcribe")}
    settings.no_timestamps_token_id = ids["<|notimestamps|>"]
    settings.prev_sot_token_id = ids["<|startofprev|>"]
    settings.max_length = 64
    model_internals.keep_settings(settings)
    model.save_pretrained(folder)
    WhisperProcessor(extractor, tokenizer).save_pretrained(folder)


def _moonshine(folder: Path, symbols: list[str], kind: str) -> None:
    from transformers import (
        MoonshineConfig,
        MoonshineForConditionalGeneration,
        PreTrainedTokenizerFast,
        Wav2Vec2FeatureExtractor,
    )

    base = _bytes_tokenizer()
    base.add_special_tokens(["<s>", "</s>", "<unk>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=base, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>"
    )
    config = MoonshineConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        encoder_num_hidden_layers=2,
        decoder_num_hidden_layers=2,
        encoder_num_attention_heads=2,
        decoder_num_attention_heads=2,
        max_position_embeddings=96,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.bos_token_id,
    )
    MoonshineForConditionalGeneration(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _parakeet_encoder() -> Any:
    from transformers import ParakeetEncoderConfig

    return ParakeetEncoderConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        subsampling_conv_channels=16,
        num_mel_bins=80,
        layerdrop=0.0,
    )


def _transducer(folder: Path, symbols: list[str], kind: str) -> None:
    from transformers import (
        ParakeetFeatureExtractor,
        ParakeetForTDT,
        ParakeetProcessor,
        ParakeetTDTConfig,
        ParakeetTokenizer,
    )

    base = _bytes_tokenizer()
    base.add_special_tokens(["<pad>", "<unk>", "<blank>"])
    tokenizer = ParakeetTokenizer(tokenizer_object=base, pad_token="<pad>", unk_token="<unk>")
    config = ParakeetTDTConfig(
        vocab_size=len(tokenizer),
        decoder_hidden_size=32,
        num_decoder_layers=1,
        max_symbols_per_step=2,
        encoder_config=_parakeet_encoder(),
        pad_token_id=tokenizer.pad_token_id,
        blank_token_id=tokenizer.convert_tokens_to_ids("<blank>"),
    )
    model = ParakeetForTDT(config)
    model.generation_config.decoder_start_token_id = config.blank_token_id
    model_internals.keep_settings(model.generation_config)
    model.save_pretrained(folder)
    ParakeetProcessor(ParakeetFeatureExtractor(feature_size=80), tokenizer, decoder_type="tdt").save_pretrained(folder)
