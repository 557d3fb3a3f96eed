"""The files of a run: written whole, read in part, damaged, torn, locked and gone."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autotrain_gradio.core.errors import DataError, NotFound, StateError
from autotrain_gradio.runs import files, worker_lock
from autotrain_gradio.runs.files import Tail, append_line, read_lines, truncate_torn_line, write_json
from autotrain_gradio.runs.record import Run, StateReader
from autotrain_gradio.runs.store import ID, Store

SPEC = {"task": "toy", "project_name": "A Toy / with ../ parts"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def run(store: Store) -> Run:
    return store.create("toy", "me", SPEC)


def queued(attempt: int = 1) -> dict[str, object]:
    return {"kind": "queued", "attempt": attempt, "time": 1.0}


# -- lines


def test_an_incomplete_last_line_is_read_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append_line(path, queued(1))
    with path.open("ab") as file:
        file.write(b'{"kind": "queued", "att')
    tail = Tail(path)
    assert [r["attempt"] for r in tail.read()[0]] == [1]
    with path.open("ab") as file:
        file.write(b'empt": 2, "time": 1}\n')
    assert [r["attempt"] for r in tail.read()[0]] == [2]
    assert tail.read() == ([], False) and tail.damaged == 0


def test_an_append_after_an_incomplete_line_starts_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / "control.jsonl"
    path.write_bytes(b'{"kind": "queued"')
    append_line(path, queued(7))
    tail = Tail(path)
    assert [r["attempt"] for r in tail.read()[0]] == [7]
    assert tail.damaged == 1


@pytest.mark.parametrize("size", [0, 1, 100, 65_535, 65_536, 65_537, 200_000])
def test_an_incomplete_line_of_any_length_is_truncated(tmp_path: Path, size: int) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"a": 1}\n' + b"x" * size)
    truncate_torn_line(path)
    assert path.read_bytes() == b'{"a": 1}\n'
    path.write_bytes(b"x" * size)
    truncate_torn_line(path)
    assert path.read_bytes() == b""


def test_invalid_lines_are_counted_and_skipped(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b'nonsense\n[1]\n"text"\n{"kind": 1, "attempt": 1}\n{"kind": "x"}\n\xff\xfe\n'
        + b'{"kind": "x", "attempt": 1, "time": 5}\n'
    )
    tail = Tail(path)
    assert tail.read()[0] == [{"kind": "x", "attempt": 1, "time": 5}]
    assert tail.damaged == 6


def test_a_replaced_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for attempt in (1, 2, 3):
        append_line(path, queued(attempt))
    tail = Tail(path)
    tail.read()
    path.unlink()
    append_line(path, queued(9))
    records, again = tail.read()
    assert again and [r["attempt"] for r in records] == [9]


def test_a_short_write_leaves_no_partial_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "control.jsonl"
    append_line(path, queued(1))
    before, real = path.read_bytes(), os.write
    calls = []

    def short(handle: int, data: bytes) -> int:
        calls.append(data)
        return real(handle, data[:5] if len(calls) == 1 else data)  # space was freed in the meantime

    monkeypatch.setattr(files.os, "write", short)
    with pytest.raises(OSError, match="No space") as caught:
        append_line(path, queued(2))
    assert caught.value.errno == errno.ENOSPC and path.read_bytes() == before
    append_line(path, queued(2))
    assert [json.loads(line)["attempt"] for line in path.read_text().splitlines()] == [1, 2]


def test_json_files_are_replaced_atomically(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["spec.json"]


WRITER = """
import sys
from pathlib import Path
from autotrain_gradio.runs.record import Run
run = Run(Path(sys.argv[1]))
for n in range(200):
    run.control("note", int(sys.argv[2]), n=n, text="x" * 500)
