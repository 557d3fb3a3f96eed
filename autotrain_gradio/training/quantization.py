"""Quantized pretrained weights for LoRA (QLoRA, Dettmers et al. 2023) by bitsandbytes: needs and settings."""

from __future__ import annotations

from typing import Any

import torch
from transformers import BitsAndBytesConfig
from transformers.utils import BITSANDBYTES_MIN_VERSION, is_bitsandbytes_available

from autotrain_gradio.core.errors import Finding, UserError
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.training import distributed

PACKAGE = "bitsandbytes"
INSTALL = f"pip install '{PACKAGE}>={BITSANDBYTES_MIN_VERSION}'"
WHERE = "params.quantization"


def findings(params: Any) -> list[Finding]:
    """Return why the pretrained weights cannot be quantized; empty if they can, or need not be.

    params: see `tasks.lora.QuantizedLoraParams`. A warning: the training uses the weights as they are.
    """
    if params.quantization is None:
        return []
    asked = f"quantization ({params.quantization})"
    if not params.peft:
        message = f"{asked} has no effect without LoRA: quantized weights cannot be trained themselves."
        return [Finding("warning", "quantization-without-lora", message, "Switch peft on.", WHERE)]
    if is_bitsandbytes_available():
        return []
    if torch.cuda.is_available():
        message = f"{asked} needs the package {PACKAGE}, at least {BITSANDBYTES_MIN_VERSION}, which is not installed."
        return [Finding("error", "missing-extra", message, INSTALL, WHERE)]
    message = f"{asked} needs the package {PACKAGE} and a GPU, and there is neither: the weights stay in float32."
    hint = f"The model is as accurate, but needs more memory. To quantize on the CPU, slowly: {INSTALL}"
    return [Finding("warning", "quantization-unavailable", message, hint, WHERE)]


def loading_settings(run: Reporter) -> dict[str, Any]:
    """Return the arguments of `from_pretrained` that quantize the weights; empty: they are not quantized.

    Warnings are reported in the run.

    Raises:
        UserError: bitsandbytes is not installed.
    """
    found = findings(run.params)
    if any(f.level == "error" for f in found):
        raise UserError.from_findings(found)
    for finding in found:
        run.note(finding.message, hint=finding.hint, level=finding.level)
    if found or run.params.quantization is None:
        return {}
    # In fp16 the activations of some models overflow, T5's among them.
    bf16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    config = BitsAndBytesConfig(
        load_in_4bit=run.params.quantization == "int4",
        load_in_8bit=run.params.quantization == "int8",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
    )
    device = distributed.rank() if torch.cuda.is_available() else "cpu"
    return {"quantization_config": config, "device_map": {"": device}}
