"""Checks of what only a GPU shows: stop and resume, mixed precision, and the message when the memory runs out."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.core.text_format import GIB
from autotrain_gradio.runs.states import ENDED
from autotrain_gradio.service import Service
from benchmarks import app_runs
from benchmarks.app_runs import AppRun
from benchmarks.gpu.parts import Bench, CannotRun
from benchmarks.gpu.throughput import photos, random_vit, training_chats
from benchmarks.language_models import loss_difference, random_llama
from benchmarks.rows import Row

CPU_LIMIT = 4 * GIB
"""Limit of the training's memory in the check of the memory without a GPU."""
WIDE = 32_768
"""Width of the layers whose activations do not fit into the memory."""
OUT_OF_MEMORY = "out-of-memory"


def resume(bench: Bench) -> list[Row]:
    """Compare a run that is stopped and resumed with one that is not interrupted.

    Raises:
        RuntimeError: it ended before it was stopped, or its losses could not tell a wrong resume.
    """
    sizes = bench.sizes
    spec = _chat_spec(bench, "resumed_chats", sizes.resume_rows, precision=bench.mixed_precision)
    whole = app_runs.complete(bench.service, spec, seconds=bench.limit)
    run = app_runs.start(bench.service, spec)
    _stop_midway(bench, run, whole.steps()[-1][0] // 4)
    stopped = app_runs.ended(bench.service, run, seconds=bench.limit)
    if stopped.state != "cancelled":
        raise RuntimeError(f"the run was not stopped in time: it is {stopped.state}. {stopped.error}")
    bench.service.resume(run)
    resumed = app_runs.ended(bench.service, run, seconds=bench.limit)
    if resumed.state != "completed":
        raise RuntimeError(f"the resumed run is {resumed.state}: {resumed.error}")
    bench.service.delete(run)
    return resume_rows(whole, resumed, stopped.logged("loss")[-1][0], sizes.drift)


def resume_rows(whole: AppRun, resumed: AppRun, stop: int, drift: float) -> list[Row]:
    """Return the rows of the comparison. stop: last step before the stop. drift: relative difference that is allowed.

    Raises:
        RuntimeError: the losses do not change enough to tell a resume from a start from the beginning.
    """
    losses, again = ([(s, v) for s, v, _ in run.logged("loss")] for run in (whole, resumed))
    begin, then = losses[0][1], dict(losses)[stop]
    if (begin - then) / then < 4 * drift:
        raise RuntimeError(f"the loss falls too little until the stop at step {stop}: from {begin:.3f} to {then:.3f}")
    steps, repeated = [s for s, _ in losses], len(again) - len({s for s, _ in again})
    missing = len(set(steps) - {s for s, _ in again})
    after = [(s, v) for s, v in losses if s > stop]
    second = [(s, v) for s, v in again if s > stop]
    rates, rates_again = ([(s, v) for s, v, _ in run.logged("learning_rate")] for run in (whole, resumed))
    name = f"resume after a stop at step {stop} of {steps[-1]}"
    return [
        Row(f"{name}: steps repeated or missing", str(repeated + missing), "0", float(repeated + missing), 0),
        Row(
            f"{name}: largest relative difference of the loss behind it, against an uninterrupted run",
            f"{second[-1][1]:.4f} at the last step" if second else "no step",
            f"{after[-1][1]:.4f}",
            _difference(second, after),
            drift,
        ),
        Row(
            f"{name}: largest relative difference of the learning rate",
            f"{len(rates_again)} steps",
            f"{len(rates)} steps",
            _difference(rates_again, rates),
            1e-6,
        ),
    ]


def _difference(one: Sequence[tuple[int, float]], other: Sequence[tuple[int, float]]) -> float:
    """Return the largest relative difference of two curves; infinity if they have other steps."""
    try:
        return loss_difference(one, other)
    except ValueError:
        return math.inf


def _stop_midway(bench: Bench, run: str, step: int) -> None:
    """Stop a run once it has done so many steps, or has ended.

    Raises:
        TimeoutError: it does not get there.
    """
    end = time.monotonic() + bench.limit
    while time.monotonic() < end:
        snapshot = bench.service.snapshot(run)
        assert snapshot is not None
        if (snapshot["progress"] or {}).get("step", 0) >= step and snapshot["can"]["stop"]:
            bench.service.stop(run)
            return
        if snapshot["state"] in ENDED:
            return
        time.sleep(0.05)
    bench.service.stop(run)  # the runs of other parts would wait for it
    raise TimeoutError(f"the run did not reach step {step}: it is {snapshot['state']} ({snapshot['progress']})")


def precision(bench: Bench) -> list[Row]:
    """Compare bf16 and fp16 with float32: near on a GPU, and not equal; without a GPU equal, with a warning."""
    sizes = bench.sizes
    count = sizes.precision_steps * sizes.batch_size

    def train(mixed: str | None) -> AppRun:
        spec = _chat_spec(bench, "precision_chats", count, precision=mixed)
        return app_runs.complete(bench.service, spec, seconds=bench.limit)

    return precision_rows(train(None), {mixed: train(mixed) for mixed in _precisions(bench)}, gpu=bool(bench.gpu))


def _precisions(bench: Bench) -> list[str]:
    if not bench.gpu:
        return ["bf16"]
    import torch

    return ["bf16", "fp16"] if torch.cuda.is_bf16_supported(including_emulation=False) else ["fp16"]


def precision_rows(exact: AppRun, mixed: dict[str, AppRun], *, gpu: bool) -> list[Row]:
    """Return the rows of the comparison. exact: the run in float32; mixed: those by the name of their precision."""
    found = []
    reference = [(s, v) for s, v, _ in exact.logged("loss")]
    for name, run in mixed.items():
        losses = [(s, v) for s, v, _ in run.logged("loss")]
        difference = _difference(losses, reference)
        values = f"{losses[-1][1]:.4f} at the last step", f"{reference[-1][1]:.4f} in float32"
        title = f"{name}: largest relative difference of the loss from float32"
        warned = any("needs a GPU" in note for note in run.notes())
        if gpu:
            found.append(Row(f"{title}, small", *values, difference, 0.05))
            found.append(Row(f"{title}, not zero", *values, difference, 1e-7, at_least=True))
        else:
            found.append(Row(f"{title}, none without a GPU", *values, difference, 1e-6))
        said, wanted = ("a warning" if w else "none" for w in (warned, not gpu))
        found.append(
            Row(f"{name}: warning that it needs a GPU", said, f"{wanted} expected", float(warned != (not gpu)), 0)
        )
    return found


def memory(bench: Bench) -> list[Row]:
    """Provoke a lack of memory in two trainings, and compare the errors with those that are expected.

    Raises:
        CannotRun: the memory to exceed is not known.
    """
    size = _memory_to_exceed(bench)
    tokens, side, patch = 1024, 224, 4
    activations = 4 * WIDE  # bytes of a token behind the wide layer, in float32
    chat_rows = 8 * math.ceil(size / (activations * tokens) / 8)
    image_rows = 3 * math.ceil(size / (activations * (side // patch) ** 2) / 3)
    wide = {"hidden_size": 32, "intermediate_size": WIDE, "num_hidden_layers": 1}
    llama = {**wide, "max_position_embeddings": tokens}
    vit = {**wide, "image_size": side, "patch_size": patch}
    chats = _spec(
        "llm-sft",
        bench.once("wide_llama", lambda folder: random_llama(folder, **llama)),
        bench.once("long_chats", lambda folder: training_chats(folder, chat_rows, (9.0, 0.1), tokens)),
        {"batch_size": chat_rows, "block_size": tokens, "epochs": 1, "generation_rows": 0},
    )
    pictures = _spec(
        "image-classification",
        bench.once("wide_vit", lambda folder: random_vit(folder, vit)),
        bench.once("many_photos", lambda folder: photos(folder, image_rows, side)),
        {"batch_size": image_rows, "epochs": 1},
    )
    place = "GPU" if bench.gpu else "machine"
    # On a CPU the longest batch is not tried before: the first step has one as long.
    longest = f"Not enough memory for the longest batch: {chat_rows} × {tokens:,} tokens"
    wanted = [
        (chats, "chat model", longest if bench.gpu else f"Out of memory on the {place} at batch size {chat_rows}"),
        (pictures, "images", f"Out of memory on the {place} at batch size {image_rows}"),
    ]
    service = bench.service if bench.gpu else _limited_service(bench)
    try:
        return [memory_row(title, text, _run_out_of_memory(service, spec, bench.limit)) for spec, title, text in wanted]
    finally:
        if service is not bench.service:
            service.close()


def memory_row(title: str, wanted: str, run: AppRun) -> Row:
    """Return whether a run has failed with the expected error. wanted: beginning of its message."""
    error = run.error
    named = run.state == "failed" and error.get("code") == OUT_OF_MEMORY
    named = named and str(error.get("message", "")).startswith(wanted) and "batch_size" in str(error.get("hint", ""))
    said = f"{run.state}: {error.get('code', '')} {error.get('message', '')}".strip().rstrip(":")
    return Row(f"{title}, more than the memory: the error names it", said, wanted, float(named), 1, at_least=True)


def _run_out_of_memory(service: Service, spec: dict[str, Any], seconds: float) -> AppRun:
    run = app_runs.ended(service, app_runs.start(service, spec), seconds=seconds)
    service.delete(run.id)
    return run


def _memory_to_exceed(bench: Bench) -> float:
    """Return more bytes than a training can have here."""
    if not bench.gpu:
        return 2.5 * CPU_LIMIT
    import torch

    if not torch.cuda.is_available():
        raise CannotRun(f"torch reports no memory of the GPU ({bench.gpu})")
    return 2.0 * float(torch.cuda.get_device_properties(0).total_memory)


def _limited_service(bench: Bench) -> Service:
    """Return a service whose trainings may use `CPU_LIMIT`."""
    settings = Settings(home=bench.root / "limited")
    return Service(
        dataclasses.replace(settings, limits=dataclasses.replace(settings.limits, training_memory=float(CPU_LIMIT)))
    )


def _chat_spec(bench: Bench, name: str, count: int, *, precision: str | None) -> dict[str, Any]:
    sizes = bench.sizes
    model = bench.once("small_llama", lambda folder: random_llama(folder, **sizes.small_llama))
    data = bench.once(name, lambda folder: training_chats(folder, count, (3.0, 0.5), sizes.tokens))
    params = {
        "epochs": 1,
        "batch_size": sizes.batch_size,
        "block_size": sizes.tokens,
        "lr": 1e-3,
        "logging_steps": 1,
        "generation_rows": 0,
        "mixed_precision": precision,
    }
    return _spec("llm-sft", model, data, params)


def _spec(task: str, model: Path, data: Path, params: dict[str, Any]) -> dict[str, Any]:
    return {
        "task": task,
        "model": str(model),
        "project_name": "bench",
        "data": {"path": str(data), "valid_fraction": 0},
        "params": params,
    }
