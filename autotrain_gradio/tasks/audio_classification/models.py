"""Models for audio classification: load one with a new classification head, its preprocessing, and freezing."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import (
    ASTFeatureExtractor,
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    Wav2Vec2FeatureExtractor,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES as TYPES

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.audio_classification.clips import ClipCollator
from autotrain_gradio.tasks.audio_classification.tiny import tiny_model
from autotrain_gradio.tasks.audio_classification.windows import MAX_WINDOWS, MOST, WINDOW
from autotrain_gradio.training import loaded_weights, plausibility, pretrained
from autotrain_gradio.training.class_labels import Labels
from autotrain_gradio.training.meta_device import count_parameters
from autotrain_gradio.training.text_models import set_labels

WHAT = "audio classification"
HEADS = ("classifier", "projector", "layer_weights")
"""Modules and weights after the backbone, in all supported types."""
AST_WINDOW, AST_HOP = 400, 160
"""Samples of a frame, and between frames, of `ASTFeatureExtractor` (constants of its code)."""


@dataclass
class Classifier:
    """A model to be trained, with its preprocessing.

    window: maximum length of an input in seconds. notes: messages for the user.
    """

    model: Any
    extractor: Any
    window: float
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> int:
        """Sampling rate in Hz."""
        return int(self.extractor.sampling_rate)

    def collator(self, batch_size: int) -> ClipCollator:
        """Return the collator of its inputs. batch_size: of the windows that are processed at once."""
        return ClipCollator(
            self.extractor,
            masks=takes_mask(self.model, self.extractor),
            fixed=longest_input(self.extractor) is not None,
            batch_size=batch_size,
        )


def open_classifier(name: str, labels: Labels, params: Any, scratch: Path) -> Classifier:
    """Return a float32 model with a new classification head.

    name: a Hub id, a folder, or `tiny`. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged.
    """
    torch.manual_seed(params.seed)
    if name == TINY:
        name = str(tiny_model(scratch, labels.names, seed=params.seed))
    config = open_config(name)
    with pretrained.translated_errors(name):
        extractor = AutoFeatureExtractor.from_pretrained(name, trust_remote_code=False)
        set_labels(config, labels.names)
        config.problem_type = "multi_label_classification" if labels.multi_label else "single_label_classification"
        notes = _augment(config, params)
        plausibility.require_weights(name, lambda: count_parameters(AutoModelForAudioClassification, config))
        # Train in float32 even if the weights are saved in 16 bits; mixed precision is a separate setting.
        model, info = AutoModelForAudioClassification.from_pretrained(
            name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True
        )
        loaded_weights.require_match(name, model, info, outputs=len(labels.names))
    window, note = window_of(extractor, params.max_length_seconds)
    setattr(model.config, WINDOW, window)
    setattr(model.config, MOST, MAX_WINDOWS)
    return Classifier(model, extractor, window, [*notes, *filter(None, [note])])


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task.

    Raises:
        UserError: it does not exist, is gated, of another task, or needs a package.
    """
    pretrained.require_type(pretrained.fetch_config(name), name, TYPES, WHAT)
    with pretrained.translated_errors(name):
        return AutoConfig.from_pretrained(name, trust_remote_code=False)


def longest_input(extractor: Any) -> float | None:
    """Return the fixed input length of a model in seconds, beyond which its extractor truncates; None: it has none."""
    samples = getattr(extractor, "n_samples", None)  # Whisper
    if isinstance(extractor, ASTFeatureExtractor):
        samples = (extractor.max_length - 1) * AST_HOP + AST_WINDOW
    return None if samples is None else samples / extractor.sampling_rate


def window_of(extractor: Any, wanted: float) -> tuple[float, str]:
    """Return the length of the windows in seconds, and a note if it is not the wanted one; else empty."""
    longest = longest_input(extractor)
    if longest is None or wanted <= longest:
        return wanted, ""
    return longest, f"The model takes at most {longest:.4g} s at once: that is the maximum length, not {wanted:g} s."


def takes_mask(model: Any, extractor: Any) -> bool:
    """Whether a model takes an attention mask: the first wav2vec2 models were trained without one."""
    if isinstance(extractor, Wav2Vec2FeatureExtractor):
        return bool(extractor.return_attention_mask)
    return "attention_mask" in inspect.signature(model.forward).parameters


def _augment(config: Any, params: Any) -> list[str]:
    """Set SpecAugment in the config of the model; return notes."""
    if hasattr(config, "apply_spec_augment") and config.model_type != "whisper":  # whose encoder alone does not mask
        config.apply_spec_augment = params.spec_augment
        return []
    return ["The model does not support SpecAugment: the setting has no effect."] if params.spec_augment else []


def freeze(model: Any, params: Any) -> None:
    """Freeze the weights that the parameters name.

    Raises:
        UserError: the head of the model cannot be identified (`no-head`).
    """
    if params.freeze_backbone:
        kept = [n for n, _ in model.named_parameters() if n.partition(".")[0] in HEADS]
        if not kept:
            message = f"The classification head of {type(model).__name__} cannot be identified."
            raise UserError(message, "Switch freeze_backbone off.", "params.freeze_backbone", "no-head")
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in kept)
    elif params.freeze_feature_encoder and hasattr(model, "freeze_feature_encoder"):
        model.freeze_feature_encoder()
