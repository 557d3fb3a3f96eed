"""Lists of 10,000 runs: the list of the page, the command `runs`, and the page's process with a viewer of the list.

`AUTOTRAIN_GRADIO_BENCHMARK_RUNS=500 python -m benchmarks many_runs` measures a smaller list.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.ui.runs_tab import PAGE_ROWS, REFRESH_SECONDS, render_runs
from benchmarks.rows import Row

RUNS = int(os.environ.get("AUTOTRAIN_GRADIO_BENCHMARK_RUNS", "10000"))
POINTS, READS = 20, 15
VIEWER_SECONDS = 60

VIEWER = """
import sys, time
from pathlib import Path
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.ui.page_context import PageContext
from autotrain_gradio.ui.runs_tab import REFRESH_SECONDS, RunsTab
service = Service(Settings(home=Path(sys.argv[1])))
tab = RunsTab(PageContext(service), *[None] * 7)
digest = tab.refresh("", None, 0)[1]
time.sleep(3)
print("ready", flush=True)
while True:
    tab.refresh("", digest, 0)
    time.sleep(REFRESH_SECONDS)
"""
"""The process behind the page with one viewer: the queue and the list, without Gradio's own timer events."""


def make_runs(home: Path, count: int) -> None:
    """Write the folders of completed, failed and interrupted runs, as trainings leave them."""
    chance, begin = random.Random(7), time.time() - count * 600
    for number in range(count):
        created = begin + number * 600
        letters = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(10))
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
        run = f"{stamp}-project-{number % 50}-{letters}"
        directory = home / "runs" / run
        directory.mkdir(parents=True)
        spec = {
            "task": "image-classification",
            "model": "google/vit-base-patch16-224",
            "project_name": f"project-{number % 50}",
            "data": {"source": "upload", "path": "photos.zip"},
        }
        identity = {"id": run, "owner": "local", "created": created}
        (directory / "draft.json").write_text(
            json.dumps({"task": spec["task"], "owner": "local", "created": created, "spec": spec})
        )
        (directory / "spec.json").write_text(json.dumps({**spec, **identity}))
        control = [{"kind": "queued", "resume": False, "token": False}, {"kind": "started"}]
        if number % 17 == 0:
            control.append({"kind": "interrupted", "reason": "The process was killed (SIGKILL).", "hint": "Resume it."})
        lines = [json.dumps({"v": 1, "time": created + 1, "attempt": 1, **c}) for c in control]
        (directory / "control.jsonl").write_text("\n".join(lines) + "\n")
        events: list[dict[str, object]] = [{"kind": "state", "state": "running", "detail": "Training"}]
        for step in range(POINTS):
            values = {"loss": 1.0 / (step + 1), "eval_accuracy": chance.random(), "eval_f1": chance.random()}
            events.append({"kind": "metric", "step": step, "epoch": step / POINTS, "values": values})
        if number % 17:
            events.append({"kind": "state", "state": "completed", "detail": ""})
        lines = [
            json.dumps({"v": 1, "attempt": 1, "seq": seq, "time": created + 2 + seq, **event})
            for seq, event in enumerate(events)
        ]
        (directory / "events.jsonl").write_text("\n".join(lines) + "\n")
        if number % 17:
            (directory / "model").mkdir()
            (directory / "model" / "config.json").write_text("{}")


def _command(home: Path, *arguments: str) -> float:
    """Return the seconds of a command, with the start of Python."""
    env = {
        **os.environ,
        "AUTOTRAIN_GRADIO_HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "",
    }  # as of an installed package
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "autotrain_gradio", *arguments], env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def _viewer(home: Path) -> float:
    """Return the share of a core that the page's process uses with one viewer."""
    process = subprocess.Popen([sys.executable, "-c", VIEWER, str(home)], stdout=subprocess.PIPE)
    assert process.stdout
    try:
        process.stdout.readline()
        found = psutil.Process(process.pid)
        before, began = found.cpu_times(), time.monotonic()
        time.sleep(VIEWER_SECONDS)
        after = found.cpu_times()
        return (after.user + after.system - before.user - before.system) / (time.monotonic() - began)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def measure() -> list[Row]:
    """Make the runs, then measure with and without the index."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        make_runs(home, RUNS)
        began = time.perf_counter()
        service = Service(Settings(home=home), dispatch=False)
        tasks = {t.name: t for t in service.tasks}
        page = service.runs_page(limit=PAGE_ROWS)
        waited = time.perf_counter() - began
        while page["unread"]:
            time.sleep(0.1)
            page = service.runs_page(limit=PAGE_ROWS)
        first = time.perf_counter() - began
        if page["total"] != RUNS or len(page["rows"]) != PAGE_ROWS:
            raise RuntimeError(f"the list has {page['total']} runs")
        times = []
        for _ in range(READS):
            began = time.perf_counter()
            html = render_runs(service.runs_page(limit=PAGE_ROWS), tasks)
            times.append(time.perf_counter() - began)
            time.sleep(0.5)
        service.close()
        began = time.perf_counter()
        again = Service(Settings(home=home), dispatch=False)
        again.runs_page(limit=PAGE_ROWS)
        opened = time.perf_counter() - began
        again.close()
        _command(home, "runs")  # from now on every file of Python is cached
        listed = statistics.median(_command(home, "runs") for _ in range(3))
        started = statistics.median(_command(home, "--version") for _ in range(3))
        idle = _viewer(home)
    lists = statistics.median(times)
    return [
        Row(
            f"list of {RUNS:,} runs, a page of {PAGE_ROWS} ({len(html) / 1000:.0f} kB)",
            f"{lists * 1000:.1f} ms",
            "300 ms",
            lists / 0.3,
            1.0,
        ),
        Row(
            f"the same list, first time in a process, with the index of {RUNS:,} runs",
            f"{opened:.2f} s",
            "1 s",
            opened,
            1.0,
        ),
        Row(f"first page of the list while the index of {RUNS:,} runs is made", f"{waited:.2f} s", "1 s", waited, 1.0),
        Row(f"making the index of {RUNS:,} runs anew", f"{first:.1f} s", "30 s", first / 30, 1.0),
        Row(
            f"command 'runs' with {RUNS:,} runs (without runs: {started:.2f} s)", f"{listed:.2f} s", "1 s", listed, 1.0
        ),
        Row(
            f"the page's process with one viewer of that list, asking every {REFRESH_SECONDS:.0f} s, and the queue",
            f"{idle:.2%} of a core",
            "1 % of a core",
            idle / 0.01,
            1.0,
        ),
    ]
