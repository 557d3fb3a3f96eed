"""Estimate of the memory that the training of a language model needs, from its configuration alone.

The largest of the phases of a training counts: a step, the pass of a reference model, the generation of completions,
and saving, when the saved model is loaded beside the trained one and compared with it.
`tests/unit/training/test_memory_estimates.py` compares the estimates with the memory of trainings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.memory import total_memory
from autotrain_gradio.core.text_format import MIB, format_bytes
from autotrain_gradio.training import activation_trace, cpu_log_probs
from autotrain_gradio.training.activation_trace import Activations
from autotrain_gradio.training.arguments import device

FLOAT = 4
LIBRARIES = 580 * MIB
"""Resident memory of a worker with torch, transformers, TRL and the rows of a small data set, measured on Linux; about
that of a CUDA context with its kernels, too."""
WEIGHT_BYTES = {None: 4.0, "int8": 1.1, "int4": 0.6}
"""Bytes of a weight by quantization, with the constants of its blocks."""
OPTIMIZER_BYTES = {"sgd": 0.0, "adafactor": 0.1, "adamw_8bit": 2.1, "adamw_bnb_8bit": 2.1, "paged_adamw_8bit": 2.1}
"""Bytes of the optimizer's state for a trainable weight; others have two floats (AdamW)."""
HIDDEN_COPIES, INNER_COPIES = 10, 4
"""Activations of a layer of a Llama, which are assumed of models that cannot be traced: of the hidden size (inputs and
outputs of norms and attention), and of the size of the MLP (gate, its activation, up, and their product)."""
ADAPTER_COPIES = 1.25
"""Activations of an adapter for each input of its module: the input after dropout, and a mask of bytes."""
MIXED = 0.6
"""Size of activations in mixed precision, of which norms and softmax stay in float32."""
TILE_TOKENS, TILE_COLUMNS = 4096, 32_768
"""Logits of TRL 1.16 that exist at a time on a GPU (`trl.kernels.chunked_logprob`, `trl.trainer.utils`)."""
BLOCK_COPIES = 4
"""Buffers of the size of a block of logits on a CPU: see `cpu_log_probs`."""
LESS = 0.7
"""Share of the estimated memory that settings may need which are advised after others have failed."""
LEAST_LENGTH = 64
"""Maximum length in tokens below which no shorter rows are advised."""
FRAGMENTS = {True: 1.15, False: 1.25}
"""Whether a GPU is used → factor of all that torch allocates, for the allocator's fragments and temporary buffers. That
of CPUs is measured: the C library's allocator keeps more than PyTorch's one for GPUs."""


@dataclass(frozen=True)
class Machine:
    """What a training runs on. memory: in bytes, of the GPU if it has one. name: for messages."""

    memory: int
    name: str
    gpu: bool


def this_machine() -> Machine:
    """Return the first GPU, or this machine or its container."""
    if torch.cuda.is_available():
        return Machine(torch.cuda.get_device_properties(0).total_memory, "the GPU", True)
    return Machine(total_memory(), "this machine", device() != "cpu")


@dataclass(frozen=True)
class Workload:
    """What a training does beside the steps of one language model.

    sequences_per_row: sequences that a row of the batch is made into. output_layer: whether the model computes logits;
    a reward model does not. reference: number of parameters of a model that is loaded for a pass before the training.
    companions: of models that stay in memory during the training; copies: of the model itself. generated: sequences
    that are generated at a time, of at most the length of the longest row; 0: none. answers: tokens of a row whose
    logits exist at the same time; 0: TRL computes them in blocks. images: floats that the images of a row need.
    """

    sequences_per_row: int = 1
    output_layer: bool = True
    reference: int = 0
    companions: int = 0
    copies: int = 0
    generated: int = 0
    answers: int = 0
    images: float = 0.0


PLAIN = Workload()


