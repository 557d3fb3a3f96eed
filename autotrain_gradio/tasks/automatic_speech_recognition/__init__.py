"""Automatic speech recognition: what is said, as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    AUDIO,
    AUDIO_CONTENT,
    AUDIO_EMBEDDED,
    AUDIO_PARTS,
    AUDIO_TABLE,
    AUDIO_TRANSCRIPTS,
    ELAN,
    GROUP,
    HUB,
    KALDI,
    LIBRISPEECH,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    SECONDS,
    TEXT,
    TEXTGRID,
    UPLOAD,
)
from autotrain_gradio.data.declarations import Column
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
    Column(
        "audio",
        "Audio",
        AUDIO,
        "The recording, or the name of its file.",
        purpose="input",
        names=("audio", "audio_path", "audio_file", "file_name", "filename", "file", "path", "wav", "wav_path", "clip"),
    ),
    Column(
        "text",
        "Transcript",
        TEXT,
        "What is said.",
        purpose="target",
        names=("text", "transcription", "transcript", "sentence", "normalized_text", "utterance", "words"),
    ),
    Column(
        "start",
        "Start",
        SECONDS,
        "Where in the recording the utterance begins, in seconds.",
        purpose="input",
        required=False,
        names=("start", "start_time", "begin", "begin_time", "onset", "start_seconds", "tmin", "xmin"),
    ),
    Column(
        "end",
        "End",
        SECONDS,
        "Where it ends.",
        purpose="input",
        required=False,
        names=("end", "end_time", "stop", "offset", "end_seconds", "tmax", "xmax"),
    ),
    Column(
        "speaker",
        "Speaker",
        GROUP,
        "Who speaks. Without a split of the data, whole speakers are kept for validation where there are enough.",
        purpose="group",
        required=False,
        names=("speaker", "speaker_id", "client_id", "spk", "spk_id", "speakerid", "speaker_name", "narrator"),
    ),
    Column(
        "recording",
        "Recording",
        GROUP,
        "The recording it was cut from, which the split keeps together where no speakers are known.",
        purpose="group",
        required=False,
        names=("recording", "recording_id", "session", "session_id", "chapter_id", "source_id"),
    ),
)


class AutomaticSpeechRecognitionParams(TrainerParams, LoraParams):
    """Parameters of automatic speech recognition."""

    epochs: int = param(15, "basic", ge=1, le=10_000)
    """How often the model sees every training clip. CTC models write nothing at all in the first few."""
    early_stopping_patience: int = param(10, "evaluation", ge=0, le=1000)
    """Stop after this many evaluations without improvement; 0: never."""
    lr: float = param(3e-4, "basic", title="Learning rate", gt=0, le=1)
    """Size of the steps that training takes. 3e-4 suits CTC models, 1e-5 Whisper."""
    language: str | None = param(None, "basic")
    """Language that is spoken. For Whisper a name or code (Hindi, hi), for MMS the code of an adapter (hin). Empty, or
    one that the model does not know: it is trained without being told."""
    max_duration: float = param(30.0, "basic", gt=0, le=3600)
    """Longest clip in seconds. Whisper hears 30 at most."""
    too_long: Literal["drop", "trim"] = param("drop", "training")
    """What happens to longer clips: `drop` leaves them out; `trim` first cuts silence at their ends, of which the
    transcript says nothing, and leaves out those that are still too long. Both are counted."""
    sampling_rate: int = param(16_000, "training", ge=1000, le=400_000)
    """Samples per second that the data is thought to be trained at. Audio of any rate is read; a model that was made
    for another one gets that, which is told."""
    max_seq_length: int | None = param(None, "training", ge=1)
    """Most labels of a transcript (characters for CTC models); clips with more are left out and counted. Empty: as
    many as the model can write."""
    vocabulary: Literal["auto", "model", "new"] = param("auto", "basic")
    """Symbols that a CTC model learns to write. `auto`: the model's own if they cover the transcripts, else new ones
    from the transcripts."""
    tokens: Literal["characters", "graphemes"] = param("characters", "training")
    """Unit of a new vocabulary. `graphemes` keeps combining marks (vowel signs, diacritics, tie bars) together with the
    letter that they modify."""
    min_character_count: int = param(1, "training", ge=1)
    """A symbol that occurs less often gets no place in a new vocabulary and counts as unknown."""
    text_case: Literal["auto", "keep", "lower", "upper"] = param("auto", "training")
    """Case of the transcripts, where the script has any. `auto`: the one that the model's vocabulary knows, lower for a
    new one, as written for models with encoder and decoder."""
    punctuation: Literal["auto", "keep", "remove"] = param("auto", "training")
    """Punctuation of the transcripts. `auto`: removed for CTC models, which cannot hear it, and kept for the others."""
    freeze_feature_encoder: bool = param(True, "training")
    """Leave the convolutions that hear the raw audio (wav2vec2, HuBERT, WavLM) as they are."""
    freeze_encoder: bool = param(False, "training")
    """Train only the decoder, or the last layer of a CTC model."""
    adapter_only: bool = param(True, "training")
    """Of a model with adapters for languages (MMS) train only the adapter and the last layer."""
    spec_augment: bool = param(True, "augmentation", title="SpecAugment")
    """Hide parts of the audio from the model, so that it learns to guess from what is around them."""
    mask_time_prob: float = param(0.05, "augmentation", title="Share of time hidden", ge=0, lt=1)
    """Share of the frames at which a hidden stretch begins, divided by its length."""
    mask_feature_prob: float = param(0.0, "augmentation", title="Share of features hidden", ge=0, lt=1)
    """The same for features."""
    speed_perturbation: bool = param(False, "augmentation")
    """Play each clip at 0.9, 1 or 1.1 times its speed, another one in each epoch: helps with few speakers."""
    gradient_checkpointing: bool = param(False, "hardware")
    """Compute parts twice instead of keeping them: much less memory, somewhat slower."""
    metric_for_best_model: Literal["wer", "cer", "loss"] = param("wer", "evaluation")
    """Validation figure by which the best checkpoint is chosen; smaller is better."""

    @field_validator("language", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value


def defaults(model: str) -> dict[str, Any]:
    """Return what suits a model's family: by the name of a Hub model, by the config of a folder.

    Encoder–decoder models take smaller steps; one that starts from nothing takes larger ones.
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
    """Return the type that the config of a local model names; empty for all else."""
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
    summary="Turn speech into text, in any language and script: interviews, field recordings, dictation.",
    module="autotrain_gradio.tasks.automatic_speech_recognition.train",
    requires=from_extra("speech", *TRAINER, "jiwer", "librosa", "soundfile", "soxr"),
    params=AutomaticSpeechRecognitionParams,
    columns=COLUMNS,
    column_aliases={"transcription": "text", "transcript": "text", "sentence": "text", "audio_path": "audio"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, AUDIO_EMBEDDED, LIBRISPEECH, KALDI, TEXTGRID, ELAN, AUDIO_TABLE),
    checks=(AUDIO_PARTS, AUDIO_CONTENT, AUDIO_TRANSCRIPTS),
    metrics=(
        Metric("wer", "Word error rate", higher_is_better=False, percent=True, help="Wrong words for 100 said."),
        Metric("cer", "Character error rate", higher_is_better=False, percent=True, help="The same for characters."),
        Metric("wer_raw", "WER as written", higher_is_better=False, percent=True, help="With case and punctuation."),
        Metric("cer_raw", "CER as written", higher_is_better=False, percent=True, help="With case and punctuation."),
        Metric("loss", "Loss", higher_is_better=False),
        Metric("substitutions", "Words substituted", higher_is_better=False, help="Another word was heard."),
        Metric("deletions", "Words deleted", higher_is_better=False, help="A word was missed."),
        Metric("insertions", "Words inserted", higher_is_better=False, help="A word was heard that was not said."),
        Metric("words", "Words said"),
        Metric("character_substitutions", "Characters substituted", higher_is_better=False),
        Metric("character_deletions", "Characters deleted", higher_is_better=False),
        Metric("character_insertions", "Characters inserted", higher_is_better=False),
        Metric("characters", "Characters said"),
    ),
    headline="wer",
    charts=(
        Chart("Loss", {"loss": "training", "eval_loss": "validation"}),
        Chart("Errors on the validation utterances", {"eval_wer": "words (WER)", "eval_cer": "characters (CER)"}),
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
        SuggestedModel("facebook/wav2vec2-base", "CTC: a quick start for any language, from about ten minutes.", 95),
        SuggestedModel("facebook/wav2vec2-xls-r-300m", "CTC, heard 128 languages: for a language of your own.", 315),
        SuggestedModel(
            "facebook/mms-1b-all", "CTC with small adapters for 1,162 languages: little data, a GPU.", 965, gpu=True
        ),
        SuggestedModel(
            "facebook/w2v-bert-2.0", "CTC, heard 143 languages: accurate with an hour or more; a GPU.", 580, gpu=True
        ),
        SuggestedModel("facebook/wav2vec2-large-960h", "CTC: for English, or what sounds like it.", 315),
        SuggestedModel("facebook/hubert-large-ls960-ft", "CTC: for English; good with noise.", 316),
        SuggestedModel("openai/whisper-tiny", "Writes punctuation; one of Whisper's 99 languages, on a CPU.", 37.8),
        SuggestedModel("openai/whisper-base", "The same, more accurate.", 72.6),
        SuggestedModel(
            "openai/whisper-small", "The same with a GPU: the usual choice for a language it knows.", 242, gpu=True
        ),
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
    samples=(
        Sample(
            "numbers",
            "Spoken numbers in two voices",
            "automatic_speech_recognition/numbers",
            "Short clips, made with a speech synthesiser.",
        ),
    ),
    aliases=("ASR", "automatic_speech_recognition", "speech_recognition"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
