"""Small randomly initialized models of each supported kind, for dry runs and tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import ASTConfig

RATE = 16_000
FRAMES = 300
"""Input length of `tiny` in frames of 10 ms."""
MELS = 32
KINDS = ("tiny", "wav2vec2", "hubert", "wavlm", "wav2vec2-bert", "whisper")


def tiny_model(folder: Path, labels: Sequence[str], *, kind: str = "tiny", seed: int = 42) -> Path:
    """Write a small random model with its feature extractor; return the folder.

    kind: one of `KINDS`; `tiny`, an audio spectrogram transformer, learns a few sounds from scratch, the others are as
    small as their architecture allows.
    """
    import torch
    from transformers import (
        ASTFeatureExtractor,
        AutoModelForAudioClassification,
        SeamlessM4TFeatureExtractor,
        Wav2Vec2FeatureExtractor,
        WhisperFeatureExtractor,
    )

    torch.manual_seed(seed)
    folder = Path(folder)
    extractor: Any = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    config: Any = tiny_config(labels) if kind == "tiny" else _config(kind, labels)
    if kind == "tiny":
        extractor = ASTFeatureExtractor(num_mel_bins=MELS, max_length=FRAMES)
    elif kind == "wav2vec2-bert":
        extractor = SeamlessM4TFeatureExtractor()
    elif kind == "wavlm":  # as the large ones: with an attention mask
        extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    elif kind == "whisper":
        extractor = WhisperFeatureExtractor(chunk_length=4)
    AutoModelForAudioClassification.from_config(config).save_pretrained(folder)
    extractor.save_pretrained(folder)
    return folder


def tiny_config(labels: Sequence[str]) -> ASTConfig:
    """Return the configuration of `tiny`."""
    from transformers import ASTConfig

    return ASTConfig(
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        patch_size=16,
        frequency_stride=16,
        time_stride=16,
        max_length=FRAMES,
        num_mel_bins=MELS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,
        **_names(labels),
    )


def _names(labels: Sequence[str]) -> dict[str, Any]:
    return {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}


def _config(kind: str, labels: Sequence[str]) -> Any:
    from transformers import HubertConfig, Wav2Vec2BertConfig, Wav2Vec2Config, WavLMConfig, WhisperConfig

    small: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "classifier_proj_size": 16,
        "layerdrop": 0.0,
        **_names(labels),
    }
    if kind == "wav2vec2-bert":
        return Wav2Vec2BertConfig(**small, conv_depthwise_kernel_size=7)
    if kind == "whisper":
        return WhisperConfig(
            vocab_size=64,
            d_model=32,
            encoder_layers=2,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=64,
            decoder_ffn_dim=64,
            max_source_positions=200,
            max_target_positions=16,
            classifier_proj_size=16,
            pad_token_id=0,
            bos_token_id=0,
            eos_token_id=0,
            decoder_start_token_id=0,
            **_names(labels),
        )
    raw = {"conv_dim": (32,) * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
    if kind == "hubert":
        return HubertConfig(**small, **raw)
    if kind == "wavlm":
        return WavLMConfig(**small, **raw, feat_extract_norm="layer", do_stable_layer_norm=True)
    return Wav2Vec2Config(**small, **raw)