@dataclass(frozen=True)
class MemoryEstimate:
    """Estimated memory in bytes: name of a phase of the training → name of a part → size."""

    phases: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    machine: Machine = field(default_factory=this_machine)

    @property
    def phase(self) -> str:
        """The phase that needs the most."""
        return max(self.phases, key=lambda name: sum(self.phases[name].values()))

    @property
    def parts(self) -> Mapping[str, int]:
        """The parts of that phase."""
        return self.phases[self.phase]

    @property
    def libraries(self) -> int:
        """The part of the code itself."""
        return self.parts["libraries"]

    @property
    def total(self) -> int:
        """The memory of that phase, with a margin."""
        libraries = self.libraries
        return libraries + int((sum(self.parts.values()) - libraries) * FRAGMENTS[self.machine.gpu])

    @property
    def fits(self) -> bool:
        """Whether the machine has so much memory."""
        return self.total <= self.machine.memory

    def finding(self, advice: str = "") -> Finding:
        """Return a message: the parts, and what to change if it does not fit. advice: see `advise`."""
        parts = ", ".join(f"{name} {format_bytes(size)}" for name, size in self.parts.items() if size)
        shown = f"{self.phase}: {parts}"
        of = f"{format_bytes(self.machine.memory)} of {self.machine.name}"
        if self.fits:
            message = f"Estimated memory: {format_bytes(self.total)} of the {of} ({shown})."
            return Finding("info", "memory-estimate", message, "The first step of the training verifies it.", "model")
        message = f"The training needs about {format_bytes(self.total)} of memory, more than the {of} ({shown})."
        hint = advice or "Choose smaller batches, shorter rows or a smaller model."
        return Finding("warning", "memory-short", message, hint, "params.batch_size")


def estimate(
    config: Any, parameters: int, params: Any, length: int, work: Workload = PLAIN, machine: Machine | None = None
) -> MemoryEstimate:
    """Estimate the memory of a training.

    config: of the model. parameters: its number of parameters. params: see `LanguageModelParams`. length: of the
    longest row in tokens. machine: on which it would run; None: this one.
    """
    machine = machine or this_machine()
    text = config.get_text_config()
    rows = params.batch_size * work.sequences_per_row
    masked = rows > 1 or getattr(params, "packing", False)
    found = activation_trace.trace(config, params, masked=masked, gpu=machine.gpu) or _formula(text, params, masked)
    trainable = found.trainable if params.peft else parameters
    mixed = params.mixed_precision is not None and machine.gpu
    scale = FLOAT * (MIXED if mixed else 1.0)
    quantized = params.quantization if params.peft else None
    whole = parameters * FLOAT
    weights = int(parameters * WEIGHT_BYTES[quantized]) + (trainable * FLOAT if params.peft else 0)
    held = {"libraries": LIBRARIES, "weights": weights, "other models": work.companions * FLOAT + work.copies * whole}
    state = int(trainable * OPTIMIZER_BYTES.get(params.optimizer, 2.0 * FLOAT))
    logits = _logits(text, params, rows * length, machine) if work.output_layer else 0
    if work.answers:
        logits = FLOAT * BLOCK_COPIES * rows * min(length, work.answers) * int(text.vocab_size)
    kept = found.floats(rows, length) + rows * work.images
    layer = kept / text.num_hidden_layers
    if params.gradient_checkpointing:
        kept = text.num_hidden_layers * rows * length * text.hidden_size + layer
    step = {
        **held,
        "gradients": trainable * FLOAT,
        "optimizer": state,
        "activations": int(kept * scale) + logits + (parameters * 2 if mixed else 0),
    }
    saving = {**held, "optimizer": state, "saved model": whole}
    if quantized and params.merge_adapter:
        saving["weights"] = whole
    phases = {"a step": step, "saving": saving}
    if work.reference:
        forward = int(layer * scale) + logits
        phases["reference model"] = {**held, "reference model": work.reference * FLOAT, "activations": forward}
    if work.generated:
        cache = work.generated * length * _cache_floats(text) * FLOAT
        sampled = work.generated * int(text.vocab_size) * BLOCK_COPIES * FLOAT
        phases["generation"] = {**held, "optimizer": state, "cache": cache, "activations": sampled}
    return MemoryEstimate(phases, machine)


