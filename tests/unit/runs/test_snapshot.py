"""What viewers see: folded once for all, across attempts, with damage said and silence noticed."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.spec import RunSpec
from autotrain_gradio.runs import snapshot as module
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.runs.series import downsample
from autotrain_gradio.runs.snapshot import SnapshotBuilder, Snapshots
from autotrain_gradio.runs.store import Store

SPEC = {"task": "toy", "project_name": "toys", "model": "box", "data": {"path": "x"}}


def alive(directory: Path, attempt: int, started: float) -> dict[str, Any]:
    return {"alive": True}


def gone(directory: Path, attempt: int, started: float) -> dict[str, Any]:
    return {"alive": False, "reason": "It fell.", "hint": "Lift it."}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(module, "STATUS_CACHE_SECONDS", 0.0)
    run = Store(tmp_path).create("toy", "me", SPEC)
    run.freeze(SPEC)
    return run


def begin(run: Run, *, resume: bool = False) -> Reporter:
    attempt = run.enqueue(resume=resume)
    run.begin(attempt)
    reporter = Reporter(run.directory, RunSpec(task="toy"), None, attempt=attempt, resume=resume)
    reporter.state("running", "Playing")
    return reporter


def test_states_of_a_snapshot(run: Run) -> None:
    snapshots = Snapshots()
    first = snapshots.get(run, alive)
    assert first["state"] == "draft" and first["progress"] is None and first["project_name"] == "toys"
    assert first["spec"]["data"] == {"path": "x"} and "owner" not in first["spec"]
    assert snapshots.get(run, alive) is first  # nothing new: nothing is made again
    reporter = begin(run)
    reporter.metric(1, 0.5, loss=2.0)
    reporter.progress(1, 4, 0.5, 2.0)
    second = snapshots.get(run, alive)
    assert second["version"] > first["version"]
    assert second["state"] == "running" and second["detail"] == "Playing" and second["title"] == "Running"
    assert second["progress"] == {
        "step": 1,
        "unit": "step",
        "total": 4,
        "epoch": 0.5,
        "epochs": 2.0,
        "fraction": 0.25,
        "eta_seconds": None,
    }
    assert second["metrics"] == {"loss": 2.0} and second["series"] == {"loss": [[1, 2.0]]}
    assert second["started"] and second["finished"] is None and second["report"] is None
    reporter.result(eval_accuracy=0.75)
    reporter.report([{"kind": "markdown", "text": "done"}])
    reporter.state("completed")
    reporter.close()
    third = snapshots.get(run, gone)
    assert third["state"] == "completed" and third["report"][0]["text"] == "done" and third["detail"] == ""
    assert third["metrics"] == {"loss": 2.0, "eval_accuracy": 0.75}
    assert third["finished"] >= third["started"] and third["reason"] is None
    assert json.loads(json.dumps(third)) == third


def test_rebuilding_a_snapshot_gives_the_same_content(run: Run) -> None:
    reporter = begin(run)
    ongoing = SnapshotBuilder(run)
    for step in range(1, 50):
        reporter.metric(step, step / 10, loss=1 / step)
        ongoing.snapshot(alive)
    reporter.close()
    at_once, step_by_step = SnapshotBuilder(run).snapshot(alive), ongoing.snapshot(alive)
    assert at_once["version"] != step_by_step["version"]
    assert {**at_once, "version": 0} == {**step_by_step, "version": 0}


def test_a_vanished_worker_is_recorded_once(run: Run) -> None:
    begin(run).close()
    fold, other = SnapshotBuilder(run), SnapshotBuilder(run)
    assert fold.snapshot(alive)["state"] == other.snapshot(alive)["state"] == "running"
    found = fold.snapshot(gone)
    assert found["state"] == "interrupted" and found["reason"] == {"message": "It fell.", "hint": "Lift it."}
    assert found["finished"]
    assert other.snapshot(gone)["reason"] == found["reason"]
    assert [c["kind"] for c in run.controls()].count("interrupted") == 1


def test_the_backend_is_asked_once_for_all_viewers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATUS_CACHE_SECONDS", 60.0)
    begin(run).close()
    asked = []

    def status(directory: Path, attempt: int, started: float) -> dict[str, Any]:
        asked.append((attempt, started > 0))
        return {"alive": True}

    snapshots = Snapshots()
    for _ in range(20):
        snapshots.get(run, status)
    assert asked == [(1, True)]


def test_a_resumed_attempt_drops_points_after_its_checkpoint(run: Run) -> None:
    first = begin(run)
    for step in range(1, 96):
        first.metric(step, 0.0, loss=float(step))
        if step % 30 == 0:
            first.metric(step, 0.0, eval_loss=float(step))
            first.sample(step, {"kind": "markdown", "text": str(step)})
    first.error(Finding("error", "x", "Broken"))
    first.state("failed")
    first.close()
    fold = SnapshotBuilder(run)
    failed = fold.snapshot(gone)
    assert failed["error"]["message"] == "Broken" and failed["metrics"]["eval_loss"] == 90.0
    second = begin(run, resume=True)
    second.metric(51, 0.0, loss=-51.0)
    found = fold.snapshot(alive)
    assert found["attempt"] == 2 and found["error"] is None and found["reason"] is None
    assert [p[0] for p in found["series"]["loss"]] == list(range(1, 52))
    assert found["series"]["loss"][-1] == [51, -51.0]
    assert found["series"]["eval_loss"] == [[30, 30.0]] and found["metrics"]["eval_loss"] == 30.0
    assert [s["step"] for s in found["samples"]] == [30]
    second.metric(2, 0.0, loss=0.0)  # a smaller batch begins anew
    assert [p[0] for p in fold.snapshot(alive)["series"]["loss"]] == [1, 2]
    second.close()


def test_long_series_keep_their_ends_and_extremes(run: Run) -> None:
    reporter = begin(run)
    fold = SnapshotBuilder(run)
    for step in range(1, 5001):
        value = 1000.0 if step == 2345 else -1000.0 if step == 3456 else math.sin(step / 100)
        reporter.metric(step, 0.0, loss=value)
        if step % 500 == 0:
            fold.snapshot(alive)
    reporter.close()
    points = fold.snapshot(alive)["series"]["loss"]
    assert len(points) <= 300
    steps = [p[0] for p in points]
    assert steps == sorted(set(steps)) and steps[0] == 1 and steps[-1] == 5000
    assert [2345, 1000.0] in points and [3456, -1000.0] in points
    gaps = [b - a for a, b in zip(steps, steps[1:], strict=False)]
    assert max(gaps) < 100, "early and late stretches are drawn alike"


@pytest.mark.parametrize("count", [0, 1, 2, 299, 300, 301, 10_000])
def test_downsampling(count: int) -> None:
    points = [[float(i), float(-i)] for i in range(count)]
    kept = downsample(points, 300)
    assert len(kept) == min(count, len(kept)) <= 300
    assert kept[:1] == points[:1] and kept[-1:] == points[-1:]
    assert all(p in points for p in kept)
    if count <= 300:
        assert kept == points


def test_remaining_time_is_estimated_from_recent_steps(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = begin(run)
    now = time.time()
    # A slow beginning, then two steps a second.
    for n in range(100):
        moment = now + (n * 10.0 if n < 50 else 490.0 + (n - 49) * 0.5)
        monkeypatch.setattr("autotrain_gradio.runs.reporter.time.time", lambda moment=moment: moment)
        reporter._next_progress = 0.0
        reporter.progress(n + 1, 200, 0.0, 1.0)
    reporter.close()
    assert SnapshotBuilder(run).snapshot(alive)["progress"]["eta_seconds"] == pytest.approx(50.0, rel=0.02)


def test_a_silent_training_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = begin(run)
    fold = SnapshotBuilder(run)
    assert fold.snapshot(alive)["notes"] == []
    real = time.time()
    monkeypatch.setattr(module.time, "time", lambda: real + 1000.0)
    notes = fold.snapshot(alive)["notes"]
    assert notes[0]["level"] == "warning" and "16 minutes" in notes[0]["message"]
    reporter.metric(1, 0.0, loss=1.0)
    reporter.close()
    monkeypatch.setattr(module.time, "time", lambda: real + 1.0)
    assert fold.snapshot(alive)["notes"] == []


def test_damaged_lines_are_reported_and_the_rest_is_shown(run: Run) -> None:
    reporter = begin(run)
    reporter.metric(1, 0.0, loss=1.0)
    with run.events_path.open("ab") as file:
        file.write(b'garbage\n{"kind":"metric","attempt":1}\n{"kind":"error","attempt":1,"finding":null}\n')
    reporter.metric(2, 0.0, loss=0.5)
    reporter.state("completed")
    reporter.close()
    (run.directory / "report.json").write_text("{")
    found = SnapshotBuilder(run).snapshot(alive)
    assert found["state"] == "completed" and [p[0] for p in found["series"]["loss"]] == [1, 2]
    assert found["report"] is None
    assert any("report.json is damaged" in n["message"] for n in found["notes"])
    assert any("3 lines" in n["message"] for n in found["notes"])


def test_the_same_note_is_kept_once(run: Run) -> None:
    reporter = begin(run)
    for n in range(100):
        reporter.note("the same")
        reporter.note(f"note {n}")
    reporter.close()
    notes = SnapshotBuilder(run).snapshot(alive)["notes"]
    assert len(notes) <= 20 and [n["message"] for n in notes].count("the same") == 1


def test_a_run_cancelled_in_the_queue_has_no_start_time(run: Run) -> None:
    run.enqueue(resume=False)
    run.request_stop("me")
    found = SnapshotBuilder(run).snapshot(gone)
    assert found["state"] == "cancelled" and found["started"] is None and found["finished"]


def test_the_snapshot_of_an_ended_run_is_stored(run: Run) -> None:
    reporter = begin(run)
    for step in range(1, 1000):
        reporter.metric(step, 0.0, loss=1 / step)
    fold = SnapshotBuilder(run)
    fold.snapshot(alive)
    assert not (run.directory / "snapshot.json").exists()
    reporter.state("failed")
    reporter.close()
    ended = fold.snapshot(alive)
    later = SnapshotBuilder(run)
    assert later.snapshot(alive) == ended and later._tail.offset == 0
    begin(run, resume=True).close()
    assert later.snapshot(alive)["state"] == "running" and later.snapshot(alive)["attempt"] == 2
    assert later.snapshot(alive)["version"] > ended["version"]
    assert later.snapshot(alive)["series"] == fold.snapshot(alive)["series"] == ended["series"]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"key": [1], "value": {}}', '{"key": [1], "value": 3}'])
def test_a_damaged_stored_snapshot_is_rebuilt(run: Run, text: str) -> None:
    reporter = begin(run)
    reporter.state("completed")
    reporter.close()
    expected = SnapshotBuilder(run).snapshot(alive)
    (run.directory / "snapshot.json").write_text(text)
    found = SnapshotBuilder(run).snapshot(alive)
    assert {**found, "version": 0} == {**expected, "version": 0}


def test_the_number_of_cached_snapshots_is_limited(tmp_path: Path) -> None:
    snapshots, store = Snapshots(keep=3), Store(tmp_path)
    for _ in range(5):
        snapshots.get(store.create("toy", "me", SPEC), alive)
    assert len(snapshots._builders) == 3
