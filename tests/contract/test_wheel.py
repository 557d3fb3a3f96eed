"""What an installation has: the samples and the page's files come with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrain_gradio.data.sources.sample import samples_folder
from autotrain_gradio.registry import registry
from autotrain_gradio.ui import theme

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "autotrain_gradio"


def test_the_wheel_carries_samples_and_the_files_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    setuptools = pytest.importorskip("setuptools")
    monkeypatch.chdir(ROOT)  # where setuptools looks for pyproject.toml
    made = setuptools.Distribution()
    made.parse_config_files()
    build = made.get_command_obj("build_py")
    build.ensure_finalized()
    files = build.get_data_files_without_manifest()
    packed = {Path(folder, name).resolve() for _, folder, _, names in files for name in names}
    samples = [samples_folder() / sample.path for task in registry() for sample in task.samples]
    samples += [samples_folder() / s.sample for task in registry() for s in task.sources if s.sample]
    assert len(samples) >= 6 and all(s.is_relative_to(PACKAGE) and s.is_dir() for s in samples)
    wanted = {f for s in samples for f in s.rglob("*") if f.is_file()}
    wanted |= {theme.CSS, theme.SCRIPT, theme.LOGO}
    assert len(wanted) > 200 and wanted <= packed
    assert not [f for f in packed if f.suffix == ".py"]
