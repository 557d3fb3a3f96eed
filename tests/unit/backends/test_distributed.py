"""Several training processes: the same training as one process, stop, resume, and what happens when one fails."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from autotrain_gradio.backends import Backends
from autotrain_gradio.backends.process import processes_of_run
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.runs.files import read_lines
from autotrain_gradio.service import ENDED, Service
from autotrain_gradio.training.checkpoints import is_complete

PARAMS = {
    "epochs": 3,
    "batch_size": 4,
    "lr": 3e-3,
    "early_stopping_patience": 0,
    "logging_steps": 1,
    "random_resized_crop": False,
    "random_rotate90": False,
    "horizontal_flip": False,
    "random_brightness_contrast": False,
}
FAILING = """
import importlib.util, os, sys
if os.environ.get("RANK") == "1":
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name != "autotrain_gradio.training.fit":
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            run = spec.loader.exec_module
            def exec_module(module):
                run(module)
                begin = module._Recorder.on_step_end
                def on_step_end(self, args, state, control, **more):
                    if state.global_step == 2:
                        raise MemoryError
                    return begin(self, args, state, control, **more)
                module._Recorder.on_step_end = on_step_end
            spec.loader.exec_module = exec_module
            return spec
    sys.meta_path.insert(0, Finder())
"""
"""A sitecustomize of the workers: the memory of rank 1 runs out after step 2."""


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ViT: without batch norm and dropout, a step depends on the rows only, not on how they are spread."""
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    folder = tmp_path_factory.mktemp("vit")
    config = ViTConfig(image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    config.intermediate_size, config.hidden_dropout_prob, config.attention_probs_dropout_prob = 64, 0.0, 0.0
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    photos, rng = tmp_path / "photos", np.random.default_rng(0)
    for name, colour in (("red", (200, 40, 40)), ("green", (40, 200, 40))):
        (photos / name).mkdir(parents=True)
        for i in range(20):  # 16 of each class to train on: whole batches of 8
            pixels = np.array(colour) + rng.integers(-40, 41, (40, 48, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(photos / name / f"{i}.png")
    found = Service(Settings(home=tmp_path / "home", slots=1))
    yield found
    backend = Backends(found.settings).get()
    for row in found.runs():
        if row["state"] not in ENDED:
            backend.signal(Path(row["path"]), hard=True)
    found.close()


Start = Callable[..., str]


@pytest.fixture
def start(service: Service, model: Path, tmp_path: Path) -> Start:
    """Return a function that starts a training on the images."""

    def run(processes: int, *, timeout: str = "", **params: Any) -> str:
        spec = {
            "task": "image-classification",
            "model": str(model),
            "data": {"path": str(tmp_path / "photos")},
            "params": {**PARAMS, **params},
            "resources": {"processes": processes, "timeout": timeout},
        }
        return service.start(service.draft("image-classification"), spec)

    return run


def until(service: Service, run: str, *states: str, seconds: float = 120.0, step: int = 0) -> dict[str, Any]:
    """Wait until a run is in one of the states, and at a step."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        snapshot = service.snapshot(run)
        assert snapshot is not None
        reached = (snapshot["progress"] or {"step": 0})["step"] >= step
        if snapshot["state"] in states and reached:
            return snapshot
        if snapshot["state"] in ENDED and snapshot["state"] not in states:
            break
        time.sleep(0.1)
    raise AssertionError(f"{snapshot['state']}, {snapshot['reason']}:\n{service.log(run)['text'][-6000:]}")


def events(service: Service, run: str) -> list[dict[str, Any]]:
    return read_lines(service.store.get(run).events_path)[0]


def losses(service: Service, run: str) -> dict[int, float]:
    return {e["step"]: e["values"]["loss"] for e in events(service, run) if "loss" in e.get("values", {})}


def test_two_processes_train_as_one_with_twice_the_batch(service: Service, start: Start) -> None:
    two, one = start(2), start(1, batch_size=8)
    snapshot, other = until(service, two, "completed"), until(service, one, "completed")
    curve = losses(service, two)
    assert list(curve) == list(range(1, 13)) and snapshot["progress"]["total"] == 12
    # The sums of gradients are rounded in another order; the curve falls from about 0.7.
    assert curve == pytest.approx(losses(service, one), rel=1e-3, abs=1e-4)
    found = events(service, two)
    assert [e["seq"] for e in found] == list(range(len(found))), "one process writes the record"
    assert sum(e["kind"] == "checkpoint" for e in found) == 3
    assert snapshot["metrics"]["eval_loss"] == pytest.approx(other["metrics"]["eval_loss"], rel=1e-3)
    log = service.log(two)["text"]
    assert "[rank 1] --- attempt 1" in log and log.count("\n--- attempt 1") <= 1


@pytest.mark.long
def test_two_processes_of_text_classification_see_each_row_once(service: Service, tmp_path: Path) -> None:
    # Rows are grouped by length into batches of a process, so that the steps of one process with twice the batch have
    # other rows; with weights that do not change, the losses of an epoch have the same mean.
    from autotrain_gradio.tasks.text_classification.models import tiny_model

    lines = [f"{word} {number},{word}" for number in range(20) for word in ("apples", "chairs")]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(lines))
    model = tiny_model(tmp_path / "texts", ["apples", "chairs"], texts=lines)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "embedding_dropout": 0.0}))

    def start(processes: int, batch_size: int) -> str:
        spec = {
            "task": "text-classification",
            "model": str(model),
            "data": {"path": str(tmp_path / "texts.csv")},
            "params": {"epochs": 1, "batch_size": batch_size, "logging_steps": 1, "lr": 1e-12},
            "resources": {"processes": processes},
        }
        return service.start(service.draft("text-classification"), spec)

    two, one = start(2, 4), start(1, 8)
    ended, other = until(service, two, "completed"), until(service, one, "completed")
    found, wanted = losses(service, two).values(), losses(service, one).values()
    assert len(found) == len(wanted) == 4
    assert np.mean(list(found)) == pytest.approx(np.mean(list(wanted)), rel=1e-3)
    assert ended["metrics"]["eval_loss"] == pytest.approx(other["metrics"]["eval_loss"], rel=1e-3)


@pytest.mark.long
def test_a_stop_is_followed_by_all_processes_and_a_resume_continues(service: Service, start: Start) -> None:
    run = start(2, epochs=2000)
    until(service, run, "running", step=3)
    service.stop(run)
    until(service, run, "cancelled")
    folder = service.store.get(run).directory
    step = max(int(p.name.removeprefix("checkpoint-")) for p in (folder / "checkpoints").iterdir())
    assert is_complete(folder / "checkpoints" / f"checkpoint-{step}")
    assert (folder / "model" / "config.json").is_file()
    assert "Traceback" not in service.log(run)["text"]
    _no_process_left(folder)
    service.resume(run)
    until(service, run, "running", step=step + 2)
    assert any("checkpoint" in n["message"] and str(step) in n["message"] for n in service.snapshot(run)["notes"])
    resumed = {e["step"] for e in events(service, run) if e["attempt"] == 2 and "loss" in e.get("values", {})}
    assert min(resumed) == step + 1
    service.stop(run)
    until(service, run, "cancelled")


@pytest.mark.parametrize("rank", [pytest.param(0, marks=pytest.mark.long), 1])
def test_a_killed_process_interrupts_the_run_with_a_reason(service: Service, start: Start, rank: int) -> None:
    run = start(2, epochs=2000)
    until(service, run, "running", step=3)
    folder = service.store.get(run).directory
    os.kill(_process(folder, rank).pid, signal.SIGKILL)
    ended = until(service, run, "interrupted")
    assert f"Training process {rank} was killed (SIGKILL)" in ended["reason"]["message"], ended["reason"]
    assert "memory" in ended["reason"]["hint"] and ended["can"]["resume"]
    _no_process_left(folder)


def test_processes_end_with_a_launcher_that_is_killed_alone(service: Service, start: Start) -> None:
    run = start(2, epochs=2000)
    until(service, run, "running", step=3)
    folder = service.store.get(run).directory
    launcher = _process(folder, 1).parent()
    assert launcher is not None and "accelerate" in " ".join(launcher.cmdline())
    launcher.kill()
    ended = until(service, run, "interrupted")
    assert ended["can"]["resume"]
    _no_process_left(folder)


def test_a_failure_of_another_process_is_the_reason_of_the_run(
    service: Service, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(FAILING)
    monkeypatch.setenv("PYTHONPATH", str(patch))
    run = start(2, epochs=50)
    ended = until(service, run, "failed")
    assert ended["error"]["code"] == "out-of-memory" and "batch_size" in ended["error"]["hint"], ended["error"]
    _no_process_left(service.store.get(run).directory)


def test_a_training_stops_at_its_time_limit_and_says_so(service: Service, start: Start) -> None:
    run = start(1, epochs=10_000, timeout="12s")
    ended = until(service, run, "cancelled")
    assert ended["reason"]["message"] == "The time limit of 12 s was reached."
    assert ended["can"]["resume"] and any("resources.timeout" in n["hint"] for n in ended["notes"])


def _process(folder: Path, rank: int) -> psutil.Process:
    return next(p for p in processes_of_run(folder) if p.environ().get("RANK") == str(rank))


def _no_process_left(folder: Path, seconds: float = 45.0) -> None:
    deadline = time.monotonic() + seconds
    while left := [p for p in processes_of_run(folder) if p.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline, left
        time.sleep(0.2)
