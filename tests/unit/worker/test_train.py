"""The training worker by itself: its last words, on a full disk too, and what it must not do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.core.errors import DataError, Finding, NotFound
from autotrain_gradio.core.registry import NamedRegistry
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs.failure import findings_of, is_disk_full
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.runs.store import Store
from autotrain_gradio.tasks.verbs import Verb
from autotrain_gradio.worker.run_verb import run_verb

NO_DATA = "import autotrain_gradio.data as data\ndata.ensure = lambda directory, resolved, **more: None\n"
SLOW_DATA = """
import time
import autotrain_gradio.data as data
def ensure(directory, resolved, *, progress):
    for n in range(10_000):
        progress("Unpacking", n / 10_000)
        time.sleep(0.01)
data.ensure = ensure
"""


@pytest.fixture
def make(toys: Path, tmp_path: Path) -> Callable[..., Run]:
    """Return a function that makes a started run of the toy task."""

    def new(folder: Path | None = None, data: str = NO_DATA, **params: Any) -> Run:
        (toys / "sitecustomize.py").write_text(data)
        spec = {"task": "toy-sorting", "project_name": "toys", "params": params}
        run = Store(folder or tmp_path / "runs").create("toy-sorting", "me", spec)
        run.freeze(spec)
        run.begin(run.enqueue(resume=False))
        return run

    return new


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Return a function that starts the worker of a run; those that are left are ended."""
    found: list[subprocess.Popen[bytes]] = []

    def go(run: Run, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "autotrain_gradio.worker", str(run.directory), "train", *more]
        with (run.directory / "log.txt").open("ab") as log:
            found.append(subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True))
        return found[-1]

    yield go
    for process in found:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


Make = Callable[..., Run]
Go = Callable[..., "subprocess.Popen[bytes]"]


def last_error(run: Run) -> dict[str, Any]:
    lines = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    return next(e["finding"] for e in reversed(lines) if e["kind"] == "error")


def reaches(run: Run, name: str, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while run.state().name != name:
        assert time.monotonic() < end, (run.state(), (run.directory / "log.txt").read_text())
        time.sleep(0.02)


@pytest.mark.parametrize(("trouble", "status"), [("none", 0), ("user", 1), ("bug", 1), ("kill", -signal.SIGKILL)])
def test_the_exit_status_is_zero_only_for_completed_runs(make: Make, start: Go, trouble: str, status: int) -> None:
    run = make(trouble=trouble)
    assert start(run).wait(timeout=60) == status


def test_all_findings_are_recorded_and_the_first_is_the_reason(make: Make, start: Go) -> None:
    raising = """
from autotrain_gradio.core.errors import DataError, Finding, NotFound
from autotrain_gradio.core.registry import NamedRegistry
import autotrain_gradio.data as data
def ensure(directory, resolved, **more):
    found = [Finding("warning", "w", "A warning."), Finding("error", "a", "First."), Finding("error", "b", "Second.")]
    raise DataError.from_findings(found)
data.ensure = ensure
"""
    run = make(data=raising)
    assert start(run).wait(timeout=60) == 1
    assert run.state().reason == "First."
    codes = [json.loads(line) for line in run.events_path.read_text().splitlines()]
    assert [e["finding"]["code"] for e in codes if e["kind"] == "error"] == ["b", "a"]
    assert "Second." in (run.directory / "log.txt").read_text()
    assert "Traceback" not in (run.directory / "log.txt").read_text()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ('{"task": "no-such-task"}', "Unknown task 'no-such-task'"),
        ('{"task": 7}', "got 7"),
        ("{", "spec.json is damaged"),
    ],
)
def test_invalid_settings_fail_with_a_reason(make: Make, start: Go, spec: str, text: str) -> None:
    run = make()
    (run.directory / "spec.json").write_text(spec)
    assert start(run).wait(timeout=60) == 1
    assert run.state().name == "failed" and text in run.state().reason


def test_a_task_whose_module_is_broken_fails_with_a_reason(make: Make, start: Go, toys: Path) -> None:
    run = make()
    (toys / "toy_task" / "train.py").write_text("import nothing_of_that_name\n")
    assert start(run).wait(timeout=60) == 1
    assert "nothing_of_that_name" in run.state().reason
    assert last_error(run)["where"] == "worker/training.py:" + last_error(run)["where"].split(":")[1]


