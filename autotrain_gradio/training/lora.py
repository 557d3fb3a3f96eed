"""Low-rank adapters (LoRA, Hu et al. 2021) by PEFT: put onto a model for the training, merged into it at the end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from autotrain_gradio.core.errors import UserError, did_you_mean

ALL = "all-linear"
WHERE = "params.target_modules"


def adapt(model: Any, params: Any, *, task_type: str | None, train_whole: Collection[str]) -> Any:
    """Return the model with adapters; all else is frozen, but for the modules that are trained whole.

    params: see `tasks.lora.LoraParams`. task_type: PEFT's name of the task; None: it has none. train_whole: places of
    modules whose weights are new, and so have nothing to be adapted to.

    Raises:
        UserError: the model has no such layers.
    """
    from peft import LoraConfig, get_peft_model

    targets = _targets(model, params.target_modules)
    config = LoraConfig(
        task_type=task_type,
        r=params.lora_r,
        lora_alpha=params.lora_alpha,
        lora_dropout=params.lora_dropout,
        target_modules=targets,
        modules_to_save=sorted(train_whole) or None,
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        text = str(error).strip().splitlines()[0][:300]
        message = f"Adapters cannot be put onto a {type(model).__name__}: {text}"
        raise UserError(message, "Name other layers in target_modules.", WHERE, "no-adapters") from error


def merge(model: Any) -> Any:
    """Return the plain model with what its adapters have learned added to its weights."""
    return model.merge_and_unload()


def trainable(model: Any) -> tuple[int, int]:
    """Return how many weights are trained, and how many there are."""
    weights = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, wanted in weights if wanted), sum(n for n, _ in weights)


def _targets(model: Any, wanted: str) -> str | list[str]:
    """Return the layers to adapt as PEFT takes them; each name must be the last part of some layer's place."""
    if wanted.strip() == ALL:
        return ALL
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    places = [place for place, module in model.named_modules() if hasattr(module, "weight") and place]
    known = sorted({p.rsplit(".", 1)[-1] for p in places if not p.rsplit(".", 1)[-1].isdigit()})
    for name in names or [wanted]:
        if not any(p == name or p.endswith("." + name) for p in places):
            message = f"The model has no layer '{name}' that could get an adapter."
            hint = did_you_mean(name, known) + f" Or write '{ALL}'."
            raise UserError(message, hint.strip(), WHERE, "unknown-layer")
    return names
