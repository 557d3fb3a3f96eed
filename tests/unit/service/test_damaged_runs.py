"""One damaged record is shown at its run; every other run is listed, shown, started and stopped as before."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.backends import Backends
from autotrain_gradio.core.errors import DataError, StateError
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.runs import bounded_calls, run_index, worker_lock
from autotrain_gradio.runs.record import Run
from autotrain_gradio.runs.run_index import RunIndex
from autotrain_gradio.runs.store import created_of
from autotrain_gradio.service import Service

Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]
GOOD = {"attempt": 1, "time": 1.0}


@pytest.fixture
def later(tmp_path: Path, service: Service) -> Iterator[Service]:
    """A service of another process on the same home, which has read nothing yet."""
    found = Service(Settings(home=tmp_path / "home"), dispatch=False)
    yield found
    found.close()


LINES = {
    "attempt is a text": {"kind": "queued", "attempt": "2", "time": 1.0},
    "attempt is true": {"kind": "queued", "attempt": True, "time": 1.0},
    "attempt is negative": {"kind": "queued", "attempt": -3, "time": 1.0},
    "attempt is huge": {"kind": "queued", "attempt": 10**30, "time": 1.0},
    "no time": {"kind": "queued", "attempt": 2},
    "time is a text": {"kind": "queued", "attempt": 2, "time": "now"},
    "time is null": {"kind": "started", "attempt": 1, "time": None},
    "time is infinite": {"kind": "queued", "attempt": 2, "time": float("inf")},
    "kind is a list": {**GOOD, "kind": ["queued"]},
    "reason is an object": {**GOOD, "kind": "interrupted", "reason": {"a": 1}},
    "a list": [1, 2],
}
EVENTS = {
    "state is a list": {**GOOD, "kind": "state", "state": ["running"]},
    "values is a list": {**GOOD, "kind": "metric", "step": 1, "values": [1]},
    "values is null": {**GOOD, "kind": "result", "values": None},
    "a metric is a text": {**GOOD, "kind": "metric", "step": 1, "values": {"loss": "low"}},
    "step is a text": {**GOOD, "kind": "progress", "step": "1", "total": 2, "epoch": 0, "epochs": 1},
    "total is missing": {**GOOD, "kind": "progress", "step": 1, "epoch": 0, "epochs": 1},
    "finding is a list": {**GOOD, "kind": "error", "finding": ["x"]},
    "message is a number": {**GOOD, "kind": "error", "finding": {"message": 5}},
    "panel is a text": {**GOOD, "kind": "sample", "step": 1, "panel": "x"},
    "note is an object": {**GOOD, "kind": "note", "message": {"a": 1}, "level": "info"},
    "path is a number": {**GOOD, "kind": "checkpoint", "step": 1, "path": 5},
}


@pytest.mark.parametrize(
    ("name", "line"),
    [("control.jsonl", v) for v in LINES.values()] + [("events.jsonl", v) for v in {**LINES, **EVENTS}.values()],
    ids=[f"control: {k}" for k in LINES] + [f"events: {k}" for k in {**LINES, **EVENTS}],
)
def test_a_line_of_the_wrong_shape_is_skipped_and_counted(tmp_path: Path, name: str, line: Any) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    run = _ended(service, tmp_path, "one")
    before = service.snapshot(run)
    assert before is not None and before["state"] == "completed"
    with (service.store.get(run).directory / name).open("a") as file:
        file.write(json.dumps(line) + "\n")
    found = Service(Settings(home=tmp_path / "home"), dispatch=False)
    shown = found.snapshot(run)
    assert shown is not None and shown["state"] == "completed" and shown["metrics"] == before["metrics"]
    assert [n["message"] for n in shown["notes"]] == [
        "1 line of the run's record cannot be read: some of its history is missing."
    ]
    assert found.runs()[0]["state"] == "completed"
    service.close()
    found.close()


def _ended(service: Service, tmp_path: Path, name: str) -> str:
    """Write the record of a completed run; return its id."""
    spec = {"task": "image-classification", "project_name": name, "model": "tiny", "data": {"path": "shapes"}}
    run = service.store.create("image-classification", "local", spec)
    run.freeze(spec)
    run.begin(run.enqueue(resume=False))
    events = [
        {"kind": "state", "state": "running"},
        {"kind": "metric", "step": 1, "epoch": 1, "values": {"loss": 0.5, "eval_accuracy": 0.9}},
        {"kind": "state", "state": "completed"},
    ]
    lines = [json.dumps({"v": 1, "seq": n, "attempt": 1, "time": time.time(), **e}) for n, e in enumerate(events)]
    run.events_path.write_text("\n".join(lines) + "\n")
    (run.directory / "model").mkdir()
    (run.directory / "model" / "weights").write_text("x")
    return run.id


DAMAGE: dict[str, Callable[[Path], Any]] = {
    "spec.json is missing": lambda d: (d / "spec.json").unlink(),
    "spec.json is null": lambda d: (d / "spec.json").write_text("null"),
    "spec.json is a list": lambda d: (d / "spec.json").write_text("[]"),
    "spec.json is torn": lambda d: (d / "spec.json").write_text('{"task": "im'),
    "spec.json is deep": lambda d: (d / "spec.json").write_text("[" * 100_000),
    "spec.json is a folder": lambda d: ((d / "spec.json").unlink(), (d / "spec.json").mkdir()),
    "created is a text": lambda d: _edit(d / "spec.json", created="yesterday"),
    "created is infinite": lambda d: _edit(d / "spec.json", created=float("inf")),
    "task is a list": lambda d: _edit(d / "spec.json", task=["x"]),
    "owner is null": lambda d: _edit(d / "spec.json", owner=None),
    "data is a list": lambda d: _edit(d / "spec.json", data=[1]),
    "project_name is a number": lambda d: _edit(d / "spec.json", project_name=7),
    "backend is an object": lambda d: _edit(d / "spec.json", backend={"a": 1}),
    "control.jsonl is a folder": lambda d: ((d / "control.jsonl").unlink(), (d / "control.jsonl").mkdir()),
    "events.jsonl is a folder": lambda d: ((d / "events.jsonl").unlink(), (d / "events.jsonl").mkdir()),
}


def _edit(path: Path, **change: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


@pytest.mark.parametrize("damage", list(DAMAGE))
def test_a_damaged_run_is_shown_as_unreadable_and_hides_no_other(tmp_path: Path, damage: str) -> None:
    settings = Settings(home=tmp_path / "home")
    service = Service(settings, dispatch=False)
    good, bad = _ended(service, tmp_path, "good"), _ended(service, tmp_path, "bad")
    assert {r["state"] for r in service.runs()} == {"completed"}
    DAMAGE[damage](settings.runs / bad)
    for found in (service, Service(settings, dispatch=False)):
        rows = {row["id"]: row for row in found.runs()}
        assert rows[good]["state"] == "completed" and rows[good]["best_metric"]["value"] == 0.9
        assert rows[bad]["state"] == "unreadable" and rows[bad]["reason"] and rows[bad]["can"]["delete"], rows[bad]
        assert found.snapshot(good)["state"] == "completed"  # type: ignore[index]
        found._dispatcher.dispatch()  # nor does it hold up the queue
    with pytest.raises(DataError):
        found.snapshot(bad)
    found.delete(bad)
    assert [r["id"] for r in found.runs()] == [good]
    service.close()
    found.close()


def test_a_run_without_settings_is_not_swept_away_as_a_draft(tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    run = _ended(service, tmp_path, "one")
    directory = service.store.get(run).directory
    (directory / "spec.json").unlink()
    for path in (directory / "draft.json", directory):
        os.utime(path, (1, 1))
    assert service.store.sweep(7, [run]) == 0 and directory.is_dir()
    service.close()


def test_a_report_or_a_stored_snapshot_of_the_wrong_shape_is_no_obstacle(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    service = Service(settings, dispatch=False)
    run = _ended(service, tmp_path, "one")
    directory = settings.runs / run
    first = service.snapshot(run)
    stored = json.loads((directory / "snapshot.json").read_text())
    stored["value"] = {"state": "completed"}
    (directory / "snapshot.json").write_text(json.dumps(stored))
    (directory / "report.json").write_text('{"kind": "numbers"}')
    found = Service(settings, dispatch=False)
    again = found.snapshot(run)
    assert first and again and again["metrics"] == first["metrics"] and again["report"] is None
    assert "report.json is damaged: it is not a list of panels" in again["notes"][0]["message"]
    service.close()
    found.close()


@pytest.mark.parametrize("how", ["missing", "empty", "a file"])
def test_a_model_that_is_missing_is_named(tmp_path: Path, how: str) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    run = _ended(service, tmp_path, "one")
    model = service.store.get(run).directory / "model"
    shutil.rmtree(model)
    if how == "empty":
        model.mkdir()
    elif how == "a file":
        model.write_text("x")
    shown = service.snapshot(run)
    assert shown is not None and not shown["can"]["predict"] and not shown["can"]["download"]
    assert "The model of this run is missing" in shown["notes"][-1]["message"]
    for call in (service.archive, lambda r: service.export(r, tmp_path / "out"), lambda r: service.predict(r, [{}])):
        with pytest.raises(StateError, match="model of this run is missing"):
            call(run)
    service.close()


@pytest.mark.parametrize("content", ["null", "[]", '{"attempt": 1, "pid": "7"}', '{"attempt": 1', '{"attempt": null}'])
def test_a_damaged_record_of_the_worker_starts_no_second_training_beside_it(
    service: Service, start: Start, until: Until, content: str
) -> None:
    first = start(steps=1000, step_seconds=0.02)
    until(first, "running")
    directory = service.store.get(first).directory
    assert worker_lock.is_held(directory)
    (directory / "backend.json").write_text(content)
    second = start(steps=1)
    time.sleep(1.5)  # three rounds of the queue
    assert service.snapshot(first)["state"] == "running"  # type: ignore[index]
    assert service.snapshot(second)["state"] == "queued"  # type: ignore[index]
    service.stop(first)
    until(first, "cancelled")
    until(second, "completed")


def test_a_worker_without_a_record_that_does_not_stop_is_killed_through_its_lock(
    service: Service, start: Start, until: Until
) -> None:
    run = start(steps=10_000, step_seconds=0.02)
    until(run, "running")
    directory = service.store.get(run).directory
    pid = worker_lock.holder(directory)
    assert pid is not None and pid == json.loads((directory / "backend.json").read_text())["pid"]
    (directory / "backend.json").write_text("null")
    Backends(service.settings).get().signal(directory, hard=False)
    until(run, "cancelled")


# -- copies


@pytest.mark.parametrize("version", ["this", "earlier"])
def test_stopping_the_copy_of_a_live_run_leaves_the_original_alone(
    service: Service, start: Start, until: Until, tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded_calls, "SECONDS", 20.0)  # a busy machine is not a drive that does not respond
    run = start(steps=3000, step_seconds=0.01)
    until(run, "running")
    original = service.store.get(run).directory
    home = Settings(home=tmp_path / "other", limits=service.settings.limits)
    shutil.copytree(original, home.runs / run)
    record = json.loads((original / "backend.json").read_text())
    if version == "earlier":
        kept = {k: v for k, v in record.items() if k not in {"folder", "inode", "machine"}}
        (home.runs / run / "backend.json").write_text(json.dumps(kept))
    other = Service(home)
    try:
        snapshot = other.snapshot(run)
        assert snapshot is not None and snapshot["state"] == "interrupted"
        if version == "this":
            assert "copied from a run that was live" in snapshot["reason"]["message"]
            assert str(original) in snapshot["reason"]["message"]
        for hard in (False, True):
            Backends(home).get().signal(home.runs / run, hard=hard)
        with pytest.raises(StateError):
            other.stop(run)
        time.sleep(0.3)
        assert psutil.Process(record["pid"]).is_running()
        assert service.snapshot(run)["state"] == "running"  # type: ignore[index]
    finally:
        other.close()
    service.stop(run)
    until(run, "cancelled")


def test_a_live_run_whose_home_is_moved_is_still_its_workers(
    service: Service, start: Start, until: Until, tmp_path: Path
) -> None:
    run = start(steps=2000, step_seconds=0.01)
    until(run, "running")
    pid = json.loads((service.store.get(run).directory / "backend.json").read_text())["pid"]
    service.close()
    (tmp_path / "home").rename(tmp_path / "moved")
    moved = Service(Settings(home=tmp_path / "moved"), dispatch=False)
    snapshot = moved.snapshot(run)
    assert snapshot is not None and snapshot["state"] == "running"
    Backends(moved.settings).get().signal(moved.settings.runs / run, hard=True)
    for _ in range(100):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                break
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    else:
        os.kill(pid, signal.SIGKILL)
        raise AssertionError("the worker was not found")
    moved.close()


# -- files that do not respond


def test_a_run_whose_files_hang_is_shown_and_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_calls, "SECONDS", 0.3)
    settings = Settings(home=tmp_path / "home")
    writer = Service(settings, dispatch=False)
    good, bad = _ended(writer, tmp_path, "good"), _ended(writer, tmp_path, "bad")
    path = settings.runs / bad / "spec.json"
    content = path.read_text()
    path.unlink()
    os.mkfifo(path)  # opening it for reading waits, as on a network drive that does not respond
    found = Service(settings, dispatch=False)
    began = time.monotonic()
    rows = {r["id"]: r for r in found.runs()}
    assert time.monotonic() - began < 2.0
    assert rows[good]["state"] == "completed" and rows[bad]["state"] == "unreadable"
    assert "do not respond" in rows[bad]["reason"] and not rows[bad]["can"]["delete"]
    began = time.monotonic()
    assert len(found.runs()) == 2 and found.snapshot(good)
    with pytest.raises(DataError, match="do not respond"):
        found.snapshot(bad)
    assert time.monotonic() - began < 0.25  # it is not waited for again
    with path.open("w") as file:  # it responds: the threads that wait return
        file.write(content)
    path.unlink()
    path.write_text(content)
    for _ in range(100):
        if {r["state"] for r in found.runs()} == {"completed"}:
            break
        time.sleep(0.05)
    else:
        raise AssertionError(found.runs())
    writer.close()
    found.close()


# -- the index


def test_the_index_is_derived_and_sees_what_other_processes_change(
    tmp_path: Path, later: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path / "home")
    writer = Service(home, dispatch=False)
    runs = [_ended(writer, tmp_path, f"run-{n}") for n in range(5)]
    assert {r["id"] for r in later.runs()} == set(runs)
    later.close()
    index = home.home / "runs-index.json"
    assert _entries_of(index) == 5
    read: list[str] = []
    real = Service._entry
    monkeypatch.setattr(Service, "_entry", lambda self, run: (read.append(run.id), real(self, run))[1])

    def listed() -> dict[str, Any]:
        found = Service(home, dispatch=False)
        rows = {r["id"]: r for r in found.runs()}
        found.close()
        return rows

    assert set(listed()) == set(runs)
    read.clear()
    assert set(listed()) == set(runs) and read == []  # nothing has changed: no run is read
    writer.store.get(runs[2]).enqueue(resume=True)
    _edit(home.runs / runs[3] / "spec.json", project_name="renamed")
    shutil.rmtree(home.runs / runs[4])
    rows = listed()
    assert rows[runs[2]]["state"] == "queued" and rows[runs[3]]["project_name"] == "renamed"
    assert runs[4] not in rows and set(read) == {runs[2], runs[3]}
    stored = index.read_text()
    damaged = (stored[:-1], stored.replace("completed", "failed"), stored.partition("\n")[0], stored.partition("\n")[2])
    for content in ("", "null", "[]", '{"v": 2, "runs": {"x": [1, {}]}}', '{"v": 3}', *damaged):
        index.write_text(content)
        assert listed() == rows
    index.unlink()
    assert listed() == rows and index.is_file()
    writer.close()


def _entries_of(index: Path) -> int:
    """Return the number of entries in a file of the index."""
    return sum("\t" in line for line in index.read_text().splitlines())


def _read_slowly(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let the index read two runs, and then the others once the returned event is set."""
    monkeypatch.setattr(run_index, "CHUNK", 2)
    monkeypatch.setattr("autotrain_gradio.service.runs.WAIT_SECONDS", 0.3)
    go, read, real = threading.Event(), 0, Service._entry

    def entry(self: Service, run: Run) -> dict[str, Any]:
        nonlocal read
        read += 1
        if read > 2:
            go.wait(20)
        return real(self, run)

    monkeypatch.setattr(Service, "_entry", entry)
    return go


