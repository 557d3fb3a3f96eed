"""The page compared with a plain Gradio page with as many components: response time, HTML size, idle memory."""

from __future__ import annotations

import contextlib
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
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.rows import Row

TASKS = 25
READS = 60

OURS = """
import dataclasses, sys
from pathlib import Path
from autotrain_gradio.tasks.registry import Registry, registry
from autotrain_gradio.service import Service
from autotrain_gradio.core.settings import Settings
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


@dataclasses.dataclass
class Page:
    """A page served by its own process."""

    process: subprocess.Popen[bytes]
    url: str
    times: list[float] = dataclasses.field(default_factory=list)

    def read(self) -> int:
        """Fetch the page, note the time, and return the bytes of its HTML."""
        began = time.perf_counter()
        html = urllib.request.urlopen(self.url, timeout=30).read()
        self.times.append(time.perf_counter() - began)
        return len(html)

    @property
    def milliseconds(self) -> float:
        """Return the median response time, after warm-up requests."""
        return statistics.median(self.times[5:]) * 1000

    @property
    def components(self) -> int:
        """Return how many components the page has."""
        return len(json.loads(urllib.request.urlopen(f"{self.url}/config", timeout=30).read())["components"])


@contextlib.contextmanager
def serve(code: str, argument: int) -> Iterator[Page]:
    """Serve a page from a fresh process."""
    with tempfile.TemporaryDirectory() as home, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        env = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
        command = [sys.executable, "-c", code, str(port), home, str(argument)]
        with (Path(home) / "out").open("w") as out:
            process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
        try:
            page = Page(process, f"http://127.0.0.1:{port}")
            _wait_for(page.url, process)
            yield page
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
    """Compare the page, with 25 synthetic tasks, with a plain one of as many components.

    Requests alternate, so that other load on the machine affects both.
    """
    with serve(OURS, TASKS) as ours:
        components = ours.components
        with serve(BARE, components) as bare:
            for _ in range(READS):
                html_bytes = ours.read()
                bare.read()
        maps = {m.path for m in psutil.Process(ours.process.pid).memory_maps()}
        if any("libtorch_cpu" in m for m in maps):
            raise RuntimeError("the page's process has loaded torch")
    with serve(OURS, 1) as one:
        one.read()
        memory = psutil.Process(one.process.pid).memory_info().rss
    return [
        Row(
            f"page of {TASKS} tasks ({components} components), against a bare Gradio page of as many",
            f"{ours.milliseconds:.1f} ms",
            f"{bare.milliseconds:.1f} ms",
            ours.milliseconds / bare.milliseconds,
            1.3,
        ),
        Row(
            f"its HTML, with {TASKS} tasks",
            f"{html_bytes / 1000:.0f} kB",
            "600 kB",
            html_bytes / 600_000,
            1.0,
        ),
        Row("memory of the idle page", f"{memory / 1e6:.0f} MB", "300 MB", memory / 300e6, 1.0),
    ]
