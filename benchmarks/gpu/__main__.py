"""Measure on this machine's GPU: `python -m benchmarks.gpu [--only NAME …]`; see README.md in this folder.

Exit status: 0: all parts ran and all targets are met; 1: a target is missed or a part failed; 2: wrong arguments;
3: nothing is missed, but a part cannot run here.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from benchmarks.gpu import checks, throughput
from benchmarks.gpu.parts import FULL, SMOKE, Bench, CannotRun, Outcome, Part
from benchmarks.rows import markdown

LANGUAGE = ("torch", "transformers", "trl", "peft", "datasets", "accelerate")
TRAINING = ("torch", "transformers", "datasets", "accelerate", "evaluate")
IMAGES, SPEECH = (*TRAINING, "albumentations"), (*TRAINING, "soundfile", "soxr", "librosa", "jiwer")
PARTS = (
    Part("sft", "full fine-tuning", functools.partial(throughput.language_model, lora=False), LANGUAGE),
    Part("lora", "LoRA", functools.partial(throughput.language_model, lora=True), LANGUAGE),
    Part("images", "image classification", throughput.images, IMAGES),
    Part("speech", "speech recognition", throughput.speech, SPEECH),
    Part("resume", "stop and resume", checks.resume, LANGUAGE),
    Part("memory", "messages when the memory runs out", checks.memory, (*LANGUAGE, *IMAGES)),
    Part("precision", "mixed precision", checks.precision, LANGUAGE),
)
VERSIONS = ("torch", "transformers", "accelerate", "peft", "trl", "datasets")


def main(arguments: Sequence[str] | None = None) -> int:
    names = [part.name for part in PARTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"parts to run: {', '.join(names)}")
    parser.add_argument("--minutes", type=float, default=0.8, help="time budget of each part (default: %(default)s)")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes on the CPU, to try the script")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    options = parser.parse_args(arguments)
    os.environ["HF_HUB_OFFLINE"] = "1"
    if options.smoke:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    gpu = "" if options.smoke else gpu_name()
    chosen = [part for part in PARTS if part.name in (options.only or names)]
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Settings(home=Path(folder) / "home"))
        bench = Bench(Path(folder), service, SMOKE if options.smoke else FULL, gpu, options.minutes * 60)
        try:
            for part in chosen:
                print(f"{part.name} ({part.title}) …", flush=True)
                outcomes.append(run_part(part, bench, smoke=options.smoke))
                print(describe(outcomes[-1]), flush=True)
                if options.json:  # after each part: a time limit of the machine may end the next one
                    write_json(options.json, outcomes, gpu)
        finally:
            service.close()
    print(f"GPU: {gpu or 'none'}; {', '.join(f'{n} {v}' for n, v in versions().items())}")
    return exit_status(outcomes)


def run_part(part: Part, bench: Bench, *, smoke: bool) -> Outcome:
    """Run a part; an error ends only this part, and is its reason."""
    began = time.monotonic()
    reason = cannot_run(part, bench.gpu, smoke=smoke)
    if reason:
        return Outcome(part.name, "cannot run", 0.0, reason)
    try:
        rows = part.measure(bench)
    except CannotRun as error:
        return Outcome(part.name, "cannot run", time.monotonic() - began, str(error))
    except Exception as error:  # noqa: BLE001 - reported, and the exit status says so; the other parts still run
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
        return Outcome(part.name, "failed", time.monotonic() - began, reason)
    return Outcome(part.name, "ran", time.monotonic() - began, rows=rows)


def cannot_run(part: Part, gpu: str, *, smoke: bool) -> str:
    """Return why a part cannot run here; empty if it can."""
    missing = sorted({name for name in part.packages if importlib.util.find_spec(name) is None})
    if missing:
        return f"not installed: {', '.join(missing)}"
    return "" if gpu or smoke else "no GPU that torch can use; --smoke tries the script without one"


def describe(outcome: Outcome) -> str:
    """Return the outcome of a part as text: its table, or the reason."""
    head = f"{outcome.part}: {outcome.state}, {outcome.seconds:.0f} s"
    return f"{head}\n\n{markdown(outcome.rows)}" if outcome.state == "ran" else f"{head}: {outcome.reason}"


def exit_status(outcomes: Sequence[Outcome]) -> int:
    """Return the exit status, see above."""
    if any(o.state == "failed" or not all(row.good for row in o.rows) for o in outcomes):
        return 1
    return 3 if not outcomes or any(o.state == "cannot run" or not o.rows for o in outcomes) else 0


def write_json(path: Path, outcomes: Sequence[Outcome], gpu: str) -> None:
    """Write the outcomes with a description of the machine."""
    machine = {"gpu": gpu, "cores": os.cpu_count(), "python": platform.python_version(), "versions": versions()}
    found: dict[str, Any] = {
        "machine": machine,
        "parts": [o.as_json() for o in outcomes],
        "exit_status": exit_status(outcomes),
    }
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")


def versions() -> dict[str, str]:
    """Return the versions of the libraries that are compared."""
    found = {}
    for name in VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def gpu_name() -> str:
    """Return the name of the GPU that torch uses; empty if there is none."""
    if importlib.util.find_spec("torch") is None:
        return ""
    import torch

    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else ""


if __name__ == "__main__":
    sys.exit(main())
