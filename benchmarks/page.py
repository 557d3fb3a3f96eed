"""The page against a bare Gradio page with as many components: answer time, HTML, idle memory."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from benchmarks.rows import Row

TASKS = 25

OURS = """
import dataclasses, sys
from pathlib import Path
from autotrain_gradio.registry import Registry, registry
from autotrain_gradio.service import Service
from autotrain_gradio.settings import Settings
from autotrain_gradio.ui.page import launch
task = next(iter(registry()))
modalities = ["Images", "Text", "Speech", "Tables", "Language models"]
tasks = [task] + [
    dataclasses.replace(task, name=f"task-{i}", title=f"Task {i}", aliases=(), modality=modalities[i % 5])
    for i in range(1, int(sys.argv[3]))
]
service = Service(Settings(home=Path(sys.argv[2])), Registry(tasks), dispatch=False)
launch(service, host="127.0.0.1", port=int(sys.argv[1]))
"""

BARE = """
import os, sys
import gradio as gr
count = int(sys.argv[3])
with gr.Blocks() as demo:
    boxes = [gr.Textbox(label=f"Field {i}") for i in range(count)]
demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True, ssr_mode=False)
"""


@dataclasses.dataclass(frozen=True)
class Page:
    """What was measured of one page."""

    milliseconds: float
    html_bytes: int
    memory: int
    components: int
    heavy: list[str]


def visit(code: str, argument: int) -> Page:
    """Serve a page from a fresh process, read it 30 times, and look at the process's memory."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        env = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
        command = [sys.executable, "-c", code, str(port), home, str(argument)]
        with (Path(home) / "out").open("w") as out:
            process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, process)
            times = []
            for _ in range(30):
                began = time.perf_counter()
                html = urllib.request.urlopen(url, timeout=30).read()
                times.append(time.perf_counter() - began)
            config = json.loads(urllib.request.urlopen(f"{url}/config", timeout=30).read())
            tree = psutil.Process(process.pid)
            maps = {m.path for m in tree.memory_maps()}
            heavy = [n for n in ("libtorch_cpu", "libarrow") if any(n in m for m in maps)]
            return Page(
                statistics.median(times[5:]) * 1000, len(html), tree.memory_info().rss, len(config["components"]), heavy
            )
        finally:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the page did not start")
        try:
            urllib.request.urlopen(url, timeout=5).read()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the page did not answer within 30 s")


def measure() -> list[Row]:
    """Compare our page, with 25 synthetic tasks, to a bare one of as many components."""
    ours = visit(OURS, TASKS)
    bare = visit(BARE, ours.components)
    one = visit(OURS, 1)
    if "libtorch_cpu" in ours.heavy:
        raise RuntimeError("the page's process has loaded torch")
    return [
        Row(
            f"page of {TASKS} tasks ({ours.components} components), against a bare Gradio page of as many",
            f"{ours.milliseconds:.1f} ms",
            f"{bare.milliseconds:.1f} ms",
            ours.milliseconds / bare.milliseconds,
            1.3,
        ),
        Row(
            f"its HTML, with {TASKS} tasks",
            f"{ours.html_bytes / 1000:.0f} kB",
            "600 kB",
            ours.html_bytes / 600_000,
            1.0,
        ),
        Row("memory of the idle page", f"{one.memory / 1e6:.0f} MB", "300 MB", one.memory / 300e6, 1.0),
    ]
