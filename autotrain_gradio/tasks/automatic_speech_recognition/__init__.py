"""Automatic speech recognition: transcribe speech."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    AUDACITY,
    AUDIO_CONTENT,
    AUDIO_EMBEDDED,
    AUDIO_PARTS,
    AUDIO_TABLE,
    AUDIO_TRANSCRIPTS,
    DUPLICATES,
    ELAN,
    ELAN_EXPORT,
    HUB,
    KALDI,
    LIBRISPEECH,
    NEMO,
    PATH,
    PRAAT_TABLE,
    SAMPLE,
    SAVED_DATASET,
    SUBTITLES,
    TEXT,
    TEXT_BESIDE_AUDIO,
    TEXTGRID,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.tasks.audio import AUDIO_COLUMN, RECORDING, SPEAKER, part_columns
from autotrain_gradio.tasks.base import (
    PROGRESS_CHARTS,
    Chart,
    Input,
    Metric,
    Sample,
    SuggestedModel,
    Task,
    TrainerParams,
    param,
)
from autotrain_gradio.tasks.lora import LoraParams
from autotrain_gradio.tasks.requirements import TRAINER, from_extra

COLUMNS = (
    AUDIO_COLUMN,
    Column(
        "text",
        "Transcript",
        TEXT,
        "The transcript.",
        purpose="target",
        names=("text", "transcription", "transcript", "sentence", "normalized_text", "utterance", "words"),
    ),
    *part_columns("utterance"),
    SPEAKER,
    RECORDING,
)


class AutomaticSpeechRecognitionParams(TrainerParams, LoraParams):
    """Parameters of automatic speech recognition."""

    epochs: int = param(15, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the training split). CTC models output only blanks in the first
    few."""
    early_stopping_patience: int = param(10, "evaluation", title="Early stopping patience", ge=0, le=1000)
    """Early stopping patience: stop after this many evaluations without improvement. 0: no early stopping."""
    lr: float = param(3e-4, "basic", title="Learning rate", gt=0, le=1)
    """Initial learning rate of the optimizer, after warmup. 3e-4 suits CTC models, 1e-5 Whisper."""
    language: str | None = param(None, "basic", title="Language")
    """Language of the speech. For Whisper a name or code (Hindi, hi), for MMS the code of an adapter (hin). Empty, or
    a language that the model does not know: trained without a language token."""
    max_duration: float = param(30.0, "basic", title="Maximum clip duration (seconds)", gt=0, le=3600)
    """Maximum duration of a clip in seconds. Whisper processes at most 30."""
    too_long: Literal["drop", "trim"] = param("drop", "training", title="Longer clips")
    """What happens to clips above the maximum duration: `drop` excludes them; `trim` first removes silence at both
    ends and excludes those that are still too long. Both are counted."""
    sampling_rate: int = param(16_000, "training", title="Sampling rate (Hz)", ge=1000, le=400_000)
    """Sampling rate in Hz to which the audio is resampled. A model that was pretrained at another rate gets that one,
    with a warning."""
    max_seq_length: int | None = param(None, "training", title="Maximum label length", ge=1)
    """Maximum number of labels of a transcript (characters for CTC models); longer ones are excluded and counted.
    Empty: as many as the model can output."""
    vocabulary: Literal["auto", "model", "new"] = param("auto", "basic", title="Vocabulary")
    """Vocabulary of a CTC model. `model`: its own. `new`: built from the transcripts. `auto`: its own if it covers the
    transcripts, else a new one."""
    tokens: Literal["characters", "graphemes"] = param("characters", "training", title="Vocabulary unit")
    """Unit of a new vocabulary. `graphemes` keeps combining marks (vowel signs, diacritics, tie bars) together with
    their base letter."""
    min_character_count: int = param(1, "training", title="Minimum character count", ge=1)
    """Minimum number of occurrences of a symbol in the transcripts for a place in a new vocabulary; rarer ones become
    the unknown token."""
    text_case: Literal["auto", "keep", "lower", "upper"] = param("auto", "training", title="Case")
    """Case normalization of the transcripts. `auto`: the case of the model's vocabulary, lower for a new one,
    unchanged for encoder–decoder models."""
    punctuation: Literal["auto", "keep", "remove"] = param("auto", "training", title="Punctuation")
    """Punctuation of the transcripts. `auto`: removed for CTC models, unchanged for encoder–decoder models."""
    freeze_feature_encoder: bool = param(True, "training", title="Freeze the feature encoder")
    """Freeze the convolutional feature encoder (wav2vec2, HuBERT, WavLM)."""
    freeze_encoder: bool = param(False, "training", title="Freeze the encoder")
    """Freeze the encoder and train only the decoder, or the head of a CTC model."""
    adapter_only: bool = param(True, "training", title="Train only the adapter")
    """Train only the language adapter and the head of a model with adapters (MMS)."""
    spec_augment: bool = param(True, "augmentation", title="SpecAugment")
    """SpecAugment: mask parts of the audio features at random in training. It reduces overfitting."""
    mask_time_prob: float = param(0.05, "augmentation", title="Time masking probability", ge=0, lt=1)
    """SpecAugment: probability of masking along the time axis (share of the frames that begin a mask, divided by its
    length)."""
    mask_feature_prob: float = param(0.0, "augmentation", title="Feature masking probability", ge=0, lt=1)
    """SpecAugment: probability of masking along the feature axis."""
    speed_perturbation: bool = param(False, "augmentation", title="Speed perturbation")
    """Speed perturbation: play each clip at 0.9, 1 or 1.1 times its speed, drawn anew in each epoch. Helps with few
    speakers."""
    gradient_checkpointing: bool = param(False, "hardware", title="Gradient checkpointing")
    """Gradient checkpointing: recompute activations in the backward pass. Much less memory, somewhat slower."""
    metric_for_best_model: Literal["wer", "cer", "loss"] = param(
        "wer", "evaluation", title="Metric for the best checkpoint"
    )
    """Validation metric by which the best checkpoint is selected, and which early stopping watches. Lower is
    better."""

    @field_validator("language", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


def defaults(model: str) -> dict[str, Any]:
    """Return defaults for the family of a model: by the name of a Hub model, or the config of a local one.

    Encoder–decoder models need a lower learning rate, the model that is trained from scratch a higher one.
    """
    if model == TINY:
        return {
            "lr": 2e-3,
            "batch_size": 4,
            "early_stopping_patience": 0,
            "spec_augment": False,
            "freeze_feature_encoder": False,
        }
    name = (_type(model) or model.rsplit("/", 1)[-1]).lower()
    if "whisper" in name or "moonshine" in name:
        return {"lr": 1e-5, "epochs": 5, "spec_augment": False}
    if "tdt" in name or "rnnt" in name:
        return {"lr": 5e-5, "epochs": 5, "spec_augment": False}
    if any(part in name for part in ("w2v-bert", "wav2vec2-bert", "parakeet", "lasr")):
        return {"lr": 5e-5}
    if name.startswith("mms"):
        return {"lr": 1e-3}
    return {}


def _type(model: str) -> str:
    """Return the model type from the config of a local model; empty for others."""
    try:
        config = json.loads((Path(model) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(config, dict):
        return ""
    return "mms" if config.get("adapter_attn_dim") else str(config.get("model_type") or "")


TASK = Task(
    name="automatic-speech-recognition",
    title="Speech recognition",
    modality="Speech",
    summary="Transcribe speech, in any language and script: interviews, field recordings, dictation.",
    module="autotrain_gradio.tasks.automatic_speech_recognition.train",
    requires=from_extra("speech", *TRAINER, "jiwer", "librosa", "soundfile", "soxr"),
    params=AutomaticSpeechRecognitionParams,
    columns=COLUMNS,
    column_aliases={"transcription": "text", "transcript": "text", "sentence": "text", "audio_path": "audio"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(
        *(SAVED_DATASET, AUDIO_EMBEDDED, LIBRISPEECH, KALDI, NEMO, TEXTGRID, ELAN, ELAN_EXPORT, PRAAT_TABLE, SUBTITLES),
        *(AUDACITY, AUDIO_TABLE, TEXT_BESIDE_AUDIO),
    ),
    checks=(AUDIO_PARTS, AUDIO_CONTENT, AUDIO_TRANSCRIPTS, DUPLICATES),
    metrics=(
        Metric(
            "wer",
            "Word error rate",
            higher_is_better=False,
            percent=True,
            help="Substituted, deleted and inserted words, divided by the words of the references.",
        ),
        Metric("cer", "Character error rate", higher_is_better=False, percent=True, help="The same with characters."),
        Metric(
            "wer_raw",
            "WER (not normalized)",
            higher_is_better=False,
            percent=True,
            help="With case and punctuation as written.",
        ),
        Metric(
            "cer_raw",
            "CER (not normalized)",
            higher_is_better=False,
            percent=True,
            help="With case and punctuation as written.",
        ),
        Metric("loss", "Loss", higher_is_better=False),
        Metric("substitutions", "Words substituted", higher_is_better=False, help="Another word was recognized."),
        Metric("deletions", "Words deleted", higher_is_better=False, help="A word was not recognized."),
        Metric(
            "insertions",
            "Words inserted",
            higher_is_better=False,
            help="A word was recognized that is not in the reference.",
        ),
        Metric("words", "Words in the references"),
        Metric("character_substitutions", "Characters substituted", higher_is_better=False),
        Metric("character_deletions", "Characters deleted", higher_is_better=False),
        Metric("character_insertions", "Characters inserted", higher_is_better=False),
        Metric("characters", "Characters in the references"),
    ),
    headline="wer",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("Validation error rates", {"eval_wer": "WER", "eval_cer": "CER"}),
        *PROGRESS_CHARTS,
    ),
    inputs=(Input("audio", "Speech", "audio"),),
    loader_example="""\
import librosa
from transformers import pipeline

recognizer = pipeline("automatic-speech-recognition", model=model)
speech, _ = librosa.load(value, sr=recognizer.feature_extractor.sampling_rate)
answer = recognizer(speech)["text"]
""",
    answer="text",
    models=(
        SuggestedModel(
            "facebook/wav2vec2-base", "CTC: a small model for any language, from about ten minutes of audio.", 95
        ),
        SuggestedModel(
            "facebook/wav2vec2-xls-r-300m", "CTC, pretrained on 128 languages: for a language of your own.", 315
        ),
        SuggestedModel(
            "facebook/mms-1b-all", "CTC with adapters for 1,162 languages: little data, a GPU.", 965, gpu=True
        ),
        SuggestedModel(
            "facebook/w2v-bert-2.0",
            "CTC, pretrained on 143 languages: accurate with an hour of audio or more; a GPU.",
            580,
            gpu=True,
        ),
        SuggestedModel("facebook/wav2vec2-large-960h", "CTC: for English and phonetically similar languages.", 315),
        SuggestedModel("facebook/hubert-large-ls960-ft", "CTC: for English; robust to noise.", 316),
        SuggestedModel(
            "openai/whisper-tiny", "Encoder–decoder with punctuation, for Whisper's 99 languages, on a CPU.", 37.8
        ),
        SuggestedModel("openai/whisper-base", "Whisper, more accurate.", 72.6),
        SuggestedModel("openai/whisper-small", "Whisper with a GPU: a good default for its languages.", 242, gpu=True),
        SuggestedModel("UsefulSensors/moonshine-tiny", "English on small devices; clips need no padding.", 27.1),
        SuggestedModel("nvidia/parakeet-ctc-0.6b", "CTC: fast and accurate English; a GPU.", 609, gpu=True),
    ),
    defaults=defaults,
    model_filter="automatic-speech-recognition",
    shown=(
        "vocabulary",
        "tokens",
        "text_case",
        "punctuation",
        "min_character_count",
        "language",
        "speed_perturbation",
        "max_duration",
        "max_seq_length",
        "too_long",
    ),
    position=0,
    samples=(
        Sample(
            "numbers",
            "Spoken numbers in two voices",
            "automatic_speech_recognition/numbers",
            "Short clips of a speech synthesizer.",
        ),
    ),
    aliases=("ASR", "automatic_speech_recognition", "speech_recognition"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
