"""One training step that is tried before the training, in a subprocess."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.training import language_models, language_step
from autotrain_gradio.training.language_memory import LIBRARIES, PLAIN, Machine, Workload, advise_less, estimate
from autotrain_gradio.training.language_probe import probe

CONFIG, SIZE, LENGTH = language_models.tiny_config(2000), 550_000, 64


def tried(
    monkeypatch: pytest.MonkeyPatch,
    result: Any = None,
    work: Workload = PLAIN,
    limit: int | None = None,
    **params: Any,
) -> Any:
    """Return the finding of a step whose subprocess has this result: one that has ended, or an exception."""
    made: Any = resolve({"task": "llm-sft", "model": "tiny", "params": {"batch_size": 8, **params}}).params

    def run(*command: Any, **settings: Any) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    if result is not None:
        monkeypatch.setattr(subprocess, "run", run)
    sized = (CONFIG, SIZE, made, LENGTH, work)
    return language_step.try_step(*sized, estimate(*sized), limit)


def ended(code: int = 0, out: str = "", err: str = "") -> Any:
    return subprocess.CompletedProcess([], code, out, err)


def test_a_step_of_the_longest_batch_is_measured() -> None:
    made = resolve({"task": "llm-sft", "model": "tiny", "params": {"batch_size": 8, "gradient_accumulation": 3}})
    found = probe(made.spec, made.params, {"step": True, "longest": 40})["findings"]
    assert [f["code"] for f in found] == ["memory-estimate", "trial-step"]
    shown = re.search(r"\(8 × 40 tokens\) took ([\d.]+) s and ([\d.]+) MiB of memory", found[1]["message"])
    assert shown and float(shown[1]) < language_step.SECONDS and 200 < float(shown[2]) < 1000
    assert "3 batches accumulated" in found[1]["hint"]
    without = probe(made.spec, made.params, {})["findings"]
    assert [f["code"] for f in without] == ["memory-estimate"], "a probe tries no step unless it is asked to"


@pytest.mark.parametrize(
    "params",
    [
        {"peft": True, "use_dora": True, "lora_r": 4, "gradient_checkpointing": True},
        {"peft": True, "lora_r": 4},
        {"gradient_checkpointing": True},
    ],
    ids=["checkpointed LoRA", "LoRA", "checkpointing"],
)
@pytest.mark.parametrize("output_layer", [True, False])
def test_the_step_trains_what_the_training_does(params: dict[str, Any], output_layer: bool) -> None:
    made: Any = resolve({"task": "llm-sft", "model": "tiny", "params": params}).params
    case = {"config": CONFIG.to_dict(), "params": made.model_dump(mode="json"), "rows": 2, "length": 16}
    found = language_step.run_step({**case, "output_layer": output_layer})
    assert found["duration"] > 0 and found["memory"] > 0


@pytest.mark.parametrize("result", [ended(-9), ended(0, 'STEP {"memory_error": true}')], ids=["killed", "raised"])
def test_too_little_memory_names_settings_that_need_less(monkeypatch: pytest.MonkeyPatch, result: Any) -> None:
    found = tried(monkeypatch, result, Workload(sequences_per_row=2))
    assert (found.level, found.code) == ("warning", "trial-step-memory")
    assert "16 × 64 tokens" in found.message and re.match(r"Set batch_size to [124], grad", found.hint)


def test_a_slow_or_failing_step_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tried(monkeypatch, subprocess.TimeoutExpired("python", 60))
    assert slow.code == "trial-step-slow" and "did not end within 60 seconds" in slow.message
    failed = tried(monkeypatch, ended(1, "", "Traceback …\nValueError: sizes differ\n"))
    assert failed.code == "trial-step-failed" and "ValueError: sizes differ" in failed.message


def test_no_step_is_tried_that_would_need_the_memory_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language_step, "SHARE", 0.0)
    found = tried(monkeypatch, AssertionError("a step was tried"))
    assert found.code == "trial-step-skipped" and "are free" in found.message and "Set batch_size" in found.hint
    limited = tried(monkeypatch, AssertionError("a step was tried"), limit=LIBRARIES + 2**29)
    assert limited.code == "trial-step-skipped" and "a trial may use 512.0 MiB" in limited.message
    quantized = tried(monkeypatch, AssertionError("a step was tried"), peft=True, quantization="int4")
    assert quantized.code == "trial-step-skipped" and "quantized" in quantized.message


def test_advice_after_a_failure_asks_for_less_than_what_has_failed() -> None:
    made: Any = resolve({"task": "llm-sft", "model": "tiny", "params": {"batch_size": 8}}).params
    advice = advise_less(CONFIG, SIZE, made, LENGTH)
    shown = re.match(r"Set batch_size to (\d)", advice)
    assert shown, advice
    less = estimate(CONFIG, SIZE, made.model_copy(update={"batch_size": int(shown[1])}), LENGTH)
    whole = estimate(CONFIG, SIZE, made, LENGTH, machine=Machine(2**40, "a test", False))
    assert less.total - LIBRARIES < 0.75 * (whole.total - LIBRARIES)