def test_a_page_of_the_list_does_not_wait_until_all_runs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Service(Settings(home=tmp_path / "home"), dispatch=False)
    runs = [_ended(writer, tmp_path, f"run-{n}") for n in range(6)][::-1]
    writer.close()
    go = _read_slowly(monkeypatch)
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    page = service.runs_page(limit=3)
    assert [r["id"] for r in page["rows"]] == runs[:2] and page["unread"] == 4 and page["total"] == 2
    go.set()
    assert [r["id"] for r in service.runs()] == runs  # waits for all
    page = service.runs_page(limit=3)
    assert [r["id"] for r in page["rows"]] == runs[:3] and page["unread"] == 0 and page["total"] == 6
    service.close()


def test_an_index_that_is_not_finished_is_continued_by_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path / "home")
    writer = Service(home, dispatch=False)
    runs = [_ended(writer, tmp_path, f"run-{n}") for n in range(6)]
    writer.close()
    go = _read_slowly(monkeypatch)
    service = Service(home, dispatch=False)
    assert service.runs_page()["unread"] == 4
    service.close()  # does not wait for the others
    go.set()
    assert 0 < _entries_of(home.home / "runs-index.json") < 6
    later = Service(home, dispatch=False)
    assert {r["id"] for r in later.runs()} == set(runs)
    later.close()


