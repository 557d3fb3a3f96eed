"""Parameters of LoRA, for tasks that support it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from autotrain_gradio.tasks.base import Params, param


class LoraParams(Params):
    """Parameters of LoRA, with the names of AutoTrain Advanced."""

    peft: bool = param(False, "adapters", title="LoRA")
    """Train low-rank adapters (LoRA) instead of all weights: less memory for large models. They are merged into the
    model at the end. Needs a higher learning rate, such as 2e-4."""
    lora_r: int = param(16, "adapters", ge=1, le=1024, title="LoRA rank")
    """Rank of the LoRA matrices. A higher rank has more trainable weights."""
    lora_alpha: int = param(32, "adapters", ge=1, le=4096, title="LoRA alpha")
    """Scaling factor (alpha) of the LoRA update. Twice the rank is common."""
    lora_dropout: float = param(0.05, "adapters", ge=0, lt=1, title="LoRA dropout")
    """Dropout probability of the LoRA layers."""
    target_modules: str = param("all-linear", "adapters", title="LoRA target modules")
    """Modules that LoRA adapts: `all-linear`, or names separated by commas, such as `query,value`."""


class QuantizedLoraParams(LoraParams):
    """Parameters of LoRA on quantized weights (QLoRA)."""

    quantization: Literal["int4", "int8"] | None = param(None, "adapters", title="Quantization")
    """Quantization of the pretrained weights during the training with LoRA (QLoRA), for large models: `int8` needs a
    quarter of the memory of float32, `int4` an eighth. Needs `peft` and the package bitsandbytes. The trained model is
    saved without quantization."""

    @field_validator("quantization", mode="before")
    @classmethod
    def _none_is_a_word(cls, value: Any) -> Any:
        return None if value in (False, "no", "none", "") else value
