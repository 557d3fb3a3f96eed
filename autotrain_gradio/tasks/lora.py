"""Parameters of low-rank adapters (LoRA), for every task that can train them."""

from __future__ import annotations

from autotrain_gradio.tasks.base import Params, param


class LoraParams(Params):
    """How adapters are trained instead of the whole model. Named as AutoTrain Advanced names them."""

    peft: bool = param(False, "adapters", title="LoRA")
    """Train small adapters (LoRA) and leave the rest as it is: less memory for large models. They are merged into the
    model at the end. Wants a larger learning rate, such as 2e-4."""
    lora_r: int = param(16, "adapters", ge=1, le=1024, title="LoRA rank")
    """Size of the adapters: more can learn more."""
    lora_alpha: int = param(32, "adapters", ge=1, le=4096, title="LoRA alpha")
    """Strength of the adapters; twice the rank is usual."""
    lora_dropout: float = param(0.05, "adapters", ge=0, lt=1, title="LoRA dropout")
    """Share of an adapter's inputs that is left out at random while training."""
    target_modules: str = param("all-linear", "adapters")
    """Layers that get an adapter: `all-linear`, or names with commas between, such as `query,value`."""