def _formula(text: Any, params: Any, masked: bool) -> Activations:
    """Return the activations of a Llama of the same sizes."""
    hidden, layers = int(text.hidden_size), int(text.num_hidden_layers)
    inner = int(getattr(text, "intermediate_size", None) or 4 * hidden)
    floats, trainable = float(HIDDEN_COPIES * hidden + INNER_COPIES * inner), 0
    if params.peft:
        # Two low-rank matrices beside each of the seven linear modules of a layer.
        floats += ADAPTER_COPIES * (6 * hidden + inner)
        trainable = layers * params.lora_r * (4 * 2 * hidden + 3 * (hidden + inner))
    return Activations(layers * floats, layers if masked else 0, trainable)


def _logits(text: Any, params: Any, tokens: int, machine: Machine) -> int:
    """Return the memory of the loss in bytes: logits that exist at a time, and the gradient of the output layer."""
    vocabulary, hidden = int(text.vocab_size), int(text.hidden_size)
    if machine.gpu or getattr(text, "final_logit_softcapping", None):
        copies = 1 if machine.gpu else 2 * BLOCK_COPIES
        tile = min(tokens, TILE_TOKENS) * min(vocabulary, TILE_COLUMNS) * copies
    else:
        tile = BLOCK_COPIES * cpu_log_probs.block_size(vocabulary, tokens) * vocabulary
    return FLOAT * (tile + 2 * tokens * hidden + (0 if params.peft else vocabulary * hidden))


def _cache_floats(text: Any) -> int:
    """Return the number of floats of the keys and values of a token."""
    heads = int(text.num_attention_heads)
    size = int(getattr(text, "head_dim", None) or text.hidden_size // heads)
    return 2 * int(text.num_hidden_layers) * int(getattr(text, "num_key_value_heads", None) or heads) * size


def advise(
    config: Any, parameters: int, params: Any, length: int, work: Workload = PLAIN, machine: Machine | None = None
) -> str:
    """Return which parameters to set to which values so that a training fits into memory, with as few as possible.

    Arguments: those of `estimate`. In this order: smaller batches with the gradients accumulated, activation
    checkpointing, LoRA, quantization, and shorter rows.
    """
    machine = machine or this_machine()
    steps: list[dict[str, Any]] = [{}, {"gradient_checkpointing": True}, {"peft": True}]
    if machine.gpu:
        steps += [{"quantization": "int4"}, {"merge_adapter": False}]
    name = "block_size" if (getattr(params, "block_size", None) or -1) >= LEAST_LENGTH else "model_max_length"
    for shorter in (False,) if name in params.no_effect else (False, True):
        changes: dict[str, Any] = {}
        for step in steps:
            changes |= {key: value for key, value in step.items() if getattr(params, key) != value}
            for batch, tokens in _smaller(params.batch_size, length, shorter):
                tried = params.model_copy(update={**changes, "batch_size": batch})
                if estimate(config, parameters, tried, tokens, work, machine).fits:
                    return _settings(params, changes, batch, {name: tokens} if tokens < length else {})
    return "No setting makes it fit: choose a smaller model."


def advise_less(config: Any, parameters: int, params: Any, length: int, work: Workload = PLAIN) -> str:
    """Return as `advise` which settings need clearly less memory than these, which have failed."""
    machine = this_machine()
    needed = estimate(config, parameters, params, length, work, machine)
    memory = min(machine.memory, needed.libraries + int(LESS * (needed.total - needed.libraries)))
    return advise(config, parameters, params, length, work, replace(machine, memory=memory))


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
    if not lengths:
        return hint
    return f"{hint} Longer rows are then {'treated as too_long says' if hasattr(params, 'too_long') else 'dropped'}."
