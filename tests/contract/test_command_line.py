"""The command line as a person uses it, with real workers: the example task, which trains in no time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.conftest import PACKAGE, Shell

CLI = ("-m", "autotrain_gradio")
LINE = "    for epoch in range(1, run.params.epochs + 1):\n"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Rows that can be used."""
    path = tmp_path / "notes.mood"
    path.write_text("".join(f"glad: sunny day {n}\nsad: rainy evening {n}\n" for n in range(10)), encoding="utf-8")
    return path


def _yaml(folder: Path, **changes: object) -> str:
    spec = {"task": "mood", "project_name": "moods", "data": {"path": "notes.mood"}, **changes}
    (folder / "run.yaml").write_text(json.dumps(spec), encoding="utf-8")  # JSON is YAML
    return "run.yaml"


def test_check_says_whether_the_data_can_be_used(shell: Shell, notes: Path, tmp_path: Path) -> None:
    good = shell(*CLI, "check", _yaml(tmp_path))
    assert good.returncode == 0 and "Lines with a mood in front" in good.stdout, good.stderr
    notes.write_text("glad: one\nglad: two\n")
    bad = shell(*CLI, "check", "run.yaml", "--json")
    assert bad.returncode == 1
    found = json.loads(bad.stdout)
    assert found["layout"]["name"] == "mood-lines"
    finding = next(f for f in found["findings"] if f["level"] == "error")
    assert set(finding) >= {"level", "code", "message", "hint", "where"}
    nothing = shell(*CLI, "check", "mood", "--data-path", "nowhere/at/all")
    assert nothing.returncode == 1 and "nowhere" in nothing.stdout + nothing.stderr
    assert "Traceback" not in nothing.stderr
    assert list((tmp_path / "home" / "runs").iterdir()) == [], "a check leaves nothing behind"


def test_train_refuses_before_it_starts(shell: Shell, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "moods").mkdir()
    done = shell(*CLI, "train", _yaml(tmp_path))
    assert done.returncode == 1 and "was not made here" in done.stderr and "Traceback" not in done.stderr
    (tmp_path / "moods").rmdir()
    notes.write_text("glad: one\nglad: two\n")
    done = shell(*CLI, "train", "run.yaml")
    assert done.returncode == 1 and "error:" in done.stderr
    assert json.loads(shell(*CLI, "runs", "--json").stdout) == []
    assert not (tmp_path / "moods").exists()


def test_a_failed_training_is_no_success(shell: Shell, mood: Path, notes: Path, tmp_path: Path) -> None:
    broken = _changed(mood, tmp_path, "        raise ZeroDivisionError('no moods')\n")
    done = shell(*CLI, "train", _yaml(tmp_path), PYTHONPATH=f"{broken}{os.pathsep}{PACKAGE.parents[2]}")
    assert done.returncode == 1, done.stdout
    assert "no moods" in done.stderr and "autotrain-gradio resume" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "moods").exists()
    run = json.loads(shell(*CLI, "runs", "--json").stdout)[0]
    assert run["state"] == "failed"
    # The cause is mended: the same run goes on, and its model takes its place.
    done = shell(*CLI, "resume", "moods")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "moods" / "words.json").is_file()
    shown = json.loads(shell(*CLI, "show", run["id"], "--json").stdout)
    assert (shown["state"], shown["attempt"]) == ("completed", 2)
    again = shell(*CLI, "resume", "moods")
    assert again.returncode == 1 and "completed" in again.stderr


def _changed(mood: Path, tmp_path: Path, line: str) -> Path:
    """A copy of the example package with a line more in the loop of its training."""
    folder = tmp_path / "changed"
    for path in mood.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            copy = folder / path.relative_to(mood)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8")
            assert path.name != "train.py" or LINE in text
            copy.write_text(text.replace(LINE, LINE + line), encoding="utf-8")
    return folder


@pytest.fixture
def slow(mood: Path, tmp_path: Path, notes: Path) -> Iterator[subprocess.Popen[str]]:
    """A training in the foreground that takes half a minute, with its first step done."""
    package = _changed(mood, tmp_path, "        __import__('time').sleep(0.3)\n")
    _yaml(tmp_path, params={"epochs": 100})
    env = {
        **os.environ,
        "PYTHONPATH": f"{package}{os.pathsep}{PACKAGE.parents[2]}",
        "AUTOTRAIN_GRADIO_HOME": str(tmp_path / "home"),
    }
    process = subprocess.Popen(
        [sys.executable, *CLI, "train", "run.yaml"], cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 60
    while not any('"metric"' in p.read_text() for p in tmp_path.glob("home/runs/*/events.jsonl")):
        assert time.monotonic() < end and process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    with process:
        yield process
        process.kill()


def test_the_first_interrupt_stops_and_keeps_the_weights(
    slow: subprocess.Popen[str], shell: Shell, tmp_path: Path
) -> None:
    slow.send_signal(signal.SIGINT)
    said = slow.communicate(timeout=60)[1]
    assert slow.returncode == 130
    assert "weights are saved" in said and "autotrain-gradio resume" in said and "Traceback" not in said
    run = json.loads(shell(*CLI, "runs", "--json").stdout)[0]
    assert run["state"] == "cancelled" and (Path(run["path"]) / "model" / "words.json").is_file()
    assert not (tmp_path / "moods").exists(), "only a completed model takes that place"


def test_a_second_process_sees_and_stops_the_run(slow: subprocess.Popen[str], shell: Shell) -> None:
    assert json.loads(shell(*CLI, "runs", "--json").stdout)[0]["state"] == "running"
    done = shell(*CLI, "stop", "moods")
    assert done.returncode == 0 and "Stopped" in done.stdout, done.stderr
    slow.communicate(timeout=60)
    assert slow.returncode == 1
    again = shell(*CLI, "stop", "moods")
    assert again.returncode == 1 and "nothing to stop" in again.stderr


def test_the_run_outlives_the_command(slow: subprocess.Popen[str], shell: Shell) -> None:
    slow.kill()
    slow.wait()
    assert json.loads(shell(*CLI, "runs", "--json").stdout)[0]["state"] == "running"
    assert shell(*CLI, "stop", "moods").returncode == 0


def test_python_trains_predicts_and_raises(shell: Shell, notes: Path) -> None:
    done = shell(
        "-c",
        """
import autotrain_gradio as at
from autotrain_gradio.core.errors import UserError
run = at.train("mood", data_path="notes.mood", project_name="moods", epochs=3, progress=False)
assert run.state == "completed" and run.metrics["eval_accuracy"] == 1.0, run
assert (run.path / "model" / "words.json").is_file()
assert run.predict("a sunny day")[0]["label"] == "glad"
assert run.export("away").name == "away"
for settings, said in (
    ({"epoch": 3}, "Did you mean 'epochs'?"), ({"data_path": "nowhere/at/all"}, "nowhere"), ({"epochs": 0}, "epochs"),
):
    try:
        at.train("mood", **{"data_path": "notes.mood", "project_name": "other", **settings}, progress=False)
    except UserError as error:
        assert said in str(error), error
    else:
        raise AssertionError(settings)
import sys
assert "torch" not in sys.modules
""",
    )
    assert done.returncode == 0, done.stderr
