"""Hints come from the verb and the facts: only a training is resumed, and only from a checkpoint that exists."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.api.foreground import incomplete_error
from autotrain_gradio.backends import calls
from autotrain_gradio.backends.calls import exit_error
from autotrain_gradio.backends.local import backend
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.backends.local.worker_record import WorkerRecord
from autotrain_gradio.backends.process import explain_exit
from autotrain_gradio.core.errors import WorkerError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.runs.failure import findings_of
from autotrain_gradio.runs.record import RESUME_HINT, Run
from autotrain_gradio.runs.store import Store

CODES = [-signal.SIGKILL, -signal.SIGTERM, -signal.SIGSEGV, -200, 0, 3]


@pytest.mark.parametrize("code", CODES)
def test_a_check_that_is_killed_is_not_to_be_resumed(code: int) -> None:
    error = exit_error("check", code, "")
    text = f"{error.message} {error.hint}".lower()
    assert "resume" not in text and "checkpoint" not in text and "batch size" not in text
    assert "again" in text and error.code == "worker-died"


@pytest.mark.parametrize("code", [c for c in CODES if c < 0])
def test_a_training_that_is_killed_is(code: int) -> None:
    assert "resume" in explain_exit(code, resume_hint=RESUME_HINT)["hint"].lower()


@pytest.mark.parametrize(
    "error",
    [MemoryError(), OSError(errno.ENOSPC, "No space left on device", "x"), RuntimeError("can't start new thread")],
    ids=["memory", "disk", "thread"],
)
def test_findings_of_a_call_do_not_speak_of_a_training(tmp_path: Path, error: Exception) -> None:
    found = findings_of(error, tmp_path, training=False)[0]
    assert found.code != "bug" and found.hint
    assert not any(word in found.hint.lower() for word in ("resume", "checkpoint", "batch size"))


def test_a_thread_that_cannot_start_names_the_limits(tmp_path: Path) -> None:
    found = findings_of(RuntimeError("can't start new thread"), tmp_path)[0]
    assert found.code == "no-thread" and "ulimit" in found.hint and "bug" not in found.hint


def test_a_worker_that_has_exited_just_now_is_asked_for_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie: nobody has asked for its status yet
    monkeypatch.setitem(backend._children, child.pid, child)
    WorkerRecord.of_new_worker(tmp_path, child.pid, attempt=1, processes=1).write(tmp_path)
    found = LocalBackend(Settings(home=tmp_path)).status(tmp_path, 1, 0.0)
    assert not found["alive"] and "status 3" in found["reason"]


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EACCES, errno.EROFS, errno.EIO, errno.ELOOP])
def test_a_file_that_cannot_be_used_is_no_bug(tmp_path: Path, number: int) -> None:
    found = findings_of(OSError(number, "Bad luck", "x" * 5000), tmp_path)[0]
    assert found.code == "file-unusable" and "Bad luck" in found.message and len(found.message) < 300


def test_a_worker_that_cannot_be_started_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **more: Any) -> Any:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(calls, "spawn", refuse)
    with pytest.raises(WorkerError, match="could not be started: Resource temporarily unavailable") as caught:
        calls.call(tmp_path, "check", {}, limits=Limits())
    assert caught.value.code == "worker-not-started" and "limits of memory and processes" in caught.value.hint
    monkeypatch.undo()
    with pytest.raises(WorkerError, match="could not be started") as caught:
        calls.call(tmp_path / "gone", "check", {}, limits=Limits())
    assert "does not exist any more" in caught.value.hint


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Store(tmp_path / "runs").create("toy", "me", {"task": "toy"})
    run.freeze({"task": "toy"})
    run.begin(run.enqueue(resume=False))
    return run


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("checkpoint", [False, True])
def test_an_interrupted_run_says_from_where_it_resumes(run: Run, checkpoint: bool, killed: bool) -> None:
    if checkpoint:
        (run.directory / "checkpoints" / "checkpoint-3").mkdir(parents=True)
    if killed:
        run.control("kill", 1, reason="it did not stop within 60 s")
    run.record_interruption(1, **explain_exit(-signal.SIGTERM, resume_hint=run.resume_hint()))
    hint = run.state().hint
    assert ("from its last checkpoint" in hint) == checkpoint and ("from the beginning" in hint) != checkpoint


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_worker_that_is_gone_says_from_where_its_run_resumes(run: Run, tmp_path: Path, checkpoint: bool) -> None:
    if checkpoint:
        (run.directory / "checkpoints" / "checkpoint-3").mkdir(parents=True)
    (run.directory / "backend.json").write_text("null")
    status = LocalBackend(Settings(tmp_path)).status(run.directory, 1, 0.0)
    assert not status["alive"] and ("from its last checkpoint" in status["hint"]) == checkpoint
    assert ("from the beginning" in status["hint"]) != checkpoint


@pytest.mark.parametrize("model", [False, True])
def test_a_stopped_training_says_whether_weights_are_saved(model: bool) -> None:
    snapshot = {"id": "x", "state": "cancelled", "reason": None, "error": None, "can": {"download": model}}
    message = incomplete_error(snapshot).message
    assert ("its weights are saved" in message) == model and ("no weights were saved" in message) != model
