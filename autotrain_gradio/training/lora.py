"""LoRA adapters (Hu et al. 2021) by PEFT: added to a model for the training, merged into it at the end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch

from autotrain_gradio.core.errors import UserError, did_you_mean

ALL = "all-linear"
WHERE = "params.target_modules"


def adapt(model: Any, params: Any, *, task_type: str | None, modules_to_save: Collection[str], **options: Any) -> Any:
    """Return the model with LoRA adapters; all other weights are frozen, except `modules_to_save`.

    params: see `tasks.lora.LoraParams`. task_type: PEFT's task type; None: none. modules_to_save: names of modules
    that are trained completely because their weights are new, as in PEFT. options: more settings of PEFT's
    `LoraConfig`, such as `use_dora`.

    Raises:
        UserError: the model does not have the target modules.
    """
    from peft import LoraConfig, get_peft_model

    targets = _targets(model, params.target_modules)
    config = LoraConfig(
        task_type=task_type,
        r=params.lora_r,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=targets,
        modules_to_save=sorted(modules_to_save) or None,
        **options,
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        text = str(error).strip().splitlines()[0][:300]
        message = f"LoRA adapters cannot be added to {type(model).__name__}: {text}"
        raise UserError(message, "Choose other modules in target_modules.", WHERE, "no-adapters") from error


def is_adapted(model: Any) -> bool:
    """Return whether a model has adapters that `adapt` added."""
    from peft import PeftModel

    return isinstance(model, PeftModel)


def merge(model: Any) -> Any:
    """Merge the adapters into the weights; return the model without adapters.

    Quantized weights are dequantized first: to quantize the sums would round away much of the adapters.
    """
    if not getattr(model.get_base_model(), "is_quantized", False):
        return model.merge_and_unload()
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    config, adapters = model.active_peft_config, get_peft_model_state_dict(model)
    whole = model.unload().dequantize(dtype=torch.float32)
    adapted = get_peft_model(whole, config)
    set_peft_model_state_dict(adapted, adapters)
    return adapted.merge_and_unload()


def trainable(model: Any) -> tuple[int, int]:
    """Return the number of trainable parameters and of all parameters."""
    weights = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, wanted in weights if wanted), sum(n for n, _ in weights)


def _targets(model: Any, wanted: str) -> str | list[str]:
    """Return the target modules for PEFT; each name must be the last part of a module's name."""
    if wanted.strip() == ALL:
        return ALL
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    modules = [name for name, module in model.named_modules() if hasattr(module, "weight") and name]
    known = sorted({p.rsplit(".", 1)[-1] for p in modules if not p.rsplit(".", 1)[-1].isdigit()})
    for name in names or [wanted]:
        if not any(p == name or p.endswith("." + name) for p in modules):
            message = f"The model has no module '{name}' for LoRA."
            hint = did_you_mean(name, known) + f" Or write '{ALL}'."
            raise UserError(message, hint.strip(), WHERE, "unknown-layer")
    return names
