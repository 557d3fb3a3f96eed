"""Models that are LoRA adapters of a base model: find the base model, and merge the adapter into it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download, try_to_load_from_cache

from autotrain_gradio.core.errors import UserError
from autotrain_gradio.training import pretrained
from autotrain_gradio.training.pretrained import ADAPTER, ADAPTER_CONFIG, WHERE, ModelError

MERGE = (
    "Merge it where its base model exists ('autotrain-gradio tools merge-llm-adapter', or PEFT: "
    "model.merge_and_unload()), and choose the folder of the result."
)


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter. name: its folder or Hub id. base: folder or Hub id of its base model."""

    name: str
    base: str

    @property
    def note(self) -> str:
        """Return what happens to it, for the user."""
        return (
            f"'{self.name}' is an adapter of '{self.base}': it is merged into its base model, and the training "
            "continues with the result."
        )


def find_adapter(model: str, *, local: bool = False, base: str = "") -> Adapter | None:
    """Return the adapter that a model is; None: it is a whole model, or cannot be found.

    local: nothing is downloaded. base: folder or Hub id of the base model; empty: the one that the adapter names.

    Raises:
        UserError: it is an adapter, but not one of LoRA; or its base model is not named, or on another computer.
    """
    path = _config_file(model, local)
    if path is None:
        return None
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        kind, named = str(config.get("peft_type")), str(config.get("base_model_name_or_path") or "")
    except (ValueError, AttributeError, RecursionError) as error:
        message = f"The {ADAPTER_CONFIG} of '{model}' is damaged: {error}."
        raise ModelError(message, "Download or save the adapter again.", WHERE, "model-broken") from None
    if kind != "LORA" or config.get("megatron_config"):
        message = f"'{model}' is an adapter of the type {kind}: only LoRA adapters of PEFT can be trained further."
        raise ModelError(message, MERGE, WHERE, "model-wrong-task")
    if base:
        return Adapter(model, base)
    if not named:
        message = f"The {ADAPTER_CONFIG} of '{model}' does not name its base model (base_model_name_or_path)."
        raise ModelError(message, "Write its Hub id or folder there. Or: " + MERGE, WHERE, "adapter-base-missing")
    # A file of the Hub must not choose a folder of this computer.
    if not Path(model).expanduser().is_dir() and (named.startswith(("/", ".", "~")) or Path(named).exists()):
        message = f"The base model of the adapter '{model}' is a folder of another computer: '{named}'."
        raise ModelError(message, MERGE, WHERE, "adapter-base-missing")
    return Adapter(model, named)


def require_base(adapter: Adapter) -> None:
    """Check that the base model exists, without downloading its weights.

    Raises:
        ModelError: it does not, or is not accessible (`adapter-base-missing`).
    """
    try:
        pretrained.fetch_config(adapter.base)
    except UserError as error:
        message = f"The adapter '{adapter.name}' needs its base model '{adapter.base}'. {error.message}"
        hint = f"Put the base model there, or correct base_model_name_or_path in {ADAPTER_CONFIG}. {error.hint}".strip()
        raise ModelError(message, hint, WHERE, "adapter-base-missing") from error


def merge_into(model: Any, adapter: Adapter) -> Any:
    """Return the base model, float32 and not quantized, with the adapter merged into its weights.

    Raises:
        UserError: the adapter's files are missing or damaged, or it is one of another model.
    """
    from peft import PeftModel

    with pretrained.translated_errors(adapter.name):
        merged = PeftModel.from_pretrained(model, adapter.name, torch_dtype=torch.float32).merge_and_unload()
    return merged.requires_grad_(True)  # PEFT has frozen the base model


def _config_file(model: str, local: bool) -> Path | None:
    folder = Path(model).expanduser()
    if folder.is_dir():
        file = folder / ADAPTER_CONFIG
        return file if file.is_file() and not (folder / "config.json").is_file() else None
    if local:
        cached = try_to_load_from_cache(model, ADAPTER_CONFIG)
        whole = isinstance(try_to_load_from_cache(model, "config.json"), str)
        return Path(cached) if isinstance(cached, str) and not whole else None
    try:
        pretrained.fetch_config(model)
        return None
    except ModelError as error:
        if error.code != ADAPTER:
            raise
    with pretrained.translated_errors(model):
        return Path(hf_hub_download(model, ADAPTER_CONFIG))
