"""What all tests share: an environment without network, tokens or the developer's own runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

pytest_plugins = ("tests.browser",)
"""The fixtures of the page's tests, which the extensions' tests use too; loaded after what is set below."""

_PRIVATE = tempfile.TemporaryDirectory(prefix="autotrain-tests-", ignore_cleanup_errors=True)
_ENVIRONMENT = {
    "AUTOTRAIN_GRADIO_HOME": f"{_PRIVATE.name}/home",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_TEMP_DIR": f"{_PRIVATE.name}/gradio",
    # Nothing listens there: a test that asks the Hub fails at once, with or without a network.
    "HF_ENDPOINT": "http://127.0.0.1:9",
    "HF_HOME": f"{_PRIVATE.name}/hub",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # As the worker's environment has it: threads that spin starve each other where other processes are busy.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}
# Before any test module imports a library that reads them.
os.environ.update(_ENVIRONMENT)
# Workers and commands are started hundreds of times: only the first of them compiles the modules.
for _name in (
    "PYTHONDONTWRITEBYTECODE",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "SPACE_ID",
    "AUTOTRAIN_GRADIO_SHARED",
    "AUTOTRAIN_GRADIO_SLOTS",
):
    os.environ.pop(_name, None)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file run in one process (`--dist loadgroup`), as their fixtures are shared; not the task contract.

    That file takes most of a minute for each task: it is divided by task.
    """
    for item in items:
        task = getattr(item, "callspec", None) and item.callspec.params.get("task")  # type: ignore[attr-defined]
        divided = task is not None and item.path.name == "test_task_contract.py"
        group = task.name if divided else item.path.relative_to(item.config.rootpath).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the app of the test's own, named by the environment too."""
    path = tmp_path / "home"
    monkeypatch.setenv("AUTOTRAIN_GRADIO_HOME", str(path))
    return path


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """End workers and servers that the tests left behind, and fail because of them."""
    yield
    roots = (str(tmp_path_factory.getbasetemp()), _PRIVATE.name)
    left = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        if process.pid != os.getpid() and any(root in command for root in roots):
            left.append(command)
            process.kill()
    if left:
        pytest.fail("processes were left behind:\n" + "\n".join(left))
