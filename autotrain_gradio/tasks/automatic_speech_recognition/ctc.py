"""CTC models: tokenizers, head, and language adapters."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import Wav2Vec2CTCTokenizer

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.tasks.automatic_speech_recognition import model_internals
from autotrain_gradio.training import vocabulary

HEADS = ("lm_head", "ctc_head")
"""Attribute names of the output layer of CTC models."""
MEASURED = (2.0, 4.0)
"""Durations of silence in seconds on which the frame rate of a model is measured."""


def ctc_tokenizer(
    table: Mapping[str, int],
    *,
    pad: str = vocabulary.PAD,
    unknown: str = vocabulary.UNKNOWN,
    delimiter: str = vocabulary.DELIMITER,
) -> Any:
    """Return a `Wav2Vec2CTCTokenizer` with this vocabulary: symbol → label id."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "vocab.json"
        file.write_text(json.dumps(dict(table), ensure_ascii=False), encoding="utf-8")
        return Wav2Vec2CTCTokenizer(
            str(file),
            pad_token=pad,
            unk_token=unknown,
            word_delimiter_token=delimiter,
            bos_token=None,
            eos_token=None,
        )


def has_word_delimiter(tokenizer: Any) -> bool:
    """Whether a tokenizer has a word delimiter token, as those of wav2vec2, whose tokens are symbols."""
    return getattr(tokenizer, "word_delimiter_token", None) is not None


def languages(tokenizer: Any) -> list[str]:
    """Return the languages of a tokenizer with a vocabulary for each (MMS), sorted; empty for other tokenizers."""
    table = getattr(tokenizer, "vocab", None)
    return sorted(table) if isinstance(table, dict) and any(isinstance(v, dict) for v in table.values()) else []


def single_language_tokenizer(tokenizer: Any) -> Any:
    """Return a tokenizer with the vocabulary of the current language only."""
    if not languages(tokenizer):
        return tokenizer
    return ctc_tokenizer(
        tokenizer.encoder,
        pad=tokenizer.pad_token,
        unknown=tokenizer.unk_token,
        delimiter=tokenizer.word_delimiter_token,
    )


def symbols(tokenizer: Any) -> dict[str, int]:
    """Return symbol → label id of a tokenizer, without its special tokens."""
    table = dict(getattr(tokenizer, "encoder", None) or tokenizer.get_vocab())
    special = set(tokenizer.all_special_tokens) - {getattr(tokenizer, "word_delimiter_token", None)}
    return {s: i for s, i in table.items() if s not in special}


def known(tokenizer: Any) -> Callable[[Any], set[str]]:
    """Return a function that finds the symbols that a tokenizer can encode."""
    if has_word_delimiter(tokenizer):
        table = symbols(tokenizer)
        return lambda wanted: {s for s in wanted if s in table}

    def writes(wanted: Any) -> set[str]:
        unknown = tokenizer.unk_token_id
        found = set()
        for symbol in wanted:
            ids = tokenizer(symbol, add_special_tokens=False).input_ids
            if ids and (unknown is None or unknown == tokenizer.eos_token_id or unknown not in ids):
                found.add(symbol)
        return found

    return writes


def encoder(tokenizer: Any) -> Callable[[str], list[int]]:
    """Return a function that encodes a transcript as label ids."""
    if has_word_delimiter(tokenizer):
        return vocabulary.Encoder(symbols(tokenizer), tokenizer.unk_token_id, tokenizer.word_delimiter_token)
    return lambda text: list(tokenizer(text, add_special_tokens=False).input_ids)


def head_name(model: Any) -> str:
    """Return the attribute name of a model's output layer.

    Raises:
        UserError: it cannot be identified.
    """
    found = next((name for name in HEADS if hasattr(model, name)), None)
    if found is None:
        message = f"The output layer of {type(model).__name__} cannot be identified."
        raise UserError(message, "Choose another model, or set vocabulary to model.", "model", "no-head")
    return found


def new_head(model: Any, tokenizer: Any, old: Any | None) -> None:
    """Replace the output layer of a model by one for a tokenizer's vocabulary.

    old: the tokenizer of the replaced layer: weights of shared symbols are copied. None: all weights are new.
    """
    name = head_name(model)
    before, size = getattr(model, name), len(tokenizer)
    if isinstance(before, torch.nn.Linear):
        made: Any = torch.nn.Linear(before.in_features, size, bias=before.bias is not None)
    else:
        made = type(before)(before.in_channels, size, kernel_size=1)
    torch.nn.init.normal_(made.weight, std=0.02)
    if made.bias is not None:
        torch.nn.init.zeros_(made.bias)
    if old is not None:
        with torch.no_grad():
            for new, place in _shared(tokenizer, old).items():
                if place < before.weight.shape[0]:
                    made.weight[new] = before.weight[place]
                    if made.bias is not None and before.bias is not None:
                        made.bias[new] = before.bias[place]
    setattr(model, name, made)
    model.config.vocab_size = size


def _shared(tokenizer: Any, old: Any) -> dict[int, int]:
    """Return new label id → old label id of the blank, the delimiter and shared symbols, ignoring case."""
    theirs = symbols(old)
    found: dict[int, int] = {}
    for symbol, number in symbols(tokenizer).items():
        for form in (symbol, symbol.upper(), symbol.lower()):
            if form in theirs:
                found[number] = theirs[form]
                break
    pairs = (
        (tokenizer.pad_token_id, old.pad_token_id),
        (tokenizer.convert_tokens_to_ids(vocabulary.DELIMITER), getattr(old, "word_delimiter_token_id", None)),
    )
    found.update({new: place for new, place in pairs if place is not None})
    return found


def frame_counter(model: Any, features: Callable[[list[Any]], dict[str, torch.Tensor]], rate: int) -> Any:
    """Return a function from seconds to the number of output frames, measured on silence.

    features: waves → model inputs (`Collator.features`).
    """
    model.eval()
    counts = []
    for seconds in MEASURED:
        batch = features([torch.zeros(round(seconds * rate)).numpy()])
        batch.pop("samples")
        with torch.inference_mode():
            counts.append(model(**{k: v.to(model.device) for k, v in batch.items()}).logits.shape[1])
    slope = (counts[1] - counts[0]) / (MEASURED[1] - MEASURED[0])
    return lambda seconds: int(counts[0] + slope * (seconds - MEASURED[0]))


def has_adapters(model: Any) -> bool:
    """Whether a model has language adapters (MMS)."""
    return getattr(model.config, "adapter_attn_dim", None) is not None and hasattr(model, "init_adapter_layers")


def train_adapters_only(model: Any) -> None:
    """Freeze all weights except the language adapter and the output layer."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in model_internals.adapter_weights(model).values():
        parameter.requires_grad_(True)


def save_adapter(model: Any, folder: Path, language: str) -> None:
    """Save adapter and output layer in the format of MMS, so that they can be used with the same base model.

    language: code or name; other characters than letters, digits, _ and - become a hyphen.
    """
    language = re.sub(r"[^\w-]+", "-", language).strip("-") or "new"
    weights = {
        name: weight.detach().cpu().contiguous().clone()
        for name, weight in model_internals.adapter_weights(model).items()
    }
    save_file(weights, folder / f"adapter.{language}.safetensors", metadata={"format": "pt"})
