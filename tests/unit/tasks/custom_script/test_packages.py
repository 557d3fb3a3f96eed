"""Environments: packages from a folder of wheels, the cache, and errors, without network."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.tasks.custom_script import packages
from autotrain_gradio.tasks.custom_script.requirements_file import parse_requirements


def _wheel(folder: Path, name: str, version: str = "1.0") -> None:
    """Write a wheel with one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)


def _prepare(tmp_path: Path, requirements: str, **settings: Any) -> tuple[Path, list[str], str]:
    project = tmp_path / "project"
    project.mkdir(exist_ok=True)
    (project / "requirements.txt").write_text(requirements)
    written: list[bytes] = []
    reported: list[str] = []
    given = {"app_packages": False, "stop": lambda: False, **settings}
    environ = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_CACHE_DIR": "1"}
    environ |= {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(tmp_path / "wheels"), "UV_NO_CACHE": "1"}
    python = packages.prepare(
        tmp_path / "home", project, environ=environ, write=written.append, report=reported.append, **given
    )
    return python, reported, b"".join(written).decode()


def _run(python: Path, code: str) -> str:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip()


def test_packages_are_installed_once_for_each_content(tmp_path: Path) -> None:
    _wheel(tmp_path / "wheels", "tiny_words")
    python, reported, _ = _prepare(tmp_path, "tiny-words==1.0  # words\n")
    assert _run(python, "import tiny_words; print(tiny_words.VERSION)") == "1.0"
    assert "No module named 'numpy'" in _run(python, "import numpy"), "the app's packages are not visible"
    again, reported, output = _prepare(tmp_path, "# other comment\n\ntiny-words==1.0\n")
    assert again == python and reported == ["Using the cached environment"] and output == ""
    _wheel(tmp_path / "wheels", "tiny_words", "2.0")
    other, _, _ = _prepare(tmp_path, "tiny-words==2.0\n")
    assert other != python and _run(other, "import tiny_words; print(tiny_words.VERSION)") == "2.0"


def test_the_apps_packages_are_visible_if_wanted_and_its_own_come_first(tmp_path: Path) -> None:
    _wheel(tmp_path / "wheels", "tiny_words")
    python, _, _ = _prepare(tmp_path, "tiny-words\n", app_packages=True)
    assert _run(python, "import numpy, tiny_words; print(tiny_words.VERSION)") == "1.0"


def test_a_package_that_does_not_exist_is_named_with_its_line(tmp_path: Path) -> None:
    _wheel(tmp_path / "wheels", "tiny_words")
    with pytest.raises(DataError) as failed:
        _prepare(tmp_path, "tiny-words\n# none\nnot-existing-words>=3\n")
    error = failed.value
    assert "not-existing-words" in error.message and error.findings[0].where == "requirements.txt, line 3"
    assert list((tmp_path / "home/cache/script-environments").glob("*/")) == [], "nothing incomplete is left"


def test_an_installer_sees_its_settings_and_no_other_variable_of_the_app(tmp_path: Path) -> None:
    written: list[bytes] = []
    secrets = {"HF_TOKEN": "t", "HUGGING_FACE_HUB_TOKEN": "t", "DATABASE_URL": "t", "WANDB_API_KEY": "t"}
    environ = {"PATH": os.environ["PATH"], "HTTPS_PROXY": "p", "PIP_INDEX_URL": "i", "UV_CACHE_DIR": "c", "CC": "cc"}
    program = tmp_path / "installer.py"
    program.write_text("import os\nprint('NAMES', *sorted(os.environ))\n")
    packages._install(
        [sys.executable, str(program)],
        tmp_path,
        parse_requirements(lambda path: b"words", "requirements.txt"),
        {**environ, **secrets},
        lambda: False,
        written.append,
    )
    names = next(line for line in b"".join(written).decode().splitlines() if line.startswith("NAMES")).split()
    assert set(environ) <= set(names) and not secrets.keys() & set(names)


def test_no_login_of_an_index_is_stored(tmp_path: Path) -> None:
    _wheel(tmp_path / "wheels", "tiny_words")
    _prepare(tmp_path, "--extra-index-url https://me:secret@127.0.0.1:9/simple\n--no-index\ntiny_words\n")
    mark = next((tmp_path / "home").rglob("complete.json"))
    assert "tiny_words" in mark.read_text() and "secret" not in mark.read_text()


def test_a_stop_ends_the_installation(tmp_path: Path) -> None:
    _wheel(tmp_path / "wheels", "tiny_words")
    with pytest.raises(packages.Stopped):
        _prepare(tmp_path, "tiny-words\n", stop=lambda: True)


def test_unused_environments_are_removed(tmp_path: Path) -> None:
    old, _, _ = _prepare(tmp_path, "")
    os.utime(old.parents[1] / packages.MARK, (1, 1))
    _wheel(tmp_path / "wheels", "tiny_words")
    new, _, _ = _prepare(tmp_path, "tiny-words\n")
    assert not old.parents[1].exists() and new.exists()


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "ERROR: Could not find a version that satisfies the requirement nope>=3 (from versions: none)\n"
            "ERROR: No matching distribution found for nope>=3",
            "No matching distribution found for nope>=3",
        ),
        (
            "  × No solution found when resolving dependencies:\n"
            "  ╰─▶ Because nope was not found in the package registry and you require\n"
            "      nope>=3, we can conclude that your requirements are unsatisfiable.",
            "No solution found when resolving dependencies: Because nope was not found in the package registry and you "
            "require nope>=3, we can conclude that your requirements are unsatisfiable.",
        ),
        ("error: Failed to parse: `x y`", "Failed to parse: `x y`"),
        (
            "error: No solution found when resolving dependencies\n  cause: Because nope was not found, it fails.",
            "No solution found when resolving dependencies: Because nope was not found, it fails.",
        ),
        ("all went well", ""),
    ],
)
def test_the_installers_reason(output: str, reason: str) -> None:
    assert packages.installer_reason(output.splitlines()) == reason


def test_included_files_and_local_folders_are_part_of_the_key(tmp_path: Path) -> None:
    files = {"requirements.txt": b"-r more.txt\n./lib\n", "more.txt": b"a==1\\\n ; python_version>'3'\n"}
    found = parse_requirements(files.get, "requirements.txt")
    assert found.local and found.names == {"a": "more.txt, line 1"} and found.findings == []
    (tmp_path / "lib.py").write_text("1")
    first = packages._key(tmp_path, found, app_packages=False)
    (tmp_path / "lib.py").write_text("2")
    assert packages._key(tmp_path, found, app_packages=False) != first
