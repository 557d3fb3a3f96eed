"""Audio classification: one class per clip, or multi-label."""

from __future__ import annotations

from typing import Any

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.data.catalog import (
    AUDIO_CONTENT,
    AUDIO_FOLDERS,
    AUDIO_PARTS,
    CLASS_BALANCE,
    DUPLICATES,
    HUB,
    LABEL_SPELLING,
    LABELLED_AUDIO_EMBEDDED,
    LABELLED_AUDIO_TABLE,
    PATH,
    SAMPLE,
    SAVED_DATASET,
    UPLOAD,
)
from autotrain_gradio.tasks.audio import AUDIO_COLUMN, RECORDING, SPEAKER, part_columns
from autotrain_gradio.tasks.base import (
    Input,
    Sample,
    SuggestedModel,
    Task,
    param,
)
from autotrain_gradio.tasks.classification import CLASSIFIER_CHARTS, ClassifierParams, classifier_metrics, label_column
from autotrain_gradio.tasks.requirements import TRAINER, from_extra


class AudioClassificationParams(ClassifierParams):
    """Parameters of audio classification."""

    epochs: int = param(10, "basic", title="Epochs", ge=1, le=10_000)
    """Number of training epochs (passes over the training split). More epochs fit the training data better and can
    overfit."""
    max_length_seconds: float = param(10.0, "basic", title="Maximum length (seconds)", ge=0.5, le=600)
    """Maximum length of a model input in seconds. Of longer clips the training uses a random crop of this length, drawn
    anew in each epoch; evaluation and predictions use windows of this length over the whole clip (at most 30, evenly
    spaced) and average their scores. The preview shows how many clips are longer."""
    freeze_feature_encoder: bool = param(True, "training", title="Freeze the feature encoder")
    """Freeze the convolutional feature encoder (wav2vec2, HuBERT, WavLM)."""
    freeze_backbone: bool = param(False, "training", title="Freeze the backbone")
    """Freeze the pretrained backbone and train only the classification head: much faster, and often enough for few
    clips."""
    spec_augment: bool = param(True, "augmentation", title="SpecAugment")
    """SpecAugment: mask parts of the audio features at random in training, as the model's configuration says (wav2vec2,
    HuBERT, WavLM, w2v-BERT). It reduces overfitting."""
    noise: bool = param(False, "augmentation", title="Gaussian noise")
    """Add Gaussian noise to half of the training clips, with a signal-to-noise ratio of 10 to 40 dB. Helps where
    recordings of a later use are noisier."""
    speed_perturbation: bool = param(False, "augmentation", title="Speed perturbation")
    """Speed perturbation: play each clip at 0.9, 1 or 1.1 times its speed, drawn anew in each epoch. It changes the
    pitch too: leave it off where the pitch makes the class."""
    gradient_checkpointing: bool = param(False, "hardware", title="Gradient checkpointing")
    """Gradient checkpointing: recompute activations in the backward pass. Much less memory, somewhat slower."""


def defaults(model: str) -> dict[str, Any]:
    """Return a higher learning rate and more epochs for the model that is trained from scratch."""
    return {"lr": 2e-3, "epochs": 6, "early_stopping_patience": 0} if model == TINY else {}


TASK = Task(
    name="audio-classification",
    title="Audio classification",
    modality="Speech",
    summary="Classify audio clips, with one class or several labels each: sounds, keywords, speakers, languages, "
    "emotions.",
    module="autotrain_gradio.tasks.audio_classification.train",
    requires=from_extra("speech", *TRAINER, "librosa", "soundfile", "soxr"),
    params=AudioClassificationParams,
    columns=(
        AUDIO_COLUMN,
        label_column("clip", "intent", "intent_class", "emotion", "language", "keyword", "genre", "species"),
        *part_columns("clip"),
        SPEAKER,
        RECORDING,
    ),
    column_aliases={"label": "target", "labels": "target", "audio_path": "audio"},
    sources=(UPLOAD, PATH, HUB, SAMPLE),
    layouts=(SAVED_DATASET, LABELLED_AUDIO_EMBEDDED, LABELLED_AUDIO_TABLE, AUDIO_FOLDERS),
    checks=(AUDIO_PARTS, AUDIO_CONTENT, LABEL_SPELLING, CLASS_BALANCE, DUPLICATES),
    metrics=classifier_metrics("clips"),
    headline="accuracy",
    charts=CLASSIFIER_CHARTS,
    inputs=(Input("audio", "A clip", "audio"),),
    loader_example="""\
import librosa
import numpy as np
from transformers import pipeline

classifier = pipeline("audio-classification", model=model)
config = classifier.model.config
audio, rate = librosa.load(value, sr=classifier.feature_extractor.sampling_rate)
length = round(config.window_seconds * rate)
windows = min(-(-len(audio) // length), config.max_windows)
scores = dict.fromkeys(config.label2id, 0.0)
for start in np.linspace(0, max(0, len(audio) - length), windows).round().astype(int):
    for found in classifier(audio[start : start + length]):
        scores[found["label"]] += found["score"] / windows
answer = max(scores, key=scores.get)
if thresholds := getattr(config, "label_thresholds", None):  # a multi-label model
    answer = [label for label, score in scores.items() if score >= thresholds[label]]
""",
    models=(
        SuggestedModel(
            "MIT/ast-finetuned-audioset-10-10-0.4593",
            "Pretrained on AudioSet: for sounds, music, animals and machines; a GPU.",
            86.6,
            gpu=True,
        ),
        SuggestedModel(
            "openai/whisper-tiny", "The encoder of Whisper: speech, on a CPU; inputs are padded to 30 s.", 8.3
        ),
        SuggestedModel("openai/whisper-base", "The encoder of Whisper, more accurate.", 20.7),
        SuggestedModel(
            "facebook/wav2vec2-base", "Pretrained on English speech: keywords, speakers, emotions.", 94.6, gpu=True
        ),
        SuggestedModel("facebook/hubert-base-ls960", "As wav2vec2, often more accurate.", 94.6, gpu=True),
        SuggestedModel(
            "microsoft/wavlm-base-plus", "Robust to noise and overlapping speech; good for speakers.", 94.6, gpu=True
        ),
        SuggestedModel(
            "facebook/w2v-bert-2.0", "Pretrained on 143 languages: languages and accents; a large GPU.", 581, gpu=True
        ),
    ),
    defaults=defaults,
    model_filter="audio-classification",
    shown=("max_length_seconds",),
    samples=(
        Sample(
            "sounds",
            "Synthesized sounds",
            "audio_classification/sounds",
            "80 short clips of bells, birds, drums and sirens.",
        ),
        Sample(
            "mixed-sounds",
            "Clips with several sounds",
            "audio_classification/mixed_sounds",
            "60 clips, each with none, one or several of the same four sounds.",
        ),
    ),
    aliases=("audio_classification", "sound-classification", "sound_classification"),
    can=frozenset({"preview", "predict", "probe", "tiny_model", "checkpoints"}),
)