"""


def test_two_processes_append_to_the_control_file(run: Run) -> None:
    command = [sys.executable, "-c", WRITER, str(run.directory)]
    writers = [subprocess.Popen([*command, str(n)]) for n in (1, 2)]
    assert [w.wait(timeout=60) for w in writers] == [0, 0]
    controls = run.controls()
    assert len(controls) == 400
    for attempt in (1, 2):
        assert [c["n"] for c in controls if c["attempt"] == attempt] == list(range(200))


# -- a run


def test_a_spec_is_frozen_once(run: Run) -> None:
    assert run.freeze({"task": "toy", "model": "one"})
    assert not run.freeze({"task": "toy", "model": "two"})
    spec = run.spec()
    assert spec["model"] == "one" and spec["owner"] == "me" and spec["id"] == run.id


def test_control_lines_of_an_attempt_are_written_once(run: Run) -> None:
    assert run.enqueue(resume=False) == 1
    assert run.enqueue(resume=True) == 1
    begun = run.begin(1)
    assert begun is not None and begun["resume"] is False
    assert run.begin(1) is None
    run.request_stop("me")
    run.request_stop("me")
    assert [c["kind"] for c in run.controls()] == ["queued", "started", "stop"]
    assert run.record_interruption(1, "killed") and not run.record_interruption(1, "again")
    run.request_stop("me")
    assert run.enqueue(resume=True) == 2
    run.request_stop("me")
    assert run.begin(2) is None
    assert run.state().name == "cancelled"
    assert [c["kind"] for c in run.controls()] == ["queued", "started", "stop", "interrupted", "queued", "cancelled"]


def test_a_killed_worker_has_the_kill_as_its_reason(run: Run) -> None:
    run.enqueue(resume=False)
    run.begin(1)
    run.control("kill", 1, reason="it did not stop within 60 s")
    run.record_interruption(1, "The process was killed (SIGKILL).", "Most likely the memory ran out.")
    state = run.state()
    assert "did not stop within 60 s" in state.reason and "memory" not in state.hint


def test_a_terminal_state_is_final(run: Run) -> None:
    run.enqueue(resume=False)
    run.begin(1)
    append_line(run.events_path, {"kind": "state", "attempt": 1, "time": 1.0, "state": "completed"})
    assert not run.record_interruption(1)
    assert run.state().name == "completed"


def test_the_state_reader_continues_at_its_offset(run: Run) -> None:
    reader = StateReader(run)
    assert reader.read().name == "draft"
    run.enqueue(resume=False)
    run.begin(1)
    assert reader.read().name == "preparing"
    append_line(run.events_path, {"kind": "state", "attempt": 1, "time": 1.0, "state": "running"})
    for n in range(100):
        append_line(run.events_path, {"kind": "metric", "attempt": 1, "values": {"state": n}})
    assert reader.read() == run.state() and reader.read().name == "running"
    assert reader.read(alive=False).name == "interrupted"
    assert reader.read().name == "running"


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "{}", '{"task": 1, "owner": "me", "created": 1, "spec": {}}'])
@pytest.mark.parametrize("name", ["draft.json", "spec.json"])
def test_a_damaged_file_is_named_in_the_error(run: Run, name: str, text: str) -> None:
    (run.directory / name).write_text(text)
    with pytest.raises(DataError, match=name) as caught:
        run.spec() if name == "spec.json" else run.draft()
    assert caught.value.code == "damaged-record" and "delete the run" in caught.value.hint


def test_a_deleted_run_is_not_created_again(run: Run, store: Store) -> None:
    store.delete(run)
    for act in (
        lambda: run.enqueue(resume=False),
        lambda: run.control("stop", 1),
        lambda: run.request_stop("me"),
        run.draft,
    ):
        with pytest.raises(NotFound):
            act()
    assert run.state().name == "draft" and not run.directory.exists()


def test_a_record_locked_by_another_process_is_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    monkeypatch.setattr("autotrain_gradio.runs.record.LOCK_SECONDS", 0.2)
    with FileLock(run.directory / "control.lock"), pytest.raises(StateError, match="locked by another process"):
        run.control("stop", 1)


# -- the store


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "20260101-000000-x-aaaaaaaaaa/../..",
        "20260101-000000-x-aaaaaaaaaa\n",
        "20260101-000000-x-aaaaaaaaaA",
        "20260101-000000-x-aaaaaaaaa1",
        "\u0662\u0660260101-000000-x-aaaaaaaaaa",
        "x" * 100_000,
        None,
        7,
    ],
)
def test_invalid_ids_are_not_found(store: Store, name: object, tmp_path: Path) -> None:
    for existing in ("20260101-000000-x-aaaaaaaaaA", "20260101-000000-x-aaaaaaaaa1"):
        (store.folder / existing).mkdir(parents=True)
    with pytest.raises(NotFound, match="The run .* does not exist") as caught:
        store.get(name)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 300 and "\n" not in caught.value.message


def test_ids_sort_by_time_and_are_random(store: Store) -> None:
    runs = [store.create("toy", "me", {"project_name": name}) for name in ("Ünï ça va?", "🙂", "x" * 300)]
    assert all(ID.fullmatch(r.id) for r in runs)
    assert len({r.id[-10:] for r in runs}) == 3
    assert all(store.get(r.id).directory == r.directory for r in runs)
    assert store.names() == sorted((r.id for r in runs), reverse=True)


def test_an_active_run_is_not_deleted_and_a_queued_one_is(store: Store) -> None:
    run = store.create("toy", "me", SPEC)
    run.freeze(SPEC)
    run.enqueue(resume=False)
    run.begin(1)
    with pytest.raises(StateError, match="Stop it first"):
        store.delete(run)
    waiting = store.create("toy", "me", SPEC)
    waiting.enqueue(resume=False)
    store.delete(waiting)
    with pytest.raises(NotFound):
        store.delete(waiting)
    assert store.names() == [run.id]
    assert not any(p.name.startswith(".") for p in store.folder.iterdir())


def test_the_sweep_removes_only_old_drafts_and_leftovers(store: Store) -> None:
    old, fresh, started, headless = (store.create("toy", "me", SPEC) for _ in range(4))
    started.freeze(SPEC)
    (headless.directory / "draft.json").unlink()
    long_ago = time.time() - 10 * 86400
    for run in (old, started):
        os.utime(run.directory / "draft.json", (long_ago, long_ago))
    os.utime(headless.directory, (long_ago, long_ago))
    (store.folder / ".deleted-x").mkdir()
    assert store.sweep(7, store.names()) == 2
    assert set(store.names()) == {fresh.id, started.id}
    assert not (store.folder / ".deleted-x").exists()


def test_an_empty_home_has_no_runs(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").names() == []
    assert read_lines(tmp_path / "nothing.jsonl") == ([], 0)


HOLDER = """
import os, sys, time
from pathlib import Path
from autotrain_gradio.runs import worker_lock
print(worker_lock.acquire(Path(sys.argv[1])), flush=True)
if os.fork() == 0:
    time.sleep(20)
    os._exit(0)
sys.stdin.readline()
os._exit(0)
"""


def test_the_worker_lock_is_released_with_the_worker_and_not_inherited(tmp_path: Path) -> None:
    assert not worker_lock.is_held(tmp_path)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert holder.stdin and holder.stdout
    try:
        assert holder.stdout.readline() == "True\n"
        assert worker_lock.is_held(tmp_path)
        assert not worker_lock.acquire(tmp_path, seconds=0.1)
        holder.stdin.write("\n")
        holder.stdin.flush()
        holder.wait(timeout=10)
        assert not worker_lock.is_held(tmp_path)
    finally:
        os.killpg(holder.pid, 9)
        holder.stdin.close()
        holder.stdout.close()
