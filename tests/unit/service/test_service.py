"""The rules that only the service knows: who may do what, and what is refused."""

from __future__ import annotations

import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.backends.base import CallOptions
from autotrain_gradio.core.errors import DataError, Forbidden, NotFound, SpecError, StateError, WorkerError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.runs.record import write_json
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import resolve
from autotrain_gradio.ui.step_model import describe_steps

Start = Callable[..., str]
Until = Callable[..., dict[str, Any]]
IMAGES = "image-classification"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Service]:
    """A service behind a page that strangers can reach."""
    found = Service(Settings(home=tmp_path / "shared", shared=True), dispatch=False)
    yield found
    found.close()


def test_a_visitor_sees_and_changes_only_their_own_runs(shared: Service) -> None:
    spec = {"task": IMAGES, "model": "tiny", "data": {"source": "sample", "path": "shapes"}}
    mine = shared.start(shared.draft(IMAGES, "visitor:a"), spec, "visitor:a")
    assert [r["id"] for r in shared.runs("visitor:a")] == [mine] and shared.runs("visitor:b") == []
    seen = shared.snapshot(mine)
    assert seen and seen["state"] == "queued"
    for forbidden in (shared.stop, shared.resume, shared.delete, shared.clone, shared.archive, shared.publish):
        with pytest.raises(Forbidden):
            forbidden(mine, "visitor:b")
    with pytest.raises(Forbidden):
        shared.check(shared.draft(IMAGES, "visitor:a"), spec, "visitor:b")


def test_settings_of_the_form_are_saved_between_checks(service: Service) -> None:
    draft = service.draft(IMAGES)
    service.save(draft, {"task": IMAGES, "project_name": "first", "params": {"epochs": 7}, "data": {"path": "shapes"}})
    kept = service.draft_state(draft)["spec"]
    assert kept["project_name"] == "first" and kept["params"]["epochs"] == 7
    assert "data" not in kept  # nothing was checked yet
    with pytest.raises(SpecError):
        service.save(draft, {"task": IMAGES, "project_name": "../x"})
    assert service.draft_state(draft)["spec"]["project_name"] == "first"


def test_the_owner_of_a_run_is_recorded(shared: Service) -> None:
    mine = shared.start(
        shared.draft(IMAGES, "visitor:a"), {"task": IMAGES, "data": {"source": "sample", "path": "shapes"}}, "visitor:a"
    )
    assert shared.owns(mine, "visitor:a") and not shared.owns(mine, "visitor:b")
    assert not shared.owns("20260101-000000-x-aaaaaaaaaa", "visitor:a")


@pytest.mark.parametrize(
    "change",
    [{"data": {"source": "path", "path": "/etc"}}, {"data": {"path": "/etc"}}, {"data": {"path": "../x"}}],
    ids=["source", "absolute", "relative"],
)
def test_a_visitor_cannot_read_folders_of_the_server(shared: Service, change: dict[str, Any]) -> None:
    draft = shared.draft(IMAGES, "visitor:a")
    with pytest.raises(Forbidden) as caught:
        shared.check(draft, {"task": IMAGES, **change}, "visitor:a")
    assert caught.value.findings[0].code == "folder-refused"


def test_a_visitor_cannot_use_a_folder_of_the_server_as_a_model(shared: Service, tmp_path: Path) -> None:
    spec = {"task": IMAGES, "model": str(tmp_path), "data": {"source": "sample", "path": "shapes"}}
    with pytest.raises(Forbidden):
        shared.probe(spec, "visitor:a")


@pytest.mark.parametrize("model", ["../runs/x/model", "/etc", "~", "./a", "a/../b", "a/b/c", "x" * 300 + "/../.."])
def test_a_visitor_can_use_only_models_of_the_hub(shared: Service, model: str) -> None:
    spec = {"task": IMAGES, "model": model, "data": {"source": "sample", "path": "shapes"}}
    with pytest.raises(Forbidden):
        shared.start(shared.draft(IMAGES, "visitor:a"), spec, "visitor:a")


