"""Try one training step of a language model on its longest batch, in a subprocess, to measure its time and memory.

The model has random weights, so that nothing is downloaded: neither time nor memory depends on their values.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from trl.trainer.utils import add_fused_lm_head

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import format_bytes, format_duration
from autotrain_gradio.training import cpu_log_probs, failures, language_memory, lora
from autotrain_gradio.training.arguments import device
from autotrain_gradio.training.language_memory import LIBRARIES, MemoryEstimate, Workload

SECONDS = 60.0
"""Time limit of the subprocess, the imports included."""
SHARE = 0.8
"""Largest share of the free memory that the estimate of a step that is tried may have."""
KILLED = 137
RESULT = "STEP "
WHERE = "params.batch_size"


def try_step(
    config: Any,
    parameters: int,
    params: Any,
    length: int,
    work: Workload,
    estimate: MemoryEstimate,
    limit: int | None = None,
) -> Finding:
    """Return what one step on the longest batch needs, or what to change if it fails.

    Arguments: those of `language_memory.estimate`, and what that has returned. limit: of the memory of this process and
    its subprocesses in bytes; None: there is none.
    """
    rows = params.batch_size * work.sequences_per_row
    batch = f"{rows:,} × {length:,} tokens"
    free = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else psutil.virtual_memory().available
    if params.peft and params.quantization is not None:
        message, hint = "No step was tried: the quantized weights are made at Start.", ""
        return Finding("info", "trial-step-skipped", message, hint, WHERE)
    if limit is not None and not estimate.machine.gpu and estimate.total > limit - LIBRARIES:
        # This process takes the memory of the libraries, too.
        message = f"No step was tried: the estimate is {format_bytes(estimate.total)}, and a trial may use "
        message += f"{format_bytes(limit - LIBRARIES)}."
        return Finding("info", "trial-step-skipped", message, "The first step of the training verifies it.", WHERE)
    if estimate.total > SHARE * free:
        needed = f"the estimate is {format_bytes(estimate.total)}, and {format_bytes(free)} of memory are free"
        hint = "Close other programs, or change the settings: " + _advice(config, parameters, params, length, work)
        return Finding("warning", "trial-step-skipped", f"No step was tried: {needed}.", hint, WHERE)
    case = {
        "config": config.get_text_config().to_dict(),
        "params": params.model_dump(mode="json"),
        "rows": rows,
        "length": length,
        "output_layer": work.output_layer,
    }
    command = [sys.executable, "-m", __name__]
    try:
        done = subprocess.run(command, input=json.dumps(case), capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        message = f"One step on the longest batch ({batch}) did not end within {SECONDS:g} seconds on this machine."
        hint = "Choose a smaller model or shorter rows, or train on a machine with a GPU."
        return Finding("warning", "trial-step-slow", message, hint, WHERE)
    line = next((line for line in done.stdout.splitlines() if line.startswith(RESULT)), "")
    found: dict[str, Any] = json.loads(line.removeprefix(RESULT)) if line else {}
    if found.get("memory_error") or done.returncode in {-9, KILLED}:
        message = f"One step on the longest batch ({batch}) needs more memory than {estimate.machine.name} has."
        return Finding(
            "warning", "trial-step-memory", message, _advice(config, parameters, params, length, work), WHERE
        )
    if not found:
        # The step of a model with random weights can fail where the training does not, and the other way round.
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1][:300]
        message = f"One step on the longest batch ({batch}) could not be tried: {reason}"
        return Finding("warning", "trial-step-failed", message, "The training may fail in the same way.", WHERE)
    took = f"took {found['duration']:.1f} s and {format_bytes(found['memory'])} of memory"
    batches = params.gradient_accumulation
    message = f"One step on the longest batch ({batch}) {took}."
    accumulated = f", with {batches} batches accumulated" if batches > 1 else ""
    hint = f"A training step takes at most about {format_duration(found['duration'] * batches)} here{accumulated}."
    return Finding("info", "trial-step", message, hint, WHERE)


def _advice(config: Any, parameters: int, params: Any, length: int, work: Workload) -> str:
    return language_memory.advise_less(config, parameters, params, length, work)


def run_step(case: Mapping[str, Any]) -> dict[str, float]:
    """Compute one step of a model with random weights; return its time in seconds and the peak memory in bytes.

    case: `{config, params, rows, length, output_layer}`; rows: sequences of the batch.
    """
    cpu_log_probs.install()
    params: Any = SimpleNamespace(**case["params"])
    settings = dict(case["config"])
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).to(device()).train()
    add_fused_lm_head(model)
    if params.peft:
        options = {"use_dora": params.use_dora, "use_rslora": params.use_rslora}
        model = lora.adapt(model, params, task_type="CAUSAL_LM", modules_to_save=(), **options)
    if params.gradient_checkpointing:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=params.lr, fused=True)
    ids = torch.randint(0, config.vocab_size, (case["rows"], case["length"]), device=device())
    mask = torch.ones_like(ids)
    if len(ids) > 1:
        mask[0, -1] = 0  # rows of different lengths, whose attention needs a mask
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    mixed = kinds.get(params.mixed_precision) if device() != "cpu" else None
    began = time.monotonic()
    with torch.autocast(device(), dtype=mixed, enabled=mixed is not None), cpu_log_probs.equal_weights():
        if case["output_layer"]:
            inputs = {"input_ids": ids, "attention_mask": mask, "labels": ids}
            loss = model(**inputs, use_cache=False, fused_lm_head=True).loss
        else:
            body = model.base_model.model.base_model if params.peft else model.base_model
            loss = body(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state.square().mean()
    loss.backward()
    optimizer.step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        memory = torch.cuda.max_memory_reserved()
    else:
        memory = _peak()
    return {"duration": time.monotonic() - began, "memory": memory}


def _peak() -> int:
    """Return the peak of the resident memory of this process in bytes (proc(5)), or that at this moment."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:  # not Linux
        return int(psutil.Process().memory_info().rss)
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run the step that is described on stdin, and write its result to stdout."""
    try:
        found: dict[str, Any] = dict(run_step(json.load(sys.stdin)))
    except (RuntimeError, MemoryError) as error:
        if not failures.is_out_of_memory(error):
            raise
        found = {"memory_error": True}
    sys.stdout.write(f"{RESULT}{json.dumps(found)}\n")


if __name__ == "__main__":
    main()
