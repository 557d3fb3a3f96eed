"""The example package, as if it had been installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "package"
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def mood(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that, on PYTHONPATH, is what `pip install tests/contract/package` leaves."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(PACKAGE / "mood_task", folder / "mood_task", ignore=shutil.ignore_patterns("__pycache__"))
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    information = folder / f"mood_task-{project['version']}.dist-info"
    information.mkdir()
    text = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (information / "METADATA").write_text(text)
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    )
    (information / "entry_points.txt").write_text(points)
    return folder


@pytest.fixture
def shell(mood: Path, tmp_path: Path) -> Shell:
    """Return a function that runs `python ARGUMENTS` with the example package installed, in a folder of its own."""
    home = tmp_path / "home"

    def run(*arguments: str, seconds: float = 120, **environ: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(mood), str(PACKAGE.parents[2])])
        env = {**os.environ, "PYTHONPATH": path, "AUTOTRAIN_GRADIO_HOME": str(home), **environ}
        return subprocess.run(
            [sys.executable, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=seconds
        )

    return run
