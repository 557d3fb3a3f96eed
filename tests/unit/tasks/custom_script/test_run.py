"""Runs of scripts, good and bad ones, in this process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.core.errors import Forbidden, UserError
from autotrain_gradio.core.panels import find_panel
from autotrain_gradio.runs.record import read_json
from autotrain_gradio.tasks.custom_script import train
from autotrain_gradio.tasks.custom_script.preview import preview
from tests.trials import Trial

Make = Callable[..., Trial]


@pytest.fixture
def project(tmp_path: Path) -> Make:
    """Return a function that prepares a run of a script."""

    numbers = count()

    def make(source: str, files: dict[str, str] | None = None, **params: Any) -> Trial:
        folder = tmp_path / "project"
        for name, content in {"script.py": source, **(files or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        data = {"source": "path", "path": str(folder)}
        spec = {"task": "custom-script", "project_name": "mine", "data": data, "params": params}
        trial = Trial(tmp_path / "home" / "runs" / f"run-{next(numbers)}", spec)
        (trial.directory / "work").mkdir(exist_ok=True)
        return trial

    return make


def _train(trial: Trial, attempt: int = 1) -> None:
    reporter = trial.reporter(attempt)
    try:
        train.train(reporter)
    finally:
        reporter.close()


def _failure(trial: Trial) -> Any:
    with pytest.raises(UserError) as failed:
        _train(trial)
    return failed.value


def _notes(trial: Trial) -> str:
    return " ".join(note["message"] for note in trial.events("note"))


def _alive(text: str) -> list[int]:
    """Processes with a text in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        if text in " ".join(process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def test_arguments_metrics_and_files_and_the_users_folder_is_unchanged(project: Make, tmp_path: Path) -> None:
    source = """
import json, os, pathlib, sys
pathlib.Path("data.txt").write_text("changed")
pathlib.Path("output/sub").mkdir()
pathlib.Path("output/sub/words.json").write_text(json.dumps([sys.argv[1:], os.environ["LEVEL"]]))
os.symlink("/etc/hostname", "output/elsewhere")
os.symlink("sub/words.json", "output/inside")
os.symlink(os.path.join(os.environ["AUTOTRAIN_OUTPUT_DIR"], "sub"), "output/latest")
print('{"step": 5, "loss": 0.25}')
print('{"acc": 0.75}')
print("@progress step=1 total=2")
"""
    trial = project(source, {"data.txt": "mine"}, args="--name 'a b'", env="LEVEL=3", seed=7)
    _train(trial)
    model = trial.directory / "model"
    assert json.loads((model / "sub/words.json").read_text()) == [["--name", "a b"], "3"]
    assert (tmp_path / "project/data.txt").read_text() == "mine" and not (tmp_path / "project/output").exists()
    assert not (model / "elsewhere").exists() and (model / "inside").exists() and "elsewhere" in _notes(trial)
    assert (model / "latest" / "words.json").is_file() and os.readlink(model / "latest") == "sub"
    assert [(e["step"], e["values"]) for e in trial.events("metric")] == [(5, {"loss": 0.25}), (5, {"acc": 0.75})]
    report = read_json(trial.directory / "report.json")
    assert (find_panel(report, "script-metrics") or {})["rows"] == [
        ["loss", 0.25, 0.25, 0.25, 5],
        ["acc", 0.75, 0.75, 0.75, 5],
    ]
    files = (find_panel(report, "script-files") or {})["rows"]
    assert ["sub/words.json", "24 bytes"] in files
    assert "`sub/words.json`" in (model / "README.md").read_text()
    assert "LEVEL" not in (model / "training_params.json").read_text()


def test_the_named_script_runs_and_is_previewed(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "code").mkdir(parents=True)
    (folder / "script.py").write_text("raise SystemExit(3)")
    (folder / "code" / "other.py").write_text("print('{\"loss\": 1.5}')")
    source = {"source": "path", "path": str(folder), "options": {"script": "./code/other.py"}}
    trial = Trial(tmp_path / "home" / "runs" / "named", {"task": "custom-script", "data": source})
    (trial.directory / "work").mkdir()
    _train(trial)
    assert [e["values"] for e in trial.events("metric")] == [{"loss": 1.5}]
    shown = preview(trial.directory, trial.resolved.spec, trial.resolved.params, {})
    assert "python other.py" in str(shown[0]) or "python code/other.py" in str(shown[0])


def test_the_environment_is_clean_but_for_what_is_declared(
    project: Make, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("HF_TOKEN", "hf_not_for_scripts")
    monkeypatch.setenv("WANDB_API_KEY", "key-123456")
    source = "import json, os\njson.dump(dict(os.environ), open('output/env.json', 'w'))\n"
    source += "print('the key is', os.environ['WANDB_API_KEY'])\n"
    trial = project(source, inherit_env=["WANDB_API_KEY"])
    _train(trial)
    env = json.loads((trial.directory / "model/env.json").read_text())
    assert "DATABASE_URL" not in env and "HF_TOKEN" not in env and "PYTHONPATH" not in env
    assert env["WANDB_API_KEY"] == "key-123456" and env["AUTOTRAIN_SEED"] == "42" and env["HOME"] == os.environ["HOME"]
    assert Path(env["AUTOTRAIN_OUTPUT_DIR"]) == Path(env["AUTOTRAIN_DATA_DIR"]) / "output"
    assert env["PATH"].startswith(str(Path(env["VIRTUAL_ENV"]) / "bin"))
    assert "the key is ***" in capfd.readouterr().out
    stored = "".join(p.read_text() for p in trial.directory.glob("*.json*"))
    assert "key-123456" not in stored and "the key is ***" in stored
    missing = project(source, inherit_env=["NOT_SET"])
    assert "NOT_SET" in _failure(missing).message


def test_a_failure_names_the_status_the_error_and_the_line(project: Make) -> None:
    error = _failure(project("import sys\nprint('so far')\nsys.exit(3)\n"))
    assert error.message == "script.py exited with status 3." and "so far" in error.hint
    error = _failure(project("def f():\n    raise ValueError('bad value')\nf()\n"))
    assert error.message == "script.py exited with status 1: ValueError: bad value"
    assert error.findings[0].where == "script.py, line 2"
    trial = project("open('output/a', 'w')\nimport not_installed\n")
    error = _failure(trial)
    assert "Add the package of 'not_installed' to requirements.txt" in error.hint
    assert not (trial.directory / "model").exists()
    lines = (find_panel(read_json(trial.directory / "report.json"), "script-output") or {})["lines"]
    assert lines[-1] == "ModuleNotFoundError: No module named 'not_installed'"
    error = _failure(project("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"))
    assert "killed (SIGKILL)" in error.message and "memory" in error.hint


def test_processes_that_a_script_leaves_are_killed(project: Make) -> None:
    source = """
import subprocess, sys
for session in (False, True):
    code = "import time; time.sleep(600)  # left-behind-by-script"
    subprocess.Popen([sys.executable, "-c", code], start_new_session=session)
print("done")
"""
    trial = project(source)
    began = time.monotonic()
    _train(trial)
    assert _alive("left-behind-by-script") == [] and time.monotonic() - began < 60
    assert "left 2 processes running" in _notes(trial)


def test_processes_end_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    code = """
import pathlib, subprocess, sys
from autotrain_gradio.tasks.custom_script.script_process import run_process
inner = "import os, signal, subprocess, sys, time; signal.signal(15, signal.SIG_IGN)\\n"
inner += "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600) # of-a-killed-worker'], "
inner += "start_new_session=True); open('begun', 'w').close(); time.sleep(600) # of-a-killed-worker"
run_process([sys.executable, "-c", inner], folder=pathlib.Path(sys.argv[1]), env={}, output=lambda data: None,
            stop=lambda: False, grace=1.0)
"""
    worker = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        _until(lambda: (tmp_path / "begun").exists() and len(_alive("of-a-killed-worker")) >= 3)
        worker.kill()
        worker.wait()
        _until(lambda: _alive("of-a-killed-worker") == [])
    finally:
        worker.kill()


def _until(done: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_script_that_never_ends_is_stopped(project: Make, monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    monkeypatch.setattr(train, "GRACE_SECONDS", 1.0)
    reaction = "signal.SIG_IGN" if stubborn else "lambda *a: (open('output/saved', 'w').close(), sys.exit(0))"
    source = f"""
import signal, sys, time
signal.signal(signal.SIGTERM, {reaction})
open("output/begun", "w").close()
while True:
    time.sleep(0.1)
"""
    trial = project(source)
    reporter = trial.reporter()
    begun = trial.directory / "work/script/output/begun"
    thread = threading.Thread(target=train.train, args=[reporter])
    thread.start()
    end = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < end:
        time.sleep(0.05)
    reporter.request_stop()
    thread.join(60)
    reporter.close()
    assert not thread.is_alive() and reporter.stopping
    assert (trial.directory / "model/begun").exists()
    assert (trial.directory / "model/saved").exists() is not stubborn
    assert ("was killed" in _notes(trial)) is stubborn


def test_a_resumed_run_gets_the_earlier_output(project: Make) -> None:
    source = """
import os, pathlib, sys
previous = os.environ.get("AUTOTRAIN_PREVIOUS_OUTPUT")
assert not list(pathlib.Path("output").iterdir())
count = int(pathlib.Path(previous, "count").read_text()) if previous else 0
pathlib.Path("output/count").write_text(str(count + 1))
sys.exit(1 if count == 0 else 0)
"""
    trial = project(source)
    _failure(trial)
    for attempt in (2, 3):
        _train(trial, attempt)
        assert (trial.directory / "model/count").read_text() == str(attempt)


def test_metrics_without_a_chart_are_said_to_have_none(project: Make) -> None:
    trial = project("import json\nprint(json.dumps({f'm{n}': n for n in range(11)} | {'val_m1': 2}))\n")
    _train(trial)
    panel = find_panel(read_json(trial.directory / "report.json"), "script-metrics") or {}
    assert len(panel["rows"]) == 12 and panel["note"] == "Charts show the first 8 of 11 metrics."


def test_a_script_without_output_has_a_card_and_a_warning(project: Make) -> None:
    trial = project("import shutil\nshutil.rmtree('output')\n")
    _train(trial)
    assert "wrote no files" in _notes(trial) and (trial.directory / "model/README.md").is_file()


def test_nothing_runs_on_a_shared_page(project: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = project("open('output/ran', 'w')")
    monkeypatch.setenv("AUTOTRAIN_GRADIO_SHARED", "1")
    with pytest.raises(Forbidden):
        _train(trial)
    assert not (trial.directory / "work/script").exists()
