"""Calls into worker processes: what they answer, and that they end, whatever they do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.backends import process
from autotrain_gradio.backends.base import Allocation, Attempt, CallOptions
from autotrain_gradio.backends.calls import call, stream
from autotrain_gradio.backends.local.backend import LocalBackend
from autotrain_gradio.backends.warm import WarmWorkers
from autotrain_gradio.core.errors import UserError, WorkerError
from autotrain_gradio.core.settings import Limits, Settings
from autotrain_gradio.runs import wire
from autotrain_gradio.worker.ranks import Ranks

PREVIEW = '''
import time

def preview(draft, spec, params, context):
    """Do what the context says."""
    do = context["do"]
    (draft / "pid").write_text(str(os.getpid()))
    if do == "answer":
        return [{"kind": "markdown", "text": context["text"]}]
    if do == "user":
        raise UserError("The toy is broken.", "Mend it.", "toy 2", "broken")
    if do == "bug":
        return 1 / 0
    if do == "unsendable":
        return object()
    if do == "memory":
        held = [bytearray(50_000_000) for _ in range(20)]
        time.sleep(60)
    if do == "sleep":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (draft / "pids").write_text(f"{os.getpid()} {child.pid}")
        time.sleep(60)
    if do == "hold":  # the interpreter lock, for ever
        (draft / "pids").write_text(str(os.getpid()))
        import re
        re.match("(a+)+$", "a" * 60 + "b")
    if do == "exit":
        print("so long")
        os._exit(3)
    if do == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "abort":
        print('@autotrain {"kind": "progress", "message": "Reading a.xlsx", "fraction": 0.5}', flush=True)
        os.abort()
    if do == "leave":  # with a child that holds the output open
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        os._exit(4)
    if do == "garbage":
        sys.stdout.write("x" * 3_000_000)
        sys.stdout.write('\\n@autotrain {"kind": "result"}\\n@autotrain {broken\\n@autotrain [1]\\n')
        sys.stdout.write('@autotrain {"kind": "progress"}\\n\\xff')
        sys.stdout.buffer.write(b"\\xff\\xfe\\n")
        sys.stdout.write("no line break")
        return ["clean"]
    if do == "progress":
        print('@autotrain {"kind": "progress", "message": "half", "fraction": 0.5}', flush=True)
        time.sleep(60)
    if do == "found":
        print('@autotrain {"kind": "found", "value": {"rows": 3}}', flush=True)
        return ["done"]
    if do == "environment":
        return [dict(os.environ)]
    raise AssertionError(do)
'''
SPEC = {"task": "toy-sorting"}
LIMITS = Limits(call_seconds=30.0, call_mebibytes=2000, predict_seconds=30.0)


@pytest.fixture
def draft(toys: Path, tmp_path: Path) -> Path:
    """A folder to call verbs in, with a preview that does what it is told."""
    train = toys / "toy_task" / "train.py"
    train.write_text(train.read_text() + PREVIEW)
    folder = tmp_path / "draft"
    folder.mkdir()
    return folder


def preview(draft: Path, do: str, *, limits: Limits = LIMITS, **more: Any) -> Any:
    text = more.pop("text", "")
    return call(draft, "preview", {"spec": SPEC, "do": do, "text": text}, limits=limits, **more)


def ended(pid: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def wait_for(path: Path, seconds: float = 20.0) -> str:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def test_a_call_returns_the_result_of_the_verb(draft: Path) -> None:
    text = "ünï\n@autotrain " * 20_000  # longer than a pipe's buffer
    assert preview(draft, "answer", text=text) == [{"kind": "markdown", "text": text}]
    assert ended(int((draft / "pid").read_text()))


def test_a_user_error_is_raised_with_its_findings(draft: Path) -> None:
    with pytest.raises(UserError) as caught:
        preview(draft, "user")
    finding = caught.value.findings[0]
    assert (finding.code, finding.message, finding.hint, finding.where) == (
        "broken",
        "The toy is broken.",
        "Mend it.",
        "toy 2",
    )


@pytest.mark.parametrize(("do", "text"), [("bug", "ZeroDivisionError: division by zero"), ("unsendable", "TypeError")])
def test_a_bug_is_a_finding_without_a_traceback(draft: Path, do: str, text: str) -> None:
    with pytest.raises(UserError) as caught:
        preview(draft, do)
    assert caught.value.code == "bug" and text in caught.value.message
    assert "Traceback" not in str(caught.value)


def test_a_call_over_the_time_limit_is_killed_with_its_process_group(draft: Path) -> None:
    began = time.monotonic()
    with pytest.raises(WorkerError, match="time limit of 3 seconds") as caught:
        preview(draft, "sleep", limits=Limits(call_seconds=3.0))
    assert caught.value.code == "out-of-time" and time.monotonic() - began < 10
    assert all(ended(int(pid)) for pid in (draft / "pids").read_text().split())


def test_errors_of_ended_workers_have_their_last_activity(draft: Path) -> None:
    with pytest.raises(WorkerError, match="time limit of 5 seconds.*Its last activity: half") as caught:
        preview(draft, "progress", limits=Limits(call_seconds=5.0))
    assert caught.value.code == "out-of-time"
    with pytest.raises(WorkerError, match=r"SIGABRT.*Its last activity: Reading a\.xlsx"):
        preview(draft, "abort")


def test_a_call_over_the_memory_limit_is_killed(draft: Path) -> None:
    with pytest.raises(WorkerError, match="more than 400 MiB") as caught:
        preview(draft, "memory", limits=Limits(call_seconds=30.0, call_mebibytes=400))
    assert caught.value.code == "out-of-memory"
    assert ended(int((draft / "pid").read_text()))


def test_a_cancelled_call_is_killed_with_its_process_group(draft: Path) -> None:
    cancel, caught = threading.Event(), []

    def work() -> None:
        try:
            preview(draft, "sleep", cancel=cancel)
        except WorkerError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    pids = wait_for(draft / "pids").split()
    cancel.set()
    thread.join(timeout=5)
    assert not thread.is_alive() and caught[0].code == "cancelled"
    assert all(ended(int(pid)) for pid in pids)


@pytest.mark.parametrize(
    ("do", "text", "hint"),
    [
        ("exit", "exited with status 3 before it was done. Last line of its output: so long", "report it"),
        ("kill", "SIGKILL", "memory ran out"),
        ("leave", "status 4", "report it"),
    ],
)
def test_the_error_of_a_dead_worker_has_its_reason(draft: Path, do: str, text: str, hint: str) -> None:
    began = time.monotonic()
    with pytest.raises(WorkerError) as caught:
        preview(draft, do)
    assert caught.value.code == "worker-died" and text in caught.value.message and hint in caught.value.hint
    assert time.monotonic() - began < 15, "it did not wait for what the worker has left behind"


def test_other_output_between_messages_is_ignored(draft: Path) -> None:
    assert preview(draft, "garbage") == ["clean"]


def test_an_error_of_the_progress_callback_ends_the_worker(draft: Path) -> None:
    told = []

    def disconnected(message: str, fraction: float) -> None:
        told.append((message, fraction))
        if message == "half":
            raise ConnectionError("the browser has gone")

    with pytest.raises(ConnectionError):
        preview(draft, "progress", progress=disconnected)
    assert told[-1] == ("half", 0.5)
    assert ended(int((draft / "pid").read_text()))


CALLER = """
import sys
from pathlib import Path
from autotrain_gradio.backends.calls import call
from autotrain_gradio.core.settings import Limits
call(Path(sys.argv[1]), "preview", {"spec": {"task": "toy-sorting"}, "do": "sleep"}, limits=Limits())
"""


@pytest.mark.parametrize("do", ["sleep", "hold"])
def test_a_call_ends_with_its_caller(draft: Path, do: str) -> None:
    app = subprocess.Popen([sys.executable, "-c", CALLER.replace('"sleep"', f'"{do}"'), str(draft)])
    pids = [*wait_for(draft / "pids").split()]
    pids += [str(p.pid) for p in psutil.Process(int(pids[0])).children(recursive=True)]
    assert len(pids) > 1  # its supervisor is one of them
    app.kill()
    app.wait()
    assert all(ended(int(pid)) for pid in pids)


def test_partial_results_are_reported_before_the_result(draft: Path) -> None:
    told: list[Any] = []
    assert preview(draft, "found", found=told.append) == ["done"] and told == [{"rows": 3}]
    assert preview(draft, "found") == ["done"]  # nobody wants to know


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'@autotrain {"kind": "result", "value": null}\n', {"kind": "result", "value": None}),
        (b'@autotrain {"kind": "found", "value": 1}\n', {"kind": "found", "value": 1}),
        (b'@autotrain {"kind": "found"}\n', None),
        (b'@autotrain {"kind": "item", "value": []}\n', {"kind": "item", "value": []}),
        (b'@autotrain {"kind": "item"}\n', None),
        (b'[rank0] 12:00 @autotrain {"kind": "result", "value": 1}\r\n', {"kind": "result", "value": 1}),
        (b'@autotrain {"kind": "result"}\n', None),
        (b'@autotrain {"kind": "error", "findings": []}\n', None),
        (b'@autotrain {"kind": "progress", "message": "x"}\n', None),
        (b'@autotrain {"kind": "surprise", "value": 1}\n', None),
        (b"@autotrain\n", None),
        (b"@autotrain \xff\n", None),
        (b"plain\n", None),
    ],
)
def test_encoded_messages(raw: bytes, message: dict[str, Any] | None) -> None:
    assert wire.parse(raw) == message


def test_encoded_messages_are_decoded() -> None:
    message = {"kind": "result", "value": {"text": "a\nb @autotrain ü"}}
    assert [m for m in map(wire.parse, wire.line(message).encode().splitlines(True)) if m] == [message]


# -- the environment


def test_the_environment_of_a_worker(monkeypatch: pytest.MonkeyPatch, draft: Path) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")  # what the user sets is kept
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], "relative", ""]))
    found = preview(draft, "environment", env=process.environment({"HF_TOKEN": "hf_mine"}))[0]
    assert found["OMP_WAIT_POLICY"] == "ACTIVE" and found["GOMP_SPINCOUNT"] == "20000"
    assert found["TOKENIZERS_PARALLELISM"] == "false" and found["HF_HUB_DISABLE_PROGRESS_BARS"] == "1"
    assert found["HF_TOKEN"] == "hf_mine" and found["PYTHONUNBUFFERED"] == "1"
    folders = found["PYTHONPATH"].split(os.pathsep)
    assert all(os.path.isabs(p) for p in folders) and str(Path(process.__file__).parents[2]) in folders


@pytest.mark.parametrize("visitor", [False, True])
def test_a_worker_is_not_part_of_the_process_group_that_the_app_is_in(
    monkeypatch: pytest.MonkeyPatch, visitor: bool
) -> None:
    group = {"RANK": "1", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4", "MASTER_ADDR": "10.0.0.1"}
    group |= {"MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "none", "PET_NNODES": "2", "OMPI_COMM_WORLD_SIZE": "2"}
    for name, value in group.items():
        monkeypatch.setenv(name, value)
    assert not group.keys() & process.environment({}, visitor=visitor).keys()
    for name in group:
        monkeypatch.delenv(name)
    for name, value in process.environment({}, visitor=visitor).items():
        monkeypatch.setenv(name, value)
    ranks = Ranks.from_environment(Path(), 1)
    assert ranks.rank == 0 and not ranks.is_distributed


def test_malloc_settings_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    def spawn(directory: Path, verb: str, *more: str, env: dict[str, str], **streams: Any) -> subprocess.Popen[bytes]:
        seen.append(env)
        return subprocess.Popen([sys.executable, "-c", "pass"])

    monkeypatch.setattr("autotrain_gradio.backends.process.spawn", spawn)
    backend = LocalBackend(Settings(home=tmp_path / "home"))
    for attempt, given in enumerate(({}, {"MALLOC_TRIM_THRESHOLD_": "0"}), 1):
        env = process.environment({}) | given
        backend.submit(Attempt(tmp_path, attempt, env, allocation=Allocation(("1",))))
    assert [env["MALLOC_TRIM_THRESHOLD_"] for env in seen] == [str(2**30), "0"]
    assert all(env["MALLOC_MMAP_THRESHOLD_"] == str(2**25) and env["CUDA_VISIBLE_DEVICES"] == "1" for env in seen)


def test_a_visitors_worker_has_no_secret_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {
        "HF_TOKEN": "a",
        "HUGGING_FACE_HUB_TOKEN": "b",
        "WANDB_API_KEY": "c",
        "AWS_SECRET_ACCESS_KEY": "d",
        "app_password": "e",
        "DATABASE_URL": "postgres://me:f@inside/db",
        "SENTRY_DSN": "https://g@sentry.invalid/1",
        "HF_TOKEN_PATH": "/home/me/.cache/huggingface/token",
        "HF_HUB_CACHE": "/home/me/.cache/huggingface/hub",
        "AUTOTRAIN_GRADIO_SERVICE_TOKEN": "h",
    }
    needed = {"CUDA_VISIBLE_DEVICES": "0", "LC_ALL": "C.UTF-8", "https_proxy": "http://proxy:1", "OMP_NUM_THREADS": "2"}
    for name, value in {**secret, **needed}.items():
        monkeypatch.setenv(name, value)
    alone = process.environment({}, visitor=True)
    assert not secret.keys() & alone.keys() and needed.items() <= alone.items()
    assert {"PATH", "HOME", "PYTHONPATH", "HF_ENDPOINT", "AUTOTRAIN_GRADIO_HOME"} <= alone.keys()
    assert alone["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    signed_in = process.environment({"HF_TOKEN": "theirs"}, visitor=True)
    assert signed_in["HF_TOKEN"] == "theirs" and "HF_HUB_DISABLE_IMPLICIT_TOKEN" not in signed_in
    mine = process.environment({"HF_TOKEN": "new"})
    assert mine["HF_TOKEN"] == "new" and "HUGGING_FACE_HUB_TOKEN" not in mine
    assert mine["WANDB_API_KEY"] == "c"


# -- warm workers


@pytest.fixture
def warm() -> Any:
    found: list[WarmWorkers] = []

    def make(**limits: Any) -> WarmWorkers:
        workers = WarmWorkers(Limits(**{"predict_seconds": 30.0, **limits}))
        found.append(workers)
        return workers

    yield make
    for workers in found:
        workers.close()


Make = Callable[..., WarmWorkers]


def model(draft: Path, text: str = "red") -> Path:
    (draft / "model").mkdir(parents=True, exist_ok=True)
    (draft / "spec.json").write_text('{"task": "toy-sorting"}')
    (draft / "model" / "box.txt").write_text(text)
    return draft


def ask(workers: WarmWorkers, draft: Path, **toy: Any) -> dict[str, Any]:
    return dict(workers.call(draft, "predict", {"inputs": [toy or {"text": "ball"}]})[0])


def test_a_warm_worker_caches_the_model_until_it_changes(draft: Path, warm: Make) -> None:
    workers = warm()
    first = ask(workers, model(draft))
    began = time.monotonic()
    assert ask(workers, draft) == first
    assert time.monotonic() - began < 0.5
    time.sleep(0.02)
    model(draft, "blue")  # in place: the folder's own time does not change
    second = ask(workers, draft)
    assert second["label"] == "blue" and second["pid"] == first["pid"]


def test_a_user_error_keeps_the_warm_worker_and_a_crash_restarts_it(draft: Path, warm: Make) -> None:
    workers = warm()
    pid = ask(workers, model(draft))["pid"]
    with pytest.raises(UserError, match="no toy"):
        ask(workers, draft, wrong=1)
    assert ask(workers, draft)["pid"] == pid
    with pytest.raises(WorkerError, match="status 3"):
        ask(workers, draft, text="crash")
    assert ask(workers, draft)["pid"] != pid


def test_a_worker_without_a_model_raises_a_user_error(draft: Path, warm: Make) -> None:
    (draft / "spec.json").write_text('{"task": "toy-sorting"}')
    with pytest.raises(UserError, match="no model yet"):
        ask(warm(), draft)


def test_an_idle_warm_worker_exits_without_a_zombie(draft: Path, warm: Make) -> None:
    workers = warm(predictor_idle_seconds=0.5)
    pid = ask(workers, model(draft))["pid"]
    end = time.monotonic() + 10
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not psutil.pid_exists(pid)
    assert ask(workers, draft)["pid"] != pid


def test_a_warm_call_over_the_time_limit_is_killed(draft: Path, warm: Make) -> None:
    workers = warm(predict_seconds=3.0)
    with pytest.raises(WorkerError, match="time limit of 3 seconds"):
        workers.call(draft, "preview", {"spec": SPEC, "do": "sleep"})
    assert all(ended(int(pid)) for pid in (draft / "pids").read_text().split())


def test_the_least_recently_used_idle_worker_is_closed(draft: Path, warm: Make, tmp_path: Path) -> None:
    workers = warm()
    folders = [model(tmp_path / name) for name in ("a", "b", "c")]
    answers: list[Any] = []

    def slowly() -> None:
        try:
            answers.append(workers.call(draft, "preview", {"spec": SPEC, "do": "sleep"}))
        except WorkerError as error:
            answers.append(error)

    thread = threading.Thread(target=slowly)
    thread.start()
    busy = int(wait_for(draft / "pids").split()[0])
    pids = [ask(workers, folder)["pid"] for folder in folders]
    assert psutil.pid_exists(busy) and not answers
    assert ended(pids[0]) and ended(pids[1]) and psutil.pid_exists(pids[2])
    workers.release(draft)
    thread.join(timeout=10)
    assert answers[0].code == "cancelled" and ended(busy)


def test_a_warm_worker_prefetches_without_blocking(draft: Path, warm: Make) -> None:
    workers = warm()
    began = time.monotonic()
    workers.prefetch(draft, "preview", {"spec": SPEC})
    assert time.monotonic() - began < 0.5
    assert workers.call(draft, "preview", {"spec": SPEC, "do": "answer", "text": "x"})[0]["text"] == "x"
    workers.prefetch(draft, "preview", {"spec": {"task": "nothing of that name"}})
    with pytest.raises(UserError, match="Unknown task"):
        workers.call(draft, "preview", {"spec": {"task": "nothing of that name"}})


def test_a_warm_worker_ends_with_its_caller(draft: Path) -> None:
    code = CALLER.replace("from autotrain_gradio.backends.calls import call", "import time").replace(
        'call(Path(sys.argv[1]), "preview", {"spec": {"task": "toy-sorting"}, "do": "sleep"}, limits=Limits())',
        "from autotrain_gradio.backends.warm import WarmWorkers\n"
        'WarmWorkers(Limits()).call(Path(sys.argv[1]), "predict", {"inputs": [{"text": "x"}]})\n'
        'Path(sys.argv[1], "ready").write_text("x")\ntime.sleep(600)',
    )
    app = subprocess.Popen([sys.executable, "-c", code, str(model(draft))])
    wait_for(draft / "ready")
    workers = [p.pid for p in psutil.Process(app.pid).children()]
    assert workers
    app.kill()
    app.wait()
    assert all(ended(pid) for pid in workers)


def test_loading_the_libraries_is_reported_as_progress(draft: Path, warm: Make) -> None:
    train = draft.parent / "toys" / "toy_task" / "train.py"
    train.write_text("import time\ntime.sleep(1.5)\n" + train.read_text())
    workers, told = warm(), []

    def look() -> list[str]:
        told.clear()
        context = {"spec": SPEC, "do": "answer", "text": "x"}
        workers.call(draft, "preview", context, progress=lambda message, fraction: told.append(message))
        return told

    workers.prefetch(draft, "preview", {"spec": SPEC})  # as soon as there is data: the preview is asked for meanwhile
    assert look()[0] == "Loading the libraries" and "training inputs" in told[-1]
    assert len(look()) == 1 and "training inputs" in told[0]


def test_an_error_of_the_caller_leaves_no_stale_response(draft: Path, warm: Make) -> None:
    workers = warm()

    def disconnected(message: str, fraction: float) -> None:
        raise ValueError("the browser has gone")

    with pytest.raises(ValueError, match="browser"):
        workers.call(draft, "preview", {"spec": SPEC, "do": "answer", "text": "old"}, progress=disconnected)
    assert workers.call(draft, "preview", {"spec": SPEC, "do": "answer", "text": "new"})[0]["text"] == "new"


# -- streams


def test_streamed_items_arrive_one_by_one_and_the_worker_stays_warm(draft: Path, warm: Make) -> None:
    workers = warm()
    items = workers.stream(model(draft), "count", {"to": 4, "seconds": 0.3})
    first = next(items)
    began = time.monotonic()
    assert [item["number"] for item in items] == [1, 2, 3]
    assert time.monotonic() - began > 0.5, "the items were not sent one by one"
    assert first["box"] == "red" and ask(workers, draft)["pid"] == first["pid"]
    assert workers.call(draft, "count", {"to": 2})[1]["number"] == 1


def test_closing_a_stream_cancels_the_verb_and_keeps_the_worker(draft: Path, warm: Make) -> None:
    workers = warm()
    items = workers.stream(model(draft), "count", {"to": 1000, "seconds": 0.1})
    pid = next(items)["pid"]
    next(items)
    items.close()
    assert int((draft / "counted").read_text()) < 10, "it went on counting"
    again = list(workers.stream(draft, "count", {"to": 3}))
    assert [item["number"] for item in again] == [0, 1, 2] and again[0]["pid"] == pid


def test_a_verb_that_ignores_a_cancel_is_killed(draft: Path, warm: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autotrain_gradio.backends.warm.CANCEL_SECONDS", 0.5)
    workers = warm()
    items = workers.stream(model(draft), "count", {"to": 2, "seconds": 60})
    pid = next(items)["pid"]
    items.close()
    assert ended(pid)
    assert [item["number"] for item in workers.stream(draft, "count", {"to": 1})] == [0]


def test_the_time_limit_applies_to_each_item_and_not_to_the_caller(draft: Path, warm: Make) -> None:
    workers = warm(predict_seconds=3.0)
    next(workers.stream(model(draft), "count", {"to": 1}))  # the libraries are loaded
    items = workers.stream(draft, "count", {"to": 5, "seconds": 1.0})
    next(items)
    time.sleep(3.5)
    assert [item["number"] for item in items] == [1, 2, 3, 4]
    with pytest.raises(WorkerError, match="time limit of 3 seconds"):
        list(workers.stream(draft, "count", {"to": 2, "seconds": 60}))


def test_a_call_may_have_a_time_limit_of_its_own(draft: Path, tmp_path: Path) -> None:
    backend = LocalBackend(Settings(tmp_path, limits=LIMITS))
    try:
        next(backend.stream(model(draft), "count", {"to": 1}, CallOptions(warm=True)))  # the libraries are loaded
        with pytest.raises(WorkerError, match="time limit of 2 seconds"):
            list(backend.stream(draft, "count", {"to": 2, "seconds": 60}, CallOptions(warm=True, seconds=2.0)))
    finally:
        backend.close()


def test_an_error_in_the_middle_of_a_stream(draft: Path, warm: Make) -> None:
    workers, seen = warm(), []
    with pytest.raises(UserError, match="no more toys"):
        for item in workers.stream(model(draft), "count", {"to": 5, "fail": 2}):
            seen.append(item["number"])
    assert seen == [0, 1]
    assert ask(workers, draft)["label"] == "red"


def test_a_single_call_worker_streams_and_exits_when_closed(draft: Path) -> None:
    assert [i["number"] for i in stream(model(draft), "count", {"to": 3}, limits=LIMITS)] == [0, 1, 2]
    items = stream(draft, "count", {"to": 1000, "seconds": 0.1}, limits=LIMITS)
    pid = next(items)["pid"]
    items.close()
    assert ended(pid)


@pytest.mark.parametrize("visitor", [False, True])
def test_the_password_of_the_page_is_not_inherited(monkeypatch: pytest.MonkeyPatch, visitor: bool) -> None:
    monkeypatch.setenv("AUTOTRAIN_GRADIO_AUTH", "teacher:secret")
    assert "AUTOTRAIN_GRADIO_AUTH" not in process.environment({}, visitor=visitor)
