"""The page in shared mode with two visitors: A owns runs, a draft and an upload, and B attacks."""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import registry
from autotrain_gradio.ui.page import launch
from autotrain_gradio.ui.task_session import TabState
from tests import toy
from tests.security.visitor import Visitor

SECRET = "MARKER-of-the-server-5d1f"
"""Content of a file of the server, and a part of what visitor A has uploaded."""


@dataclass
class Place:
    """The page, its service, and what visitor A has there."""

    demo: gr.Blocks
    url: str
    folder: Path
    """Everything that the app and its workers write: home, uploads and temporary files."""
    service: Service
    server_file: Path
    a: Visitor
    b: Visitor
    reader: str
    """Run of A whose model returns the content of the file that is its input."""
    sorter: str
    """Run of A whose input is a text."""
    draft: str
    """Draft of A with an uploaded file."""

    @property
    def private(self) -> list[str]:
        """All that must not be in an answer to visitor B."""
        return [SECRET, self.a.id, self.a.session]


@pytest.fixture(scope="module")  # not of the session: what it sets must not reach the tests of other folders
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Serve the page in shared mode on a free port of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("security")
    server_file = folder / "server.png"
    server_file.write_text(SECRET)
    with pytest.MonkeyPatch.context() as patch:
        tasks = _install_tasks(folder / "tasks")
        patch.syspath_prepend(str(tasks))
        patch.setenv("PYTHONPATH", str(tasks))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "uploads"))
        # All temporary files of the app and its workers, to be searched.
        (folder / "temporary").mkdir()
        patch.setenv("TMPDIR", str(folder / "temporary"))
        patch.setattr(tempfile, "tempdir", str(folder / "temporary"))
        importlib.invalidate_caches()
        registry.cache_clear()
        settings = Settings(home=folder / "home", shared=True, uploads=(folder / "uploads").resolve())
        service = Service(settings)
        demo, url = launch(service, block=False, quiet=True)
        a, b = Visitor(url, "a"), Visitor(url, "b")
        try:
            runs = [_trained(service, task, a.owner) for task in ("reader-sorting", "toy-sorting")]
            draft = service.draft("toy-sorting", a.owner)
            service.upload(draft, [a.upload("a.toy", SECRET.encode())], a.owner)
            yield Place(demo, url, folder, service, server_file, a, b, *runs, draft)
        finally:
            a.close()
            b.close()
            demo.close()
            service.close()
            registry.cache_clear()
            for name in [n for n in sys.modules if n.startswith(("toy_task", "reader_task"))]:
                del sys.modules[name]


def render_all(place: Place, visitor: Visitor) -> list[Any]:
    """Render every task tab and the inputs of a model for a visitor; return all events of the session."""
    state = place.demo.app.state_holder[visitor.session]
    for function in [f for f in place.demo.fns.values() if f.renderable]:
        if function.inputs[0].stateful:
            state[function.inputs[0]._id] = TabState()
        visitor.call(function._id, [f"{place.sorter}:1"], queued=False)
    return list(state.blocks_config.fns.values())


def kinds_of_events(events: Sequence[Any]) -> list[Any]:
    """Return one of the events that run the same code with as many inputs: each task has a tab with the same ones."""
    found: dict[tuple[Any, ...], Any] = {}
    for event in events:
        if event.inputs and event.fn is not None and not event.renderable:
            function = getattr(event.fn, "func", event.fn)
            code = (getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function)))
            types = tuple(sorted({type(component).__name__ for component in event.inputs}))
            found.setdefault((*code, types), event)
    return list(found.values())


def _install_tasks(folder: Path) -> Path:
    """Install the toy task, and one whose input is an image and whose answer is the content of that file."""
    toy.install(folder)
    for path in [p for p in folder.rglob("*") if p.is_file()]:
        text = path.read_text().replace("toy", "reader").replace("Toys", "Readers")
        text = text.replace('Input("text", "A reader", "text")', 'Input("text", "A reader", "image")')
        text = text.replace(
            '{"label": self.box, ', '{"label": open(inputs[0]["text"], errors="replace").read()[-30:], '
        )
        text = text.replace(
            '"task": call.task.name', '"names": sorted(os.listdir()), "media": os.path.exists("data/media")'
        )
        text = text.replace("def run(call):\n    call", "import os\n\ndef run(call):\n    call")
        copy = folder / str(path.relative_to(folder)).replace("toy", "reader")
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(text)
    (folder / "sitecustomize.py").write_text(
        "import autotrain_gradio.data as data\ndata.ensure = lambda directory, resolved, **more: None\n"
    )
    return folder


def _trained(service: Service, task: str, owner: str) -> str:
    spec: dict[str, Any] = {"task": task, "params": {"steps": 1}, "data": {"source": "upload", "path": "a.toy"}}
    run = service.start(service.draft(task, owner), spec, owner)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        snapshot = service.snapshot(run)
        assert snapshot is not None
        if snapshot["state"] == "completed":
            return run
        assert snapshot["state"] in {"queued", "preparing", "running"}, service.log(run)["text"]
        time.sleep(0.1)
    raise AssertionError(f"{run} has not ended: {service.log(run)['text']}")