def test_an_error_of_the_thread_that_makes_the_index_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)

    def refuse() -> list[str]:
        raise PermissionError("no")

    monkeypatch.setattr(service.store, "names", refuse)
    with pytest.raises(PermissionError):
        service.runs_page()
    monkeypatch.undo()
    assert service.runs_page()["unread"] == 0
    service.close()


def test_a_page_of_the_list_is_current_and_knows_the_number_of_runs(tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    runs = [_ended(service, tmp_path, f"run-{n}") for n in range(7)][::-1]
    page = service.runs_page(offset=3, limit=3)
    assert [r["id"] for r in page["rows"]] == runs[3:6] and page["total"] == 7 and page["offset"] == 3
    assert service.runs_page(offset=99, limit=3)["offset"] == 6
    assert service.runs_page(offset=-5, limit=3)["offset"] == 0
    # Changed by a program that tells nobody.
    _edit(service.store.get(runs[4]).directory / "spec.json", project_name="renamed")
    assert service.runs_page(offset=3, limit=3)["rows"][1]["project_name"] == "renamed"
    empty = Service(Settings(home=tmp_path / "none"), dispatch=False)
    assert empty.runs_page() == {"rows": [], "total": 0, "offset": 0, "unread": 0}
    service.close()
    empty.close()


def test_an_unreadable_run_keeps_its_place_in_the_list(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    service = Service(settings, dispatch=False)
    runs = [_ended(service, tmp_path, f"run-{n}") for n in range(3)]
    for n, run in enumerate(runs):  # a day apart
        name = f"2026010{n + 1}-120000{run[15:]}"
        (settings.runs / run).rename(settings.runs / name)
        _edit(settings.runs / name / "spec.json", created=created_of(name))
        runs[n] = name
    (settings.runs / runs[1] / "spec.json").write_text("null")
    assert [r["id"] for r in service.runs()] == runs[::-1]
    service.close()


def test_a_refresh_of_many_ended_runs_compares_some_of_them_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Settings(home=tmp_path / "home"), dispatch=False)
    for n in range(12):
        _ended(service, tmp_path, f"run-{n}")
    monkeypatch.setattr(run_index, "MIN_SLICE", 3)
    monkeypatch.setattr(run_index, "SLICE_SECONDS", 0.0)
    compared: list[int] = []
    real = RunIndex._read_changed
    monkeypatch.setattr(RunIndex, "_read_changed", lambda self, runs: (compared.append(len(runs)), real(self, runs))[1])
    service._index.refresh()
    service._index.refresh()
    assert compared == [12, 3]
    run = service.store.names()[-1]  # the last one in the order
    _edit(service.store.get(run).directory / "spec.json", project_name="renamed")
    names = []
    for _ in range(4):
        service._index.refresh()
        names.append(dict(service._index.entries())[run]["project_name"])
    assert names[-1] == "renamed"
    service.close()


def test_a_new_process_compares_the_runs_that_it_shows_unless_one_was_started_or_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings(home=tmp_path / "home")
    writer = Service(home, dispatch=False)
    runs = [_ended(writer, tmp_path, f"run-{n}") for n in range(6)][::-1]
    writer.runs()
    writer.close()
    written = (home.home / "runs-index.json").stat().st_mtime_ns
    compared: list[str] = []
    real = RunIndex._read_changed
    monkeypatch.setattr(RunIndex, "_read_changed", lambda self, runs: (compared.extend(runs), real(self, runs))[1])

    def listed() -> list[dict[str, Any]]:
        compared.clear()
        found = Service(home, dispatch=False)
        rows = found.runs(limit=2)
        found.close()
        return rows

    _edit(home.runs / runs[1] / "spec.json", project_name="renamed")
    rows = listed()
    assert [r["project_name"] for r in rows] == ["run-5", "renamed"] and compared == runs[:2]
    assert (home.home / "runs-index.json").stat().st_mtime_ns > written
    writer.store.get(runs[5]).enqueue(resume=True)
    listed()
    assert set(compared) == set(runs)
    listed()
    assert set(compared) == {*runs[:2], runs[5]}  # the queued one is in no file
