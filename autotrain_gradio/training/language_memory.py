"""Estimate of the memory that the training of a language model needs, from its configuration alone."""

from __future__ import annotations

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

    def finding(self) -> Finding:
        """Return a message: the parts, and what to change if it does not fit."""
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
        largest = "batch_size or the maximum length" if self.activations > self.weights else "the model"
        hint = (
            f"Choose a smaller value of {largest}; switch gradient_checkpointing on (fewer activations), peft on "
            "(hardly any gradients and optimizer state), or set quantization to int4 (an NVIDIA GPU)."
        )
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
