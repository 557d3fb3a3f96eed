"""Estimate of the memory that the training of a language model needs, from its configuration alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.memory import total_memory
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.training.arguments import device

FLOAT = 4
WEIGHT_BYTES = {None: 4.0, "int8": 1.1, "int4": 0.6}
"""Bytes of a weight by quantization, with the constants of its blocks."""
OPTIMIZER_BYTES = {"sgd": 0.0, "adafactor": 0.1, "adamw_8bit": 2.1, "adamw_bnb_8bit": 2.1, "paged_adamw_8bit": 2.1}
"""Bytes of the optimizer's state for a trainable weight; others have two floats (AdamW)."""
HIDDEN_COPIES, INNER_COPIES = 10, 4
"""Activations that a layer keeps for the backward pass: of the hidden size, and of the size of its MLP."""
LOGIT_TOKENS = 1024
"""Tokens whose logits exist at a time: TRL computes the loss in chunks."""
LEAST_LENGTH = 64
"""Maximum length in tokens below which no shorter rows are advised."""
SAFETY = 1.15
"""Factor for the allocator, the context of the GPU and temporary buffers."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Estimated memory in bytes. available: that of the device; device: its name for messages."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    available: int
    device: str

    @property
    def total(self) -> int:
        """The sum, with a margin."""
        return int((self.weights + self.gradients + self.optimizer + self.activations) * SAFETY)

    def finding(self, advice: str = "") -> Finding:
        """Return a message: the parts, and what to change if it does not fit. advice: see `advise`."""
        shown = ", ".join(
            f"{name} {format_bytes(size)}"
            for name, size in (
                ("weights", self.weights),
                ("gradients", self.gradients),
                ("optimizer", self.optimizer),
                ("activations", self.activations),
            )
        )
        of = f"{format_bytes(self.available)} of {self.device}"
        if self.total <= self.available:
            message = f"Estimated memory: {format_bytes(self.total)} of the {of} ({shown})."
            return Finding("info", "memory-estimate", message, "The first step of the training verifies it.", "model")
        message = f"The training needs about {format_bytes(self.total)} of memory, more than the {of} ({shown})."
        hint = advice or "Choose smaller batches, shorter rows or a smaller model."
        return Finding("warning", "memory-short", message, hint, "params.batch_size")


def estimate(config: Any, parameters: int, params: Any, length: int, *, sequences_per_row: int = 1) -> MemoryEstimate:
    """Estimate the memory of a training.

    config: of the model. parameters: its number of parameters. params: see `LanguageModelParams`. length: of the
    longest batch in tokens. sequences_per_row: sequences that a row of the batch is made into.
    """
    text = config.get_text_config()
    hidden, layers = int(text.hidden_size), int(text.num_hidden_layers)
    inner = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    quantized = params.quantization if params.peft else None
    trainable = parameters
    if params.peft:
        # Two low-rank matrices beside each of the seven linear modules of a layer.
        trainable = layers * params.lora_r * (4 * 2 * hidden + 3 * (hidden + inner))
    mixed = 2 if params.mixed_precision and device() != "cpu" else FLOAT
    tokens = params.batch_size * sequences_per_row * length
    layer = tokens * (HIDDEN_COPIES * hidden + INNER_COPIES * inner) * mixed
    activations = layers * tokens * hidden * mixed + layer if params.gradient_checkpointing else layers * layer
    if params.batch_size * sequences_per_row > 1 or getattr(params, "packing", False):
        # The mask of rows that are padded or packed, as booleans and as floats; attention without padding needs none.
        activations += tokens * length * (1 + mixed)
    logits = min(tokens, LOGIT_TOKENS) * int(text.vocab_size) * 2 * FLOAT
    if torch.cuda.is_available():
        available, name = torch.cuda.get_device_properties(0).total_memory, "the GPU"
    else:
        available, name = total_memory(), "this machine"
    return MemoryEstimate(
        weights=int(parameters * WEIGHT_BYTES[quantized]) + (trainable * FLOAT if params.peft else 0),
        gradients=trainable * FLOAT,
        optimizer=int(trainable * OPTIMIZER_BYTES.get(params.optimizer, 2.0 * FLOAT)),
        activations=activations + logits,
        available=available,
        device=name,
    )


def advise(config: Any, parameters: int, params: Any, length: int, *, sequences_per_row: int = 1) -> str:
    """Return which parameters to set to which values so that a training fits into memory, with as few as possible.

    Arguments: those of `estimate`. In this order: smaller batches with the gradients accumulated, activation
    checkpointing, LoRA, quantization, and shorter rows.
    """
    steps: list[dict[str, Any]] = [{}, {"gradient_checkpointing": True}, {"peft": True}]
    if torch.cuda.is_available():
        steps.append({"quantization": "int4"})
    name = "block_size" if (getattr(params, "block_size", None) or -1) >= LEAST_LENGTH else "model_max_length"
    for shorter in (False,) if name in params.no_effect else (False, True):
        changes: dict[str, Any] = {}
        for step in steps:
            changes |= {key: value for key, value in step.items() if getattr(params, key) != value}
            for batch, tokens in _smaller(params.batch_size, length, shorter):
                tried = params.model_copy(update={**changes, "batch_size": batch})
                found = estimate(config, parameters, tried, tokens, sequences_per_row=sequences_per_row)
                if found.total <= found.available:
                    return _settings(params, changes, batch, {name: tokens} if tokens < length else {})
    return "No setting makes it fit: choose a smaller model."


def _smaller(batch: int, length: int, shorter: bool) -> Iterator[tuple[int, int]]:
    """Yield smaller and smaller batches; shorter: batches of one row, shorter and shorter."""
    while batch >= 1 and not shorter:
        yield batch, length
        batch //= 2
    while shorter and length // 2 >= LEAST_LENGTH:
        length //= 2
        yield 1, length


def _settings(params: Any, changes: Mapping[str, Any], batch: int, lengths: Mapping[str, int]) -> str:
    settings = dict(changes)
    if batch < params.batch_size:
        settings["batch_size"] = batch
        accumulated = getattr(params, "gradient_accumulation", 1) * params.batch_size // batch
        settings["gradient_accumulation"] = accumulated
    shown = [f"{name} to {str(value).lower()}" for name, value in {**settings, **lengths}.items()]
    hint = f"Set {', '.join(shown)}."
    return hint + " Longer rows are then treated as too_long says." if lengths else hint
