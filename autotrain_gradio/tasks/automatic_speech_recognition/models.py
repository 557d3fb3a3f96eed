"""Speech recognition models of all families: load, freeze, LoRA, save and reload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import RemoteEntryNotFoundError
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    AutoModelForRNNT,
    AutoModelForSpeechSeq2Seq,
    AutoModelForTDT,
    AutoTokenizer,
    Wav2Vec2FeatureExtractor,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_TDT_MAPPING_NAMES
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.automatic_speech_recognition import ctc, seq2seq, tiny, transcript_normalizer
from autotrain_gradio.tasks.automatic_speech_recognition.families import Family, family_of
from autotrain_gradio.training import loaded_weights, lora, plausibility, pretrained, saved
from autotrain_gradio.training.audio import IGNORED, Collator
from autotrain_gradio.training.meta_device import count_parameters

TOKENIZERS = ("vocab.json", "tokenizer.json", "tokenizer.model", "vocab.txt")
"""Vocabulary files; a model with a tokenizer has at least one."""


@dataclass
class Recognizer:
    """A model to be trained, with its preprocessing.

    rate: sampling rate in Hz. encode: normalized transcript → label ids. longest: maximum number of output labels;
    None: unlimited. frames: seconds → output frames, for CTC. notes: messages for the user.
    """

    family: Family
    model: Any
    extractor: Any
    tokenizer: Any
    normalizer: transcript_normalizer.TranscriptNormalizer
    encode: Callable[[str], list[int]]
    collator: Collator
    longest: int | None = None
    frames: Callable[[float], int] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> int:
        """Sampling rate in Hz."""
        return int(self.extractor.sampling_rate)


def open_recognizer(name: str, params: Any, texts: Sequence[str], scratch: Path) -> Recognizer:
    """Return a float32 model for the transcripts.

    name: a Hub id, a folder, or `tiny`. texts: the training transcripts. scratch: an empty folder, for the tiny model.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, its files are damaged, or its
            vocabulary does not cover the transcripts.
    """
    torch.manual_seed(params.seed)
    if name == TINY:
        normalizer = transcript_normalizer.choose_normalizer(params, "ctc", texts, None)
        assert normalizer.new is not None
        folder = tiny.tiny_model(scratch, normalizer.new[3:], seed=params.seed)
        recognizer = _open(str(folder), "ctc", params, normalizer, open_tokenizer(str(folder), params.language), None)
        recognizer.notes[:0] = normalizer.notes()
        return recognizer
    family = family_of(pretrained.fetch_config(name), name)
    own = open_tokenizer(name, params.language)
    if own is None and family != "ctc":
        message = f"'{name}' has no tokenizer."
        raise pretrained.ModelError(message, "Choose another model.", pretrained.WHERE, "model-broken")
    normalizer = transcript_normalizer.choose_normalizer(params, family, texts, None if own is None else ctc.known(own))
    tokenizer = own
    if normalizer.new is not None:
        tokenizer = ctc.ctc_tokenizer({s: i for i, s in enumerate(normalizer.new)})
    recognizer = _open(name, family, params, normalizer, tokenizer, own)
    recognizer.notes[:0] = normalizer.notes()
    return recognizer


def open_tokenizer(name: str, language: str | None, *, local: bool = False) -> Any | None:
    """Return a model's tokenizer, for MMS that of the language; None if the model has none.

    local: nothing is downloaded.

    Raises:
        UserError: it cannot be loaded.
    """
    with pretrained.translated_errors(name):
        if not any(_has(name, file, local) for file in TOKENIZERS):
            return None
        found = AutoTokenizer.from_pretrained(name, local_files_only=local)
        if language in ctc.languages(found):
            found = AutoTokenizer.from_pretrained(name, target_lang=language, local_files_only=local)
        return found


def cached_config(name: str) -> str | None:
    """Return the path of the cached configuration of a Hub model; None: not downloaded yet."""
    found = try_to_load_from_cache(name, "config.json")
    return found if isinstance(found, str) else None


def _has(name: str, file: str, local: bool) -> bool:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return (folder / file).is_file()
    cached = try_to_load_from_cache(name, file)
    if local or cached is not None:  # not None: its path, or a marker that the Hub does not have it
        return isinstance(cached, str)
    try:
        hf_hub_download(name, file)
    except RemoteEntryNotFoundError:
        return False
    return True


def _open(
    name: str,
    family: Family,
    params: Any,
    normalizer: transcript_normalizer.TranscriptNormalizer,
    tokenizer: Any,
    own: Any | None,
) -> Recognizer:
    with pretrained.translated_errors(name):
        extractor = AutoFeatureExtractor.from_pretrained(name)
        config = AutoConfig.from_pretrained(name)
        plausibility.require_weights(name, lambda: count_parameters(auto_class(family, config), config))
        notes = _augment(config, params)
        if family == "ctc":
            model, tokenizer, more = _open_ctc(name, config, params, normalizer, tokenizer, own)
            notes += more
        else:
            model = auto_class(family, config).from_pretrained(name, config=config, dtype=torch.float32)
    if params.sampling_rate != extractor.sampling_rate:
        notes.append(
            f"The model has a sampling rate of {extractor.sampling_rate:,} Hz: the audio is resampled to that, not "
            f"to {params.sampling_rate:,} Hz (sampling_rate)."
        )
    blank, padding = None, IGNORED
    if family == "transducer":
        # The losses of TDT and RNN-T use different padding values.
        blank = model.config.blank_token_id
        padding = model.config.pad_token_id if hasattr(model.config, "durations") else blank
    collator = Collator(extractor, masks=takes_mask(model, extractor), padding=padding, start=blank)
    recognizer = Recognizer(family, model, extractor, tokenizer, normalizer, lambda text: [], collator, notes=notes)
    if family == "seq2seq":
        prompt, more = seq2seq.set_language(model, tokenizer, params.language)
        recognizer.encode, recognizer.longest = seq2seq.encoder(tokenizer, prompt), seq2seq.longest_label(model)
        notes += more
    else:
        recognizer.encode = ctc.encoder(tokenizer)
    if family == "ctc":
        recognizer.frames = ctc.frame_counter(model, collator.features, recognizer.rate)
    return recognizer


def takes_mask(model: Any, extractor: Any) -> bool:
    """Whether a model takes an attention mask: the first wav2vec2 models were trained without one."""
    if isinstance(extractor, Wav2Vec2FeatureExtractor):
        return bool(extractor.return_attention_mask)
    if model.config.model_type == "whisper":  # its input has a fixed length; only SpecAugment uses the mask
        return bool(model.config.apply_spec_augment)
    return True


def _augment(config: Any, params: Any) -> list[str]:
    """Set SpecAugment in the config of the model; return notes."""
    if not hasattr(config, "apply_spec_augment"):
        return ["The model does not support SpecAugment: the setting has no effect."] if params.spec_augment else []
    config.apply_spec_augment = params.spec_augment
    config.mask_time_prob, config.mask_feature_prob = params.mask_time_prob, params.mask_feature_prob
    return []


def _open_ctc(
    name: str,
    config: Any,
    params: Any,
    normalizer: transcript_normalizer.TranscriptNormalizer,
    tokenizer: Any,
    own: Any | None,
) -> tuple[Any, Any, list[str]]:
    config.ctc_loss_reduction, config.ctc_zero_infinity = "mean", True
    if getattr(config, "vocab_size", None) is None:
        config.vocab_size = len(tokenizer)
    spoken = ctc.languages(own) if own is not None else []
    adapter = params.language if getattr(config, "adapter_attn_dim", None) and params.language in spoken else None
    more = {"target_lang": adapter} if adapter else {}
    model, info = AutoModelForCTC.from_pretrained(
        name, config=config, ignore_mismatched_sizes=True, dtype=torch.float32, output_loading_info=True, **more
    )
    loaded_weights.require_match(name, model, info, outputs=config.vocab_size)
    notes = []
    if ctc.has_adapters(model):
        if adapter:
            notes.append(f"The pretrained adapter for '{adapter}' is fine-tuned.")
        else:
            model.init_adapter_layers()
            reason = (
                f"has no adapter for '{params.language}'" if params.language else "needs a language for its adapters"
            )
            notes.append(f"The model {reason}: a new adapter is trained.")
    head = ctc.head_name(model)
    trained = not any(str(k).startswith(head) for k in info["missing_keys"])
    if normalizer.new is not None:
        ctc.new_head(model, tokenizer, own if trained and own is not None else None)
    elif own is not None:
        tokenizer = ctc.single_language_tokenizer(tokenizer)
        if getattr(model, head).weight.shape[0] < len(tokenizer):
            ctc.new_head(model, tokenizer, own if trained else None)
    if tokenizer.pad_token_id is not None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer, notes


def freeze(recognizer: Recognizer, params: Any) -> None:
    """Freeze weights as set by the parameters.

    Raises:
        UserError: all weights would be frozen.
    """
    model = recognizer.model
    if params.freeze_feature_encoder and hasattr(model, "freeze_feature_encoder"):
        model.freeze_feature_encoder()
    if recognizer.family == "ctc" and params.adapter_only and ctc.has_adapters(model):
        ctc.train_adapters_only(model)
    if not params.freeze_encoder:
        return
    if recognizer.family == "ctc":
        head = {id(p) for p in getattr(model, ctc.head_name(model)).parameters()}
        body = [p for p in model.parameters() if id(p) not in head]
    else:
        encoder = model.encoder if recognizer.family == "transducer" else model.get_encoder()
        body = list(encoder.parameters())
    for parameter in body:
        parameter.requires_grad_(False)
    if not any(p.requires_grad for p in model.parameters()):
        raise UserError("All weights are frozen.", "Switch freeze_encoder off.", "params.freeze_encoder", "frozen")


def with_lora(recognizer: Recognizer, params: Any) -> Any:
    """Return the model with LoRA adapters; the output layer of a CTC model is trained completely.

    Raises:
        UserError: together with freeze_encoder.
    """
    if params.freeze_encoder:
        message = "LoRA and freeze_encoder cannot be combined."
        raise UserError(message, "Switch one of them off.", "params.peft", "lora-and-freezing")
    # No task type: PEFT's task wrappers expect token ids, not audio features.
    whole = [ctc.head_name(recognizer.model)] if recognizer.family == "ctc" else []
    model = lora.adapt(recognizer.model, params, task_type=None, modules_to_save=whole)
    for config in model.peft_config.values():
        # PEFT would mistake the output layer for word embeddings and try to save those. It checks the base model by
        # its name at each save, unless there is none.
        config.base_model_name_or_path = None
        config.target_modules = {name for name in config.target_modules if name not in whole}
    recognizer.model.name_or_path = ""
    return model


def save(recognizer: Recognizer, model: Any, folder: Path, params: Any) -> None:
    """Save the model for the public loaders, and verify the saved files.

    model: the trained one, with LoRA adapters merged.

    Raises:
        UserError: the saved model differs.
    """
    model.config.use_cache = True
    model.save_pretrained(folder)
    recognizer.extractor.save_pretrained(folder)
    recognizer.tokenizer.save_pretrained(folder)
    if type(model.config) in PROCESSOR_MAPPING:
        PROCESSOR_MAPPING[type(model.config)](recognizer.extractor, recognizer.tokenizer).save_pretrained(folder)
    if recognizer.family == "ctc" and ctc.has_adapters(model) and params.language:
        ctc.save_adapter(model, folder, params.language)
    saved.verify(folder, model, auto_class(recognizer.family, model.config), AutoTokenizer)


def auto_class(family: Family, config: Any) -> Any:
    """Return the auto class that loads a model of the family."""
    if family == "ctc":
        return AutoModelForCTC
    if family == "seq2seq":
        return AutoModelForSpeechSeq2Seq
    return AutoModelForTDT if config.model_type in MODEL_FOR_TDT_MAPPING_NAMES else AutoModelForRNNT


def load_model(folder: Path) -> tuple[Family, Any, Any, Any]:
    """Load a trained model for prediction: family, model, feature extractor, tokenizer.

    Raises:
        UserError: the folder's files are missing or damaged.
    """
    family = family_of(pretrained.fetch_config(str(folder)), folder.name)
    with pretrained.translated_errors(folder.name):
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    model, tokenizer = saved.load_model(folder, auto_class(family, config), AutoTokenizer)
    return family, model, extractor, tokenizer
