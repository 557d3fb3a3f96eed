"""What an installation has: the samples and the page's files come with the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autotrain_gradio.core.assets import ASSETS, sample_folder
from autotrain_gradio.tasks.registry import registry

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "autotrain_gradio"


def test_the_wheel_carries_samples_and_the_files_of_the_page(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    command = ["setup.py", "-q", "egg_info", f"--egg-base={tmp_path}", "build_py", f"--build-lib={tmp_path}"]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, capture_output=True)
    packed = {f.relative_to(tmp_path / "autotrain_gradio") for f in tmp_path.rglob("autotrain_gradio/**/*.*")}
    assert Path("ui/theme.py") in packed
    paths = [sample.path for task in registry() for sample in task.samples]
    paths += [s.sample for task in registry() for s in task.sources if s.sample]
    samples = [sample_folder(path) for path in paths]
    assert len(samples) >= 6 and all(s.is_dir() for s in samples)
    assert [p for p in paths if ":" in p]  # one lies in the package
    bases = [PACKAGE if s.is_relative_to(PACKAGE) else ASSETS.parent for s in samples]
    wanted = {f.relative_to(b) for s, b in zip(samples, bases, strict=True) for f in s.rglob("*") if f.is_file()}
    wanted |= {Path("assets", name) for name in ("page.css", "page.js", "logo.svg")}
    assert len(wanted) > 200 and wanted <= packed
    assert not [f for f in packed if "tests" in f.parts]
    answer = subprocess.run(
        [sys.executable, "-P", "-c", "from autotrain_gradio.core.assets import ASSETS; print(ASSETS)"],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert Path(answer.stdout.strip()) == tmp_path / "autotrain_gradio" / "assets"
