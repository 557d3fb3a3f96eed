"""A real browser in front of the real app, which runs as a process of its own."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autotrain_gradio.backends import Backends
from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import Registry, registry
from tests import toy

sync_api = pytest.importorskip("playwright.sync_api")
sync_api.expect.set_options(timeout=60_000)
Browser, BrowserContext, Page = sync_api.Browser, sync_api.BrowserContext, sync_api.Page

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, for which no permission is asked.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
ENDED = {"completed", "failed", "cancelled", "interrupted"}
SAMPLES = ROOT / "assets" / "samples" / "image_classification" / "shapes"
TASK = "#image-classification"
"""Beginning of the ids of the elements in the tab of image classification."""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class App:
    """The app as a process, and a service on its home to look behind the page."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.folder, self.arguments, self.environ = folder, arguments, environ
        self.home, self.port = folder / "home", free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        packages = toy.install(folder / "packages")
        shutil.copytree(ROOT / "tests/contract/package/mood_task", packages / "mood_task")
        information = packages / "mood_task-0.1.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: mood-task\nVersion: 0.1\n")
        (information / "entry_points.txt").write_text("[autotrain_gradio.tasks]\nmood = mood_task:TASK\n")
        # The toy has no data to prepare: a sitecustomize of its workers leaves the data layer out.
        (packages / "sitecustomize.py").write_text(
            "import sys\n"
            "if 'autotrain_gradio.worker' in ' '.join(sys.orig_argv) and 'toy-sorting' in ' '.join(sys.orig_argv):\n"
            "    import autotrain_gradio.data as data\n"
            "    data.ensure = lambda directory, resolved, **more: None\n"
            # While the file `hold` is in the home, a check waits before it writes the rows.
            "import os, pathlib\n"
            "hold = pathlib.Path(os.environ.get('AUTOTRAIN_GRADIO_HOME', ''), 'hold')\n"
            "if 'check' in sys.orig_argv[-2:] and hold.exists():\n"
            "    import time\n"
            "    from autotrain_gradio.data.pipeline import materialize\n"
            "    write = materialize.write\n"
            "    def later(*given):\n"
            "        while hold.exists():\n"
            "            time.sleep(0.05)\n"
            "        return write(*given)\n"
            "    materialize.write = later\n"
        )
        self.packages = packages
        known = list(registry())  # before the others can be found: what it finds is kept for the whole process
        sys.path.insert(0, str(packages))
        importlib.invalidate_caches()
        try:
            tasks = [*known, importlib.import_module("toy_task").TASK, importlib.import_module("mood_task").TASK]
        finally:
            sys.path.remove(str(packages))
        self.service = Service(Settings(home=self.home), Registry(tasks), dispatch=False)

    def start(self) -> None:
        """Start the app and wait until it answers."""
        env = {**os.environ, "AUTOTRAIN_GRADIO_HOME": str(self.home), "AUTOTRAIN_GRADIO_SLOTS": "2", **self.environ}
        env["PYTHONPATH"] = os.pathsep.join([str(self.packages), str(ROOT)])
        with (self.folder / "app.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), "--port", str(self.port), *self.arguments],
                env=env,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log()
            try:
                urllib.request.urlopen(self.url, timeout=5).read()
                return
            except urllib.error.HTTPError:
                return  # it asks for a password: it answers
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"the app did not answer\n{self.log()}")

    def kill(self) -> None:
        """End the app without a chance to say goodbye."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        """Return the end of what the app printed."""
        return (self.folder / "app.log").read_text(errors="replace")[-3000:]

    def toy(self, **params: Any) -> str:
        """Put a run of the toy task into the app's queue; return its id."""
        draft = self.service.draft("toy-sorting")
        spec = {"task": "toy-sorting", "project_name": params.pop("project_name", "toys"), "params": params}
        return self.service.start(draft, {**spec, "data": {"source": "upload", "path": "toys.toy"}})

    def until(self, run: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until a run is in one of the states."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            snapshot = self.service.snapshot(run)
            assert snapshot is not None
            if snapshot["state"] in states:
                return snapshot
            time.sleep(0.1)
        raise AssertionError(f"{run} is {snapshot['state']}: {self.service.log(run)['text'][-2000:]}\n{self.log()}")

    def close(self) -> None:
        """End the app, its trainings, and whatever worker is still at work."""
        children = []
        if self.process is not None and self.process.poll() is None:
            children = psutil.Process(self.process.pid).children(recursive=True)
        self.kill()
        for row in self.service.runs():
            if row["state"] not in ENDED:
                Backends(self.service.settings).get().signal(Path(row["path"]), hard=True)
        for child in children:
            if child.is_running():
                child.kill()
        psutil.wait_procs(children, timeout=10)
        self.service.close()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """An app that several tests share."""
    found = App(tmp_path_factory.mktemp("app"))
    try:
        found.start()
        yield found
    finally:
        found.close()


@pytest.fixture
def own_app(tmp_path: Path) -> Iterator[App]:
    """An app of the test's own, not started."""
    found = App(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each test has a context of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a URL in a browser that has never been here."""
    contexts: list[BrowserContext] = []

    def open_page(url: str, *, width: int = 1280, height: int = 900, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        contexts.append(context)
        context.set_default_timeout(45_000)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
