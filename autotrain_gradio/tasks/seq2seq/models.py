"""Encoder-decoder models: load one, its maximum lengths, languages and generation settings, and the tiny model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig, MarianConfig, MarianMTModel
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES

from autotrain_gradio.core.spec import TINY
from autotrain_gradio.tasks.seq2seq import T5_TYPES
from autotrain_gradio.tasks.seq2seq.languages import set_languages
from autotrain_gradio.training import distributed, text_models
from autotrain_gradio.training.meta_device import meta_model
from autotrain_gradio.training.tiny_tokenizer import TINY_VOCABULARY, tiny_tokenizer
from autotrain_gradio.training.tokens import FAR, longest

WHAT = "generating texts from texts"
TEXT_TYPES = (
    *T5_TYPES,
    *("bart", "bigbird_pegasus", "blenderbot", "blenderbot-small", "led", "m2m_100", "marian", "mbart", "mvp"),
    *("nllb-moe", "pegasus", "pegasus_x", "plbart", "t5gemma", "t5gemma2"),
)
"""Model types that read and write texts only; others of the auto class read speech."""
TYPES = {kind: MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES[kind] for kind in TEXT_TYPES}
TINY_POSITIONS = 512
NO_HEAD = -1
"""Number of outputs of a new head: these models get none, so no weight may have another size than in the file."""
PRETRAINED_ONLY = ("min_length", "min_new_tokens", "repetition_penalty", "do_sample", "num_beam_groups")
"""Settings of the generation that fit the data of the pretraining only, such as the length of its summaries."""
NEUTRAL = {
    **{"min_length": 0, "repetition_penalty": 1.0, "do_sample": False, "num_beam_groups": 1},
    **{"num_beams": 1, "length_penalty": 1.0, "early_stopping": False, "no_repeat_ngram_size": 0},
}
"""Values of these settings that change nothing."""
OURS = ("max_length", "max_new_tokens", "num_beams", "length_penalty", "early_stopping", "no_repeat_ngram_size")
"""Settings that the parameters of the task decide."""


@dataclass
class Generator:
    """A model, its tokenizer, and what is known about them.

    source_limit, target_limit: maximum lengths in tokens; None: unlimited. source_language, target_language: codes of
    the model, or ISO 639 codes that were detected; None: unknown. notes: messages for the user.
    """

    model: Any
    tokenizer: Any
    source_limit: int | None
    target_limit: int | None
    source_language: str | None = None
    target_language: str | None = None
    notes: list[str] = field(default_factory=list)


def open_generator(
    name: str,
    params: Any,
    texts: Sequence[str],
    targets: Sequence[str],
    scratch: Path,
    loading: Mapping[str, Any] | None = None,
) -> Generator:
    """Return a model that is ready for the training, in float32 unless it is quantized.

    name: a Hub id, a folder, or `tiny`. texts, targets: the training rows, from which the languages are detected, and
    on which the tokenizer of the tiny model is trained. scratch: an empty folder, for the tiny model. loading: see
    `open_text_model`.

    Raises:
        UserError: it does not exist, is gated, of another task, needs a package, or its files are damaged; or it does
            not know a language.
    """
    torch.manual_seed(params.seed)
    if name == TINY:
        every = [*texts, *targets]
        name = distributed.on_first_rank(lambda: str(tiny_model(scratch, texts=every, seed=params.seed)))
    model, tokenizer, _ = text_models.open_text_model(
        AutoModelForSeq2SeqLM, name, types=TYPES, what=WHAT, outputs=NO_HEAD, loading=loading
    )
    source_limit, target_limit = limits(model.config, tokenizer, model)
    found = Generator(model, tokenizer, source_limit, target_limit)
    set_languages(found, params, texts, targets)
    set_generation(found, params)
    return found


def open_config(name: str) -> Any:
    """Return the configuration of a model that can be trained for this task, as `text_models.open_config`."""
    return text_models.open_config(name, TYPES, WHAT)


def limits(config: Any, tokenizer: Any, model: Any = None) -> tuple[int | None, int | None]:
    """Return the maximum lengths of sources and targets in tokens; None: unlimited.

    model: the model, or one on the meta device; None: one is made. T5 has relative positions: the limit that its
    tokenizer names is that of its pretraining.
    """
    if config.model_type in T5_TYPES:
        return None, None
    encoder = getattr(config, "max_encoder_position_embeddings", None)  # LED
    if encoder is not None:
        return encoder, config.max_decoder_position_embeddings
    inner = [getattr(getattr(config, side, None), "max_position_embeddings", None) for side in ("encoder", "decoder")]
    if any(inner):  # T5Gemma, whose configuration holds two
        named = tokenizer.model_max_length
        return (min(inner[0] or FAR, named) if named < FAR else inner[0]), inner[1]
    most = longest(config, tokenizer, model if model is not None else meta_model(AutoModelForSeq2SeqLM, config))
    return most, most


def set_generation(found: Generator, params: Any) -> None:
    """Set how texts are generated, in evaluations and by the saved model: its `generation_config.json`.

    Settings that belong to the data of the pretraining are reset; those of languages and special tokens are kept.
    """
    old = {k: v for k, v in found.model.generation_config.to_diff_dict().items() if not k.startswith("_")}
    ours: dict[str, Any] = {"max_new_tokens": target_length(found, params), "num_beams": params.num_beams}
    if params.num_beams > 1:
        ours |= {"length_penalty": params.length_penalty, "early_stopping": True}
    if params.no_repeat_ngram_size:
        ours["no_repeat_ngram_size"] = params.no_repeat_ngram_size
    named = [k for k in (*PRETRAINED_ONLY, *OURS) if k in old and not k.startswith("max_")]
    replaced = [f"{k} {old[k]}" for k in named if old[k] not in (None, ours.get(k, NEUTRAL.get(k)))]
    if replaced:
        message = f"Generation settings of the pretrained model were replaced: {', '.join(replaced)}."
        found.notes.append(f"{message} The parameters num_beams, length_penalty and no_repeat_ngram_size decide.")
    kept = {k: v for k, v in old.items() if k not in (*PRETRAINED_ONLY, *OURS, "transformers_version")}
    found.model.generation_config = GenerationConfig(**kept, **ours)
    found.model.config.source_prefix = params.source_prefix


def source_length(found: Generator, params: Any) -> int:
    """Return the maximum length of the sources in tokens."""
    return min(params.max_seq_length, found.source_limit or params.max_seq_length)


def target_length(found: Generator, params: Any) -> int:
    """Return the maximum length of the targets in tokens."""
    return min(params.max_target_length, found.target_limit or params.max_target_length)


def tiny_model(
    folder: Path,
    labels: Sequence[str] = (),
    *,
    texts: Iterable[str] = (),
    seed: int = 42,
    vocabulary: int = TINY_VOCABULARY,
) -> Path:
    """Write a small Marian model with random weights (under two million) and a tokenizer trained on the texts.

    Its sinusoidal positions let it learn the order of words from few rows. labels: not used. Returns the folder.
    """
    torch.manual_seed(seed)
    tokenizer = tiny_seq2seq_tokenizer(texts, vocabulary=vocabulary)
    MarianMTModel(tiny_config(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_seq2seq_tokenizer(texts: Iterable[str], *, vocabulary: int = TINY_VOCABULARY) -> Any:
    """Train the tokenizer of the tiny model, which keeps upper and lower case: the model has to write it."""
    return tiny_tokenizer(texts, vocabulary=vocabulary, lowercase=False)


def tiny_config(tokenizer: Any) -> MarianConfig:
    """Return the configuration of the tiny model."""
    return MarianConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        max_position_embeddings=TINY_POSITIONS,
        scale_embedding=True,
        dropout=0.1,
        activation_function="gelu",
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.sep_token_id,
        decoder_start_token_id=tokenizer.cls_token_id,
        bos_token_id=tokenizer.cls_token_id,
        forced_eos_token_id=tokenizer.sep_token_id,
    )
