"""The measurements of `benchmarks.gpu`: the whole script on a CPU, and each check with what it must find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.app_runs import AppRun
from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import checks, throughput
from benchmarks.gpu.parts import SMOKE, Bench, CannotRun, Outcome, Part, alternate
from benchmarks.rows import Row

GOOD, BAD = Row("a", "1", "1", 1.0, 1.0), Row("a", "2", "1", 2.0, 1.0)


def a_run(losses: dict[int, float], *, notes: tuple[str, ...] = (), steps: int = 10) -> AppRun:
    """Make the record of a run: a linear learning rate, and these losses by step."""
    logged = [
        {"kind": "metric", "time": s, "step": s, "values": {"loss": v, "learning_rate": 1 - s / (steps + 1)}}
        for s, v in losses.items()
    ]
    return AppRun("run", "completed", [], [*logged, *({"kind": "note", "message": m} for m in notes)], {})


def a_bench(tmp_path: Path, seconds: float = 1.0) -> Bench:
    service: Any = None
    return Bench(tmp_path, service, SMOKE, "", seconds)


FALLING = {step: 8.0 / step for step in range(1, 11)}


def test_a_wrong_resume_is_found() -> None:
    def good(losses: dict[int, float], **more: Any) -> list[bool]:
        return [row.good for row in checks.resume_rows(a_run(FALLING), a_run(losses, **more), 4, 0.01)]

    assert good(FALLING) == [True] * 3
    # From the beginning, with other losses, with a step too few, and with another schedule.
    assert good({**FALLING, **{step: FALLING[step - 4] for step in range(5, 11)}}) == [True, False, True]
    assert good({**FALLING, 7: 8.2 / 7}) == [True, False, True]
    assert good({s: v for s, v in FALLING.items() if s != 5}) == [False] * 3
    assert good(FALLING, steps=20) == [True, True, False]
    repeated = a_run(FALLING)
    repeated.events.append(repeated.events[4])
    assert not checks.resume_rows(a_run(FALLING), repeated, 4, 0.01)[0].good
    with pytest.raises(RuntimeError, match="falls too little"):
        checks.resume_rows(a_run(dict.fromkeys(FALLING, 2.0)), a_run(FALLING), 4, 0.01)


def test_a_precision_without_effect_is_found() -> None:
    near = {step: value * 1.01 for step, value in FALLING.items()}
    warning = ("Mixed precision 'bf16' needs a GPU, and none is available",)

    def good(losses: dict[int, float], *, on_gpu: bool, notes: tuple[str, ...] = ()) -> list[bool]:
        found = checks.precision_rows(a_run(FALLING), {"bf16": a_run(losses, notes=notes)}, gpu=on_gpu)
        return [row.good for row in found]

    assert good(near, on_gpu=True) == [True] * 3
    assert good(FALLING, on_gpu=True) == [True, False, True]
    assert good({s: 2 * v for s, v in near.items()}, on_gpu=True) == [False, True, True]
    assert good(near, on_gpu=True, notes=warning) == [True, True, False]
    assert good(FALLING, on_gpu=False, notes=warning) == [True] * 2
    assert good(near, on_gpu=False) == [False] * 2


def test_only_the_expected_error_names_a_lack_of_memory() -> None:
    wanted = "Out of memory on the GPU at batch size 8"
    error = {"code": "out-of-memory", "message": f"{wanted}.", "hint": "set batch_size to 4"}

    def good(state: str = "failed", **changed: str) -> bool:
        return checks.memory_row("images", wanted, AppRun("run", state, [], [], {**error, **changed})).good

    assert good()
    assert not good(state="completed")
    assert not any((good(code="bug"), good(message="CUDA error"), good(hint="Try again.")))
    assert not checks.memory_row("images", wanted, AppRun("run", "completed", [], [], {})).good


def test_a_rate_is_measured_after_the_first_steps() -> None:
    logged = [(1, 100, 0.0), (5, 500, 100.0), (10, 1000, 105.0), (15, 1500, 110.0)]
    assert throughput.rate(logged, 5) == 100
    with pytest.raises(ValueError, match="too few"):
        throughput.rate(logged, 15)


def test_a_slower_training_and_another_loss_are_found(tmp_path: Path) -> None:
    bench = a_bench(tmp_path)
    bench.sizes = gpu.FULL
    one, slow = throughput.Speed(100, 1e9, [(1, 5.0)]), throughput.Speed(90, 1.1e9, [(1, 5.2)])
    assert [row.good for row in throughput.rows(bench, "images", "images", [one], [one])] == [True] * 3
    assert [row.good for row in throughput.rows(bench, "images", "images", [slow], [one])] == [False] * 3


def test_pairs_are_repeated_within_the_budget(tmp_path: Path) -> None:
    assert [len(f) for f in alternate(a_bench(tmp_path, 0.0), lambda i: i, lambda: 0)] == [1, 1]
    assert alternate(a_bench(tmp_path, 60.0), lambda i: i, lambda: 7) == ([7, 7, 7], [0, 1, 2])


def test_the_exit_status_says_what_did_not_run() -> None:
    ran, missed = Outcome("sft", "ran", 1, rows=[GOOD]), Outcome("sft", "ran", 1, rows=[BAD])
    failed, cannot = Outcome("sft", "failed", 1, "why"), Outcome("sft", "cannot run", 1, "why")
    assert gpu.exit_status([ran, ran]) == 0
    assert [gpu.exit_status([ran, o]) for o in (missed, failed, cannot)] == [1, 1, 3]
    assert gpu.exit_status([missed, cannot]) == 1
    assert gpu.exit_status([]) == gpu.exit_status([Outcome("sft", "ran", 1)]) == 3


def test_an_error_ends_only_its_part_and_is_told(tmp_path: Path) -> None:
    def fails(bench: Bench) -> list[Row]:
        raise RuntimeError("the run is failed")

    def cannot(bench: Bench) -> list[Row]:
        raise CannotRun("no bf16")

    bench = a_bench(tmp_path)
    states = {}
    for part in (Part("a", "a", fails), Part("b", "b", cannot), Part("c", "c", fails, ("no_such_package",))):
        outcome = gpu.run_part(part, bench, smoke=True)
        states[part.name] = (outcome.state, outcome.reason)
        assert outcome.reason in gpu.describe(outcome)
    assert states == {
        "a": ("failed", "RuntimeError: the run is failed"),
        "b": ("cannot run", "no bf16"),
        "c": ("cannot run", "not installed: no_such_package"),
    }
    outcome = gpu.run_part(Part("a", "a", fails), bench, smoke=False)
    assert outcome.state == "cannot run" and "no GPU" in outcome.reason


def smoke(tmp_path: Path, *names: str) -> list[dict[str, Any]]:
    """Run parts of the script with tiny sizes, and return their outcomes."""
    path = tmp_path / "results.json"
    arguments = ["--smoke", "--minutes", "0.5", "--json", str(path), "--only", *names]
    status = gpu.main(arguments)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert status == found["exit_status"] == 0, found
    assert [part["part"] for part in found["parts"]] == list(names)
    assert all(part["state"] == "ran" and part["rows"] for part in found["parts"])
    return list(found["parts"])


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    # The script sets them for its process: afterwards they are as before.
    for name in ("CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE"):
        monkeypatch.setenv(name, "")


def test_the_script_runs_with_tiny_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = smoke(tmp_path, "memory")[0]["rows"]
    assert [row["ratio"] for row in rows] == [1, 1]
    assert "out-of-memory" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("name", [part.name for part in gpu.PARTS if part.name != "memory"])
def test_each_part_runs_with_tiny_sizes(name: str, tmp_path: Path) -> None:
    smoke(tmp_path, name)
