"""Whether a checkpoint restores every weight of a model, and conversion of one that has other names of weights.

A Trainer loads checkpoints with `load_state_dict(strict=False)` and logs only that weights are missing. Versions of
this package before `trainer_internals.native_weight_names` wrote the names of `save_pretrained`, which differ for some
types of models.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_model
from torch import nn
from transformers import PreTrainedModel

from autotrain_gradio.training.safetensors_header import safetensors_header

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


def missing_weights(model: nn.Module, checkpoint: Path) -> list[str]:
    """Return names of the model's weights that a checkpoint does not have, or has in another size.

    Weights that share memory with a stored one (tied embeddings) are not missing. Empty for models that are neither
    of transformers nor of PEFT: those load their own checkpoints strictly.
    """
    stored = {
        name: tuple(tensor["shape"])
        for file in checkpoint.glob("*.safetensors")
        for name, tensor in safetensors_header(file)[0].items()
    }
    if isinstance(model, PeftModel):
        weights = get_peft_model_state_dict(model, save_embedding_layers=False)
    elif isinstance(model, PreTrainedModel):
        ignored = set(model._keys_to_ignore_on_save or ())
        weights = {name: weight for name, weight in model.state_dict().items() if name not in ignored}
    else:
        return []
    restored = {_memory(weight) for name, weight in weights.items() if stored.get(name) == tuple(weight.shape)}
    return [name for name, weight in weights.items() if _memory(weight) not in restored]


def convert(model: nn.Module, checkpoint: Path) -> bool:
    """Rewrite a checkpoint's weights under the names of the model's modules; return whether that restores all of them.

    `from_pretrained` converts the names that it knows. The checkpoint is not changed unless it then is complete.
    """
    if not isinstance(model, PreTrainedModel):
        return False
    loaded, info = type(model).from_pretrained(
        checkpoint,
        config=copy.deepcopy(model.config),
        dtype=model.dtype,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        local_files_only=True,
    )
    if info["missing_keys"] or info["mismatched_keys"]:
        return False
    before = [*checkpoint.glob("*.safetensors"), checkpoint / INDEX]
    # The name must not end with `.safetensors`: an interrupted conversion leaves it behind.
    written = checkpoint / "converted.part"
    save_model(loaded, str(written), metadata={"format": "pt"})
    os.replace(written, checkpoint / WEIGHTS)
    for file in before:
        if file.name != WEIGHTS:
            file.unlink(missing_ok=True)
    return not missing_weights(model, checkpoint)


def _memory(weight: Any) -> tuple[Any, ...]:
    """Return what identifies the memory of a tensor: equal for tied weights."""
    return weight.device, weight.data_ptr(), tuple(weight.shape), weight.stride()