def test_the_first_sigterm_requests_a_stop_and_the_second_exits(make: Make, start: Go) -> None:
    run = make(steps=10_000, step_seconds=0.01)
    process = start(run)
    reaches(run, "running")
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(timeout=20) == 1
    assert run.state().name == "cancelled" and (run.directory / "model" / "box.txt").exists()

    deaf = make(steps=1000, step_seconds=1.0)
    process = start(deaf)
    reaches(deaf, "running")
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(timeout=5) == -signal.SIGTERM


def test_a_stop_during_the_preparation_of_data_is_handled(make: Make, start: Go) -> None:
    run = make(data=SLOW_DATA)
    process = start(run)
    reaches(run, "preparing")
    while "Unpacking" not in (run.events_path.read_text() if run.events_path.exists() else ""):
        time.sleep(0.02)
    run.request_stop("me")
    assert process.wait(timeout=20) == 1
    assert run.state().name == "cancelled"
    assert "playing" not in (run.directory / "log.txt").read_text()


def test_a_stop_after_the_last_step_does_not_undo_the_completion(make: Make, start: Go, toys: Path) -> None:
    run = make(steps=1)
    train = toys / "toy_task" / "train.py"
    asking = "from autotrain_gradio.runs.record import Run\n    Run(run.directory).request_stop('me')\n    run.report("
    train.write_text(train.read_text().replace("run.report(", asking))
    assert start(run).wait(timeout=60) == 0
    assert [c["kind"] for c in run.controls()][-1] == "stop"
    assert run.state().name == "completed"


def test_a_run_has_at_most_one_worker(make: Make, start: Go) -> None:
    run = make(steps=10_000, step_seconds=0.01)
    first = start(run)
    reaches(run, "running")
    second = start(run, "--attempt", "2")
    assert second.wait(timeout=20) == 1
    assert "Another process is training" in (run.directory / "log.txt").read_text()
    assert {json.loads(line)["attempt"] for line in run.events_path.read_text().splitlines()} == {1}
    run.request_stop("me")
    assert first.wait(timeout=20) == 1


def test_subprocesses_of_a_training_end_with_it(make: Make, start: Go, toys: Path) -> None:
    run = make(steps=1)
    train = toys / "toy_task" / "train.py"
    child = "import subprocess, sys\n    c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    train.write_text(
        train.read_text().replace("    run.report(", f"    {child}    run.note(str(c.pid))\n    run.report(")
    )
    assert start(run).wait(timeout=60) == 0
    notes = [json.loads(line) for line in run.events_path.read_text().splitlines() if '"note"' in line]
    pid = int(notes[-1]["message"])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_each_attempt_has_a_heading_in_the_log(make: Make, start: Go) -> None:
    run = make(steps=4, trouble="bug")
    start(run).wait(timeout=60)
    spec = json.loads((run.directory / "spec.json").read_text())
    spec["params"]["trouble"] = "none"
    (run.directory / "spec.json").write_text(json.dumps(spec))
    run.begin(run.enqueue(resume=True))
    assert start(run, "--attempt", "2", "--resume").wait(timeout=60) == 0
    log = (run.directory / "log.txt").read_text()
    assert "--- attempt 1, " in log and "--- attempt 2, " in log
    assert run.state().name == "completed" and run.state().attempt == 2
    assert "continued at step 2" in run.events_path.read_text()


# -- disks and folders


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


FILL = """
    with open(run.directory / "filler", "wb") as file:
        try:
            while True:
                file.write(b"x" * 4096)
                file.flush()
        except OSError:
            pass
"""


def test_a_full_disk_is_recorded(make: Make, start: Go, toys: Path, small_disk: Path) -> None:
    run = make(small_disk / "runs", steps=10_000)
    train = toys / "toy_task" / "train.py"
    train.write_text(train.read_text().replace('    print("playing"', FILL + '    print("playing"'))
    assert start(run).wait(timeout=60) == 1
    state = run.state()
    assert state.name == "failed" and "disk is full" in state.reason and "Delete runs" in state.hint
    assert run.events_path.read_bytes().endswith(b"\n")
    for line in run.events_path.read_text().splitlines():
        json.loads(line)
    (run.directory / "filler").unlink()
    spec = (run.directory / "spec.json").read_text()
    train.write_text(train.read_text().replace(FILL, ""))
    assert json.loads(spec)["params"]["steps"] == 10_000
    run.begin(run.enqueue(resume=True))
    process = start(run, "--attempt", "2", "--resume")
    reaches(run, "running")
    run.request_stop("me")
    process.wait(timeout=20)