def test_a_run_of_a_visitor_does_not_get_the_token_of_the_server(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: Start, until: Until
) -> None:
    # The toy says what its worker's environment holds; the home is shared with a service of the owner.
    train = toys / "toy_task" / "train.py"
    told = 'print("token", os.environ.get("HF_TOKEN"), os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN")'
    train.write_text(train.read_text().replace('print("playing"', told))
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    visitors = Service(Settings(home=tmp_path / "home", shared=True), dispatch=False)
    spec = {"task": "toy-sorting", "data": {"source": "upload", "path": "x"}}
    run = visitors.start(visitors.draft("toy-sorting", "visitor:a"), spec, "visitor:a")
    done = until(run, "completed")  # started by the owner's service, which the fixture runs on that home
    log = visitors.log(done["id"])["text"]
    assert "token None 1" in log and "hf_owner" not in log
    visitors.close()


def test_a_check_of_other_settings_does_not_reach_a_started_run(
    service: Service, start: Start, until: Until, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    began, ended = threading.Event(), threading.Event()

    def slow(self: Any, directory: Path, verb: str, context: Any, options: CallOptions) -> Any:
        began.set()
        assert options.cancel is not None and options.cancel.wait(10)
        time.sleep(0.3)  # the worker takes a moment to die
        ended.set()
        raise WorkerError("It was cancelled.", code="cancelled")

    monkeypatch.setattr("autotrain_gradio.backends.local.backend.LocalBackend.call", slow)
    draft = service.draft("toy-sorting")
    spec = {"task": "toy-sorting", "data": {"source": "upload", "path": "x"}}
    failures: list[Exception] = []

    def check() -> None:
        try:
            service.check(draft, spec)
        except WorkerError as error:
            failures.append(error)

    thread = threading.Thread(target=check)
    thread.start()
    assert began.wait(10)
    service.start(draft, spec)
    assert ended.is_set()
    thread.join()
    assert [f.code for f in failures] == ["cancelled"]
    until(draft, "completed")


def test_a_damaged_run_can_be_deleted_and_is_hidden_from_visitors(
    service: Service, start: Start, until: Until, tmp_path: Path
) -> None:
    run = start()
    until(run, "completed")
    (service.store.get(run).directory / "spec.json").write_text('{"task": "toy')
    stranger = Service(Settings(home=tmp_path / "home", shared=True), dispatch=False)
    assert stranger.runs("visitor:b") == []
    stranger.close()
    later = Service(Settings(home=tmp_path / "home"), dispatch=False)  # one that has not read it before
    row = later.runs()[0]
    assert row["state"] == "unreadable" and row["can"]["delete"]
    later.delete(run)
    assert later.runs() == []
    later.close()


def test_a_failed_upload_keeps_the_earlier_one(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = service.draft("toy-sorting")
    (tmp_path / "good.toy").write_text("red")
    service.upload(draft, [tmp_path / "good.toy"])
    for name in ("one.toy", "two.toy"):
        (tmp_path / name).write_text("blue")
    original = shutil.move

    def full(source: Any, target: Any) -> Any:
        if Path(source).name == "two.toy":
            raise OSError(28, "No space left on device")
        return original(source, target)

    monkeypatch.setattr("autotrain_gradio.service.uploads.shutil.move", full)
    with pytest.raises(DataError, match="No space left"):
        service.upload(draft, [tmp_path / "one.toy", tmp_path / "two.toy"])
    assert [f["name"] for f in service.draft_state(draft)["files"]] == ["good.toy"]


@pytest.mark.parametrize("name", ["~nosuchuser/x", "x" * 3000])
def test_names_that_cannot_be_paths_are_refused(service: Service, name: str) -> None:
    spec = {"task": "toy-sorting", "model": name, "data": {"path": name}}
    draft = service.draft("toy-sorting")
    assert service.start(draft, spec) == draft


def test_yaml_of_a_visitor_cannot_read_environment_variables(shared: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "hf_owner")
    text = f"task: {IMAGES}\nhub: {{token: '${{SECRET_OF_THE_SERVER}}', username: '${{SECRET_OF_THE_SERVER}}'}}"
    spec, secrets = shared.parse_yaml(text)
    assert secrets.token is None and "hf_owner" not in str(spec)


def test_only_images_and_audio_are_served(service: Service) -> None:
    draft = service.draft("toy-sorting")
    folder = service.store.get(draft).directory
    (folder / "check").mkdir()
    (folder / "check" / "a.jpg").write_bytes(b"jpeg")
    assert service.file(draft, "check/a.jpg").read_bytes() == b"jpeg"
    predictions = service.store.get(draft).directory / "predictions"
    predictions.mkdir()
    (predictions / "a.jpg").write_bytes(b"boxes")
    (predictions / "a.csv").write_text("private")
    assert service.file(draft, "predictions/a.jpg").read_bytes() == b"boxes"
    with pytest.raises(NotFound):
        service.file(draft, "predictions/a.csv")
    (folder / "check" / "link.jpg").symlink_to("/etc/hostname")
    for path in (
        "draft.json",
        "../x",
        "check/../draft.json",
        "/etc/hostname",
        "check/link.jpg",
        "check",
        "",
        "log.txt",
    ):
        with pytest.raises(NotFound):
            service.file(draft, path)


@pytest.mark.parametrize("run", ["../../etc", "", "x", "20260101-000000-a-bbbbbbbbbb/..", None, 3])
def test_invalid_ids_are_refused(service: Service, run: Any) -> None:
    with pytest.raises(NotFound):
        service.snapshot(run)


def test_an_upload_replaces_the_earlier_one_and_is_limited(toys: Path, tmp_path: Path) -> None:
    service = Service(Settings(home=tmp_path / "home", limits=Limits(upload_bytes=10)), dispatch=False)
    draft = service.draft("toy-sorting")
    for name, text in (("a.toy", "red"), ("b.toy", "blue")):
        (tmp_path / name).write_text(text)
        service.upload(draft, [tmp_path / name])
        state = service.draft_state(draft)
        assert state["files"] == [{"name": name, "bytes": len(text)}]
        assert state["spec"]["data"] == {"source": "upload", "path": name}
        assert not (tmp_path / name).exists()
    (tmp_path / "large.toy").write_text("x" * 11)
    with pytest.raises(DataError, match="the limit is"):
        service.upload(draft, [tmp_path / "large.toy"])
    with pytest.raises(DataError):
        service.upload(draft, [])
    with pytest.raises(DataError, match="file 'gone.toy' does not exist"):
        service.upload(draft, [tmp_path / "gone.toy"])
    assert service.draft_state(draft)["files"][0]["name"] == "b.toy"
    service.close()


def test_a_started_draft_cannot_be_changed(service: Service, start: Start, until: Until, tmp_path: Path) -> None:
    run = start()
    until(run, "completed")
    (tmp_path / "a.toy").write_text("red")
    for change in (lambda: service.upload(run, [tmp_path / "a.toy"]), lambda: service.check(run, {"task": "toys"})):
        with pytest.raises(StateError, match="started already"):
            change()


def test_a_clone_has_the_settings_and_the_data_of_its_run(service: Service, start: Start, until: Until) -> None:
    run = start(steps=3, project_name="first")
    until(run, "completed")
    data = service.store.get(run).directory / "data"
    data.mkdir(exist_ok=True)
    (data / "rows").write_text("red")
    again = service.clone(run)
    state = service.draft_state(again)
    assert again != run and state["spec"]["project_name"] == "first" and state["spec"]["params"]["steps"] == 3
    copy = service.store.get(again).directory / "data" / "rows"
    assert copy.read_text() == "red" and copy.stat().st_ino == (data / "rows").stat().st_ino
    until(service.start(again, state["spec"]), "completed")


def test_export_and_archive_hold_the_model(service: Service, start: Start, until: Until, tmp_path: Path) -> None:
    run = start(project_name="box")
    until(run, "completed")
    assert zipfile.ZipFile(service.archive(run)).namelist() == ["box/box.txt"]
    assert (service.export(run, tmp_path / "out") / "box.txt").read_text() == "red"
    with pytest.raises(DataError, match="not an empty folder"):
        service.export(run, tmp_path / "out")


def test_a_crashed_predictor_is_reported_and_restarted(service: Service, start: Start, until: Until) -> None:
    run = start()
    until(run, "completed")
    first = service.predict(run, [{"text": "ball"}])[0]["pid"]
    assert service.predict(run, [{"text": "ball"}])[0]["pid"] == first
    with pytest.raises(Exception, match="without a result"):
        service.predict(run, [{"text": "crash"}])
    assert service.predict(run, [{"text": "ball"}])[0]["pid"] != first
    with pytest.raises(Exception, match="no toy"):
        service.predict(run, [{}])


def test_unknown_names_are_refused(service: Service) -> None:
    with pytest.raises(NotFound, match="Unknown task"):
        service.draft("toy-sortin")
    with pytest.raises(SpecError) as caught:
        service.check(service.draft("toy-sorting"), {"task": "toy-sorting", "backend": "lokal"})
    assert "local" in caught.value.findings[0].hint


def test_the_log_is_read_in_whole_lines_from_any_offset(service: Service, start: Start, until: Until) -> None:
    run = start()
    until(run, "completed")
    (service.store.get(run).directory / "log.txt").write_text("".join(f"line {i}\n" for i in range(100)))
    first = service.log(run, 0, 30)
    assert first["text"] == "line 0\nline 1\nline 2\nline 3\n" and first["offset"] == 28
    rest = service.log(run, first["offset"], 1 << 20)
    assert rest["text"].startswith("line 4\n") and rest["offset"] == rest["size"]
    assert service.log(run, -14)["text"].endswith("line 99\n")


def test_a_start_that_was_killed_between_its_steps_is_completed_by_the_next_start(
    shared: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {"task": IMAGES, "model": "tiny", "data": {"source": "sample", "path": "shapes"}}
    draft = shared.draft(IMAGES, "visitor:a")
    with monkeypatch.context() as killed:
        killed.setattr(shared._dispatcher, "enqueue", lambda *given, **more: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            shared.start(draft, spec, "visitor:a")
    frozen = shared.snapshot(draft)
    assert frozen and frozen["state"] == "draft"
    assert shared.start(draft, spec, "visitor:a") == draft
    assert shared.start(draft, spec, "visitor:a") == draft  # a double click
    queued = shared.snapshot(draft)
    assert queued and queued["state"] == "queued"
    assert len([c for c in shared.store.get(draft).controls() if c["kind"] == "queued"]) == 1


def test_a_queued_run_that_waits_for_its_token_can_be_resumed_with_it(shared: Service, tmp_path: Path) -> None:
    spec = {"task": IMAGES, "model": "tiny", "data": {"source": "sample", "path": "shapes"}}
    spec["hub"] = {"push_to_hub": True}
    run = shared.start(shared.draft(IMAGES, "visitor:a"), spec, "visitor:a", token="hf_first")
    before = shared.snapshot(run)
    assert before and not before["waiting_for_token"] and not before["can"]["resume"]
    restarted = Service(Settings(home=tmp_path / "shared", shared=True), dispatch=False)
    try:
        waits = restarted.snapshot(run)
        assert waits and waits["waiting_for_token"] and waits["needs_token"] and waits["can"]["resume"]
        restarted.stop(run, "visitor:a")
        stopped = restarted.snapshot(run)
        assert stopped and stopped["state"] == "cancelled" and stopped["needs_token"] and stopped["can"]["resume"]
        restarted.resume(run, "visitor:a", token="hf_again")
        queued = restarted.snapshot(run)
        assert queued and queued["state"] == "queued" and not queued["needs_token"] and not queued["can"]["resume"]
    finally:
        restarted.close()


@pytest.mark.parametrize(("processes", "steps"), [(None, 13), (2, 7)])
def test_the_estimate_counts_the_batches_of_all_processes(service: Service, processes: int | None, steps: int) -> None:
    draft = service.draft(IMAGES)
    spec = {"task": IMAGES, "params": {"batch_size": 8}, "resources": {"processes": processes}}
    write_json(service.store.get(draft).directory / "check.json", {"splits": {"train": 100}, "findings": []})
    assert service.estimate(draft, spec)["steps_per_epoch"] == steps


@pytest.mark.parametrize(("format", "examples"), [("pair", 600), ("triplet", 200), ("labelled", 100)])
def test_the_estimate_counts_the_examples_that_are_made_of_a_row(service: Service, format: str, examples: int) -> None:
    draft = service.draft("text-reranking")
    spec = {"task": "text-reranking", "params": {"batch_size": 8, "negatives": 5, "epochs": 2}}
    check = {"splits": {"train": 100}, "findings": [], "format": {"name": format}}
    write_json(service.store.get(draft).directory / "check.json", check)
    found = service.estimate(draft, spec)
    assert (found["train_rows"], found["examples"], found["steps"]) == (100, examples, 2 * -(-examples // 8))
    text = describe_steps(found)
    assert ("About" in text) == (examples != 100) and (f"{examples} training examples" in text) == (examples != 100)


def estimated(service: Service, task: str, **params: Any) -> dict[str, Any]:
    """Return the estimate of a draft with 100 checked rows, and its text as `text`."""
    draft = service.draft(task)
    check = {"splits": {"train": 100}, "findings": [], "format": {"name": "messages"}}
    write_json(service.store.get(draft).directory / "check.json", check)
    found = service.estimate(draft, {"task": task, "model": "tiny", "params": {"batch_size": 8, **params}})
    return {**found, "text": describe_steps(found), "draft": draft}


def test_the_estimate_stops_at_the_maximum_number_of_steps(service: Service) -> None:
    found = estimated(service, "llm-sft", epochs=4, max_steps=20)
    assert (found["steps"], found["steps_per_epoch"], found["epochs"]) == (20, 13, 1.54)
    assert "20 training steps: 1.54 epochs of 100 rows" in found["text"]
    assert estimated(service, "llm-sft", epochs=4)["steps"] == 52


def test_the_estimate_uses_what_a_preview_has_counted(service: Service) -> None:
    """Packing, chunks and dropped rows: only the tokens say how many training examples there are."""
    found = estimated(service, "llm-sft", packing=True, epochs=1)
    assert found["steps_per_epoch"] == 13 and found["text"].startswith("<p class='at-estimate'>About 13")
    assert "Packing makes fewer sequences of the rows. A preview counts" in found["text"]
    spec = {"task": "llm-sft", "model": "tiny", "params": {"batch_size": 8, "packing": True, "epochs": 1}}
    resolved = resolve(spec)
    names = resolved.task.previewed_params()
    params = {name: value for name, value in resolved.params.model_dump(mode="json").items() if name in names}
    assert "packing" in params
    directory = service.store.get(found["draft"]).directory
    write_json(directory / "examples.json", {"examples_per_row": 0.25, "model": "tiny", "params": params})
    counted = service.estimate(found["draft"], spec)
    assert (counted["examples"], counted["steps"], counted["uncounted"]) == (25, 4, "")
    for change in ({"block_size": 64}, {"packing": False}):
        other = {**spec, "params": {**spec["params"], **change}}
        assert service.estimate(found["draft"], other)["examples"] == 100, "the preview had other settings"
    assert service.estimate(found["draft"], {**spec, "model": "gpt2"})["examples"] == 100
    write_json(directory / "check.json", {"splits": {"train": 80}, "findings": []})
    assert service.estimate(found["draft"], spec)["examples"] == 80, "the data was checked again since"
    assert "are dropped" in estimated(service, "llm-dpo", too_long="drop")["uncounted"]


def test_a_probe_tries_a_step_as_long_as_the_rows_of_the_preview(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    def call(self: Any, folder: Path, verb: str, context: dict[str, Any], options: CallOptions) -> dict[str, Any]:
        sent.append(context)
        return {"findings": []}

    monkeypatch.setattr("autotrain_gradio.backends.local.backend.LocalBackend.call", call)
    draft = estimated(service, "llm-sft")["draft"]
    spec = {"task": "llm-sft", "model": "tiny", "params": {"batch_size": 8}}
    counted = {"examples_per_row": 1.0, "longest_example": 77, "model": "tiny", "params": {}}
    write_json(service.store.get(draft).directory / "examples.json", counted)
    service.probe(spec, step=True, draft=draft)
    service.probe({**spec, "model": "other"}, step=True, draft=draft)
    service.probe(spec)
    assert [context.get("longest") for context in sent] == [77, None, None]
    assert [context.get("step") for context in sent] == [True, True, None]
    assert sent[0]["memory"] == service.settings.limits.call_mebibytes * 2**20
