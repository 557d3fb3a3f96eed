"""Count the activations that a language model keeps for the backward pass, on torch's meta device.

The model of a configuration, with its LoRA adapters, computes a row of tokens without weights or memory, and the
tensors that autograd saves are counted (`torch.autograd.graph.saved_tensors_hooks`). So the count is right for any
order of norms, MLPs and dropouts, which a formula is not: GPT-2 keeps almost twice as much as a Llama of its size.
"""

from __future__ import annotations

import copy
import functools
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import dropout as drop
from transformers import AttentionInterface, AutoModelForCausalLM

from autotrain_gradio.training import lora

ATTENTION = "autotrain_memory"
"""Name by which transformers finds `_attention`."""
SHORT, LONG = 64, 128
"""Lengths in tokens of the two rows: activations are a·length + b·length²."""
LORA_SETTINGS = ("lora_r", "lora_alpha", "lora_dropout", "target_modules", "use_dora", "use_rslora")
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""Settings of mixtures of experts, whose choice of experts needs real numbers."""


@dataclass(frozen=True)
class Activations:
    """Activations that are kept for a row, as numbers of floats.

    per_token: for each token. per_pair: for each pair of tokens (attention that is not fused, masks). trainable: number
    of trainable parameters.
    """

    per_token: float
    per_pair: float
    trainable: int

    def floats(self, rows: int, length: int) -> float:
        """Return the number of floats of a batch. length: of each row in tokens."""
        return rows * length * (self.per_token + self.per_pair * length)


def trace(config: Any, params: Any, *, masked: bool, gpu: bool) -> Activations | None:
    """Return the activations of the layers of a model; None: it cannot be traced.

    config: of the model. params: see `LanguageModelParams`. masked: rows are padded or packed, so that attention has a
    mask. gpu: the training has one.
    """
    text = config.get_text_config()
    settings = tuple((name, getattr(params, name)) for name in LORA_SETTINGS) if params.peft else ()
    return _trace(_Case(text.to_json_string(use_diff=False), settings, masked, gpu, text))


@dataclass(frozen=True)
class _Case:
    text: str
    settings: tuple[tuple[str, Any], ...]
    masked: bool
    gpu: bool
    config: Any = field(compare=False, repr=False)


@functools.lru_cache(maxsize=64)
def _trace(case: _Case) -> Activations | None:
    if any(getattr(case.config, name, None) for name in EXPERTS):
        return None
    config = copy.deepcopy(case.config)
    config.memory_of = (case.masked, case.gpu)
    config.pad_token_id = None  # with one, some models look for padding in the tokens, which have no values here
    try:
        with torch.device("meta"):
            # Not in the type of the configuration, mostly bfloat16: the training loads float32.
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation=ATTENTION).train()
            body = model.base_model
            if case.settings:
                settings = dict(case.settings)
                options = {name: settings[name] for name in ("use_dora", "use_rslora")}
                model = lora.adapt(model, _Settings(settings), task_type="CAUSAL_LM", modules_to_save=(), **options)
        short, long = (_saved_bytes(model, body, length) / torch.float32.itemsize for length in (SHORT, LONG))
    except Exception:
        # Any code of any architecture runs here. Some have attention of their own, or need real numbers.
        return None
    per_pair = max(0.0, (long / LONG - short / SHORT) / (LONG - SHORT))
    return Activations(short / SHORT - per_pair * SHORT, per_pair, lora.trainable(model)[0])


class _Settings:
    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)


def _saved_bytes(model: torch.nn.Module, body: torch.nn.Module, length: int) -> int:
    """Return the size of the tensors that are kept for the backward pass of a row, without the parameters."""
    own = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    saved: dict[int, torch.UntypedStorage] = {}  # the storages stay alive: another one could get the same address

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            saved[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        body(input_ids=torch.zeros((1, length), dtype=torch.long, device="meta"), use_cache=False)
    return sum(storage.nbytes() for storage in saved.values())


class _Fused(torch.autograd.Function):
    """Fused attention: keeps query, key, value, the output, and the mask."""

    @staticmethod
    def forward(ctx: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any) -> torch.Tensor:
        rows, heads, length, _ = query.shape
        found = query.new_empty(rows, length, heads, value.shape[-1])
        ctx.save_for_backward(query, key, value, found, mask)
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError


def _attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    dropout: float = 0.0,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Return what transformers' `sdpa_attention_forward` returns, and let autograd keep what it does.

    query, key, value: (rows, heads, tokens, size). With a mask, keys and values are repeated for the heads of a group,
    and each layer has a mask of floats of its own. A CPU has no fused attention with dropout.
    """
    masked, gpu = module.config.memory_of
    groups = query.shape[1] // key.shape[1]
    if masked and groups > 1:
        key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    mask = query.new_empty(query.shape[0], 1, query.shape[2], key.shape[2]) if masked else None
    if not dropout or gpu:
        return _Fused.apply(query, key, value, mask), None
    if not masked and groups > 1:
        key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    weights = drop(torch.softmax(query @ key.transpose(-1, -2), -1), dropout)
    return (weights @ value).transpose(1, 2).contiguous(), None


AttentionInterface.register(ATTENTION, _attention)