def test_the_worker_of_a_deleted_run_exits_and_does_not_create_it_again(make: Make, start: Go) -> None:
    run = make(steps=100_000, step_seconds=0.005)
    process = start(run)
    reaches(run, "running")
    shutil.rmtree(run.directory, ignore_errors=True)
    assert process.wait(timeout=10) == 1
    assert not run.directory.exists()


def test_a_run_without_a_spec_is_not_removed(make: Make, start: Go) -> None:
    run = make(steps=100_000, step_seconds=0.005)
    process = start(run)
    reaches(run, "running")
    (run.directory / "spec.json").unlink()
    assert process.wait(timeout=20) == 1
    assert (run.directory / "checkpoints").is_dir() and (run.directory / "draft.json").exists()


# -- what failures are called


def test_every_error_of_a_full_disk_is_detected(tmp_path: Path) -> None:
    plain = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "model" / "weights"))
    wrapped = RuntimeError("cannot write the file")
    wrapped.__cause__ = plain
    told = RuntimeError("I/O error: No space left on device (os error 28)")
    for error in (plain, wrapped, told):
        assert is_disk_full(error)
        finding = findings_of(error, tmp_path)[0]
        assert finding.code == "disk-full" and "of disk space left" in finding.message
    assert findings_of(plain, tmp_path)[0].where == "model/weights"
    assert not is_disk_full(ValueError("full of errors"))


def test_the_error_of_a_bug_names_file_and_line(tmp_path: Path) -> None:
    try:
        NamedRegistry("verb", [Verb("dance", "a"), Verb("dance", "b")])
    except ValueError as error:
        found = findings_of(error, tmp_path)[0]
    assert found.code == "bug" and found.where.startswith("core/registry.py:")
    assert found.message.startswith("ValueError: Two different verb items are named 'dance'")


def test_an_unknown_verb_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Unknown verb 'predic'. Did you mean 'predict'"):
        run_verb(tmp_path, "predic", {"spec": {"task": "image-classification"}}, lambda m, f: None)


def test_a_user_error_keeps_its_findings(tmp_path: Path) -> None:
    error = DataError.from_findings([Finding("error", "a", "A"), Finding("warning", "b", "B")])
    assert [f.code for f in findings_of(error, tmp_path)] == ["a", "b"]
    assert findings_of(MemoryError(), tmp_path)[0].code == "out-of-memory"


def test_final_events_are_written_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec.json").write_text("{}")
    reporter = Reporter(tmp_path, RunSpec(task="toy"), None)
    reserve = tmp_path / ".reserve"
    real = os.write

    def full(handle: int, data: bytes) -> int:
        if reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr("autotrain_gradio.runs.files.os.write", full)
    with pytest.raises(OSError, match="No space"):
        reporter.metric(1, 0.0, loss=1.0)
    reporter.release_reserve()
    reporter.state("failed")
    monkeypatch.undo()
    reporter.close()
    assert [json.loads(line)["state"] for line in (tmp_path / "events.jsonl").read_text().splitlines()] == ["failed"]


# -- what a worker may load

LIGHT = """
import json, sys
from pathlib import Path
from autotrain_gradio.worker.run_verb import run_verb
folder, data = Path(sys.argv[1]), sys.argv[2]
spec = {"task": "image-classification", "model": "tiny", "data": {"source": "path", "path": data}}
found = run_verb(folder, "check", {"spec": spec}, lambda message, fraction: None)
print(json.dumps([found["rows"], sorted({m.partition(".")[0] for m in sys.modules} & {"torch", "transformers"})]))
"""


def test_a_check_does_not_load_torch(tmp_path: Path) -> None:
    from PIL import Image

    for label in ("cat", "dog"):
        folder = tmp_path / "data" / label
        folder.mkdir(parents=True)
        for n in range(6):
            Image.new("RGB", (16, 16), (n * 40, len(label) * 20 + n, ord(label[0]))).save(folder / f"{n}.png")
    draft = tmp_path / "draft"
    draft.mkdir()
    command = [sys.executable, "-c", LIGHT, str(draft), str(tmp_path / "data")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(found.stdout.splitlines()[-1]) == [12, []]
