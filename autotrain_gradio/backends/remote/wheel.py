"""A wheel of the code that is running, so that the machine trains with the same version as the app.

It is written from the package's files, and from pyproject.toml beside them or the metadata of the installed
distribution: no build tool is needed, and it does not matter whether the app was installed from PyPI, from git or in
editable mode, or runs from its source tree as on a Space.
"""

from __future__ import annotations

import base64
import hashlib
import io
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from autotrain_gradio import __version__

PROJECT = "autotrain-gradio"
STEM = f"autotrain_gradio-{__version__}"
NAME = f"{STEM}-py3-none-any.whl"
PACKAGE = Path(__file__).resolve().parents[2]
TIME = (2020, 1, 1, 0, 0, 0)
"""Time of all entries, so that equal code gives equal bytes."""
WHEEL = "Wheel-Version: 1.0\nGenerator: autotrain-gradio\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
# The format: https://packaging.python.org/en/latest/specifications/binary-distribution-format/


def build() -> bytes:
    """Return the content of the wheel `NAME`.

    Raises:
        metadata.PackageNotFoundError: there is neither a source tree nor an installed distribution.
    """
    information = f"{STEM}.dist-info"
    files = dict(_package_files())
    for name, text in (_source_metadata() or _installed_metadata()).items():
        files[f"{information}/{name}"] = text.encode()
    files[f"{information}/WHEEL"] = WHEEL.encode()
    record = f"{information}/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, TIME)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()


def _source_metadata() -> dict[str, str] | None:
    """Return the metadata that pyproject.toml of the source tree declares; None outside of one."""
    path = PACKAGE.parent / "pyproject.toml"
    if not path.is_file():
        return None
    project = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    if project.get("name") != PROJECT:
        return None
    lines = ["Metadata-Version: 2.4", f"Name: {PROJECT}", f"Version: {__version__}"]
    lines.append(f"Requires-Python: {project['requires-python']}")
    lines += [f"Requires-Dist: {needed}" for needed in project["dependencies"]]
    for extra, needs in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {needed}; extra == "{extra}"' for needed in needs]
    points = "".join(f"{name} = {value}\n" for name, value in project.get("scripts", {}).items())
    return {"METADATA": "\n".join([*lines, ""]), "entry_points.txt": f"[console_scripts]\n{points}"}


def _installed_metadata() -> dict[str, str]:
    found = metadata.distribution(PROJECT)
    texts = {name: found.read_text(name) for name in ("METADATA", "entry_points.txt")}
    return {name: text for name, text in texts.items() if text}


def _package_files() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the package by their path, without samples and what only the page needs (`core/assets.py`)."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and not path.is_relative_to(PACKAGE / "assets"):
            yield f"{PACKAGE.name}/{path.relative_to(PACKAGE).as_posix()}", path.read_bytes()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
