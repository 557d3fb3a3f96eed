"""The environment of a script: a virtual environment with the packages of its requirements, cached. Workers only."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import site
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.inherited_environment import inherited
from autotrain_gradio.core.json_files import write_json
from autotrain_gradio.core.text_format import join_examples, one_line
from autotrain_gradio.tasks.custom_script.environment import OF_THE_APP
from autotrain_gradio.tasks.custom_script.project import REQUIREMENTS, normalized
from autotrain_gradio.tasks.custom_script.requirements_file import Requirements, parse_requirements
from autotrain_gradio.tasks.custom_script.script_output import OutputLog
from autotrain_gradio.tasks.custom_script.script_process import run_process

VERSION = 1
"""Part of every key: raise it when environments are made differently."""
FOLDER = Path("cache") / "script-environments"
MARK = "complete.json"
UNUSED_DAYS = 30.0
"""Environments that were not used for so long are removed when another one is made."""
STOP_GRACE = 5.0
INSTALLER_PREFIXES = ("PIP_", "UV_")
BUILD_VARIABLES = frozenset(
    {*("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"), *("MAKEFLAGS", "PKG_CONFIG_PATH", "NETRC")}
)
"""Settings of compilers, and the file with the logins of package indexes, which an installer inherits."""
NO_NETWORK = re.compile(
    r"(NewConnectionError|Failed to establish|Name or service not known|Temporary failure in name resolution"
    r"|Connection refused|Could not connect|timed out|dns error|ProxyError|tcp connect error)",
    re.IGNORECASE,
)


class Stopped(Exception):
    """A stop was requested while the environment was made."""


def prepare(
    home: Path,
    project: Path,
    *,
    app_packages: bool,
    environ: Mapping[str, str],
    stop: Callable[[], bool],
    write: Callable[[bytes], object],
    report: Callable[[str], None],
) -> Path:
    """Return the Python interpreter of an environment with the project's requirements; make it if there is none.

    home: of the app; environments of all runs lie in its cache, by the digest of what determines them.
    project: folder of the script. app_packages: the packages of this app can be imported as well.
    environ: of the worker, with the settings of pip and uv. stop: whether to stop. write: appends to the log.
    report: is given the current activity.

    Raises:
        DataError: a package cannot be installed.
        Stopped: a stop was requested.
    """

    def read(path: str) -> bytes | None:
        file = project / path
        return file.read_bytes() if file.is_file() else None

    required = parse_requirements(read, REQUIREMENTS)
    uv = None if app_packages else shutil.which("uv")
    folder = home / FOLDER / _key(project, required, app_packages=app_packages)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    with _locked(folder, stop, report):
        if (folder / MARK).is_file() and python.exists():
            os.utime(folder / MARK)
            report("Using the cached environment")
            return python
        report("Making the environment of the script")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            command = _create(folder, python, uv, app_packages=app_packages)
            if required.lines:
                report(f"Installing the packages of {REQUIREMENTS}")
                _install(command, project, required, environ, stop, write)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        facts = {"python": sys.version, "requirements": required.shown(), "app": app_packages}
        write_json(folder / MARK, facts)
    _remove_unused(folder)
    return python


def _key(project: Path, required: Requirements, *, app_packages: bool) -> str:
    """Return the digest of all that determines an environment: Python, requirements, files that are installed."""
    parts: list[Any] = [VERSION, sys.version, platform.machine(), [text for _, _, text in required.lines]]
    parts.append(sys.prefix if app_packages else "")
    if required.local:
        digest = hashlib.sha256()
        for file in sorted(p for p in project.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(project)}\0".encode())
            with file.open("rb") as content:
                digest.update(hashlib.file_digest(content, "sha256").digest())
        parts.append(digest.hexdigest())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@contextlib.contextmanager
def _locked(folder: Path, stop: Callable[[], bool], report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of an environment; another run may be making it."""
    lock = FileLock(f"{folder}.lock")
    waited = False
    while True:
        try:
            lock.acquire(timeout=0.5)
            break
        except Timeout:
            if not waited:
                report("Waiting for another run that makes the same environment")
            waited = True
            if stop():
                raise Stopped from None
    try:
        yield
    finally:
        lock.release()


def _create(folder: Path, python: Path, uv: str | None, *, app_packages: bool) -> list[str]:
    """Make an empty environment; return the command that installs packages in it."""
    has_pip = uv is not None or importlib.util.find_spec("pip") is not None
    venv.EnvBuilder(symlinks=True, with_pip=not has_pip, clear=True).create(folder)
    if app_packages:
        paths = sysconfig.get_paths()
        own = dict.fromkeys((paths["purelib"], paths["platlib"], *site.getsitepackages()))
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        target = folder / "lib" / version / "site-packages" / "packages_of_the_app.pth"
        target.write_text("".join(f"{path}\n" for path in own if Path(path).is_dir()), encoding="utf-8")
    if uv is not None:
        return [uv, "pip", "install", "--no-progress", "--python", str(python)]
    pip = [sys.executable, "-m", "pip", "--python", str(python)] if has_pip else [str(python), "-m", "pip"]
    return [*pip, "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]


def _install(
    command: list[str],
    project: Path,
    required: Requirements,
    environ: Mapping[str, str],
    stop: Callable[[], bool],
    write: Callable[[bytes], object],
) -> None:
    env = {n: v for n, v in {**inherited(environ), **_of_installers(environ)}.items() if n not in OF_THE_APP}
    log = OutputLog(write)

    def output(data: bytes) -> None:
        for _ in log.feed(data):
            pass

    ended = run_process(
        [*command, "-r", REQUIREMENTS],
        folder=project,
        env={**env, "PYTHONUNBUFFERED": "1"},
        output=output,
        stop=stop,
        grace=STOP_GRACE,
    )
    for _ in log.close():
        pass
    if ended.stopped:
        raise Stopped
    if ended.code:
        raise _install_error(list(log.last), required, ended.code)


def _of_installers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of pip, uv and compilers; a package that is built sees no other variables of the app."""
    return {n: v for n, v in environ.items() if n in BUILD_VARIABLES or n.startswith(INSTALLER_PREFIXES)}


def _install_error(lines: list[str], required: Requirements, code: int) -> DataError:
    """Return the error for packages that could not be installed, with the installer's reason and the line."""
    reason = installer_reason(lines) or f"The installer exited with status {code}"
    place = next((place for name, place in required.names.items() if _mentions(reason, name)), REQUIREMENTS)
    hint = "Check the name and the version. The log has the installer's output."
    if any(NO_NETWORK.search(line) for line in lines):
        hint = "The package index cannot be reached: check the network connection and the index. See the log."
    message = f"The packages of {REQUIREMENTS} cannot be installed: {reason.rstrip('.')}."
    return DataError(message, hint, place, "packages-not-installed")


def installer_reason(lines: list[str]) -> str:
    """Return the reason in the output of pip or uv; empty if it has none."""
    errors = [line.partition("ERROR: ")[2] for line in lines if line.startswith("ERROR: ")]
    final = [e for e in errors if e.startswith("No matching distribution") or "conflict" in e.lower()]
    if errors:
        return one_line((final or errors)[0], 400)
    begin = next((i for i, line in enumerate(lines) if re.match(r"\s*(×|error: |error$)", line)), None)
    if begin is None:
        return ""
    words = [re.sub(r"^[\s×│├╰─▶▸]+|^error:\s*", "", line) for line in lines[begin : begin + 8]]
    text = " ".join(w for w in words if w and not w.startswith("hint:"))
    return one_line(re.sub(r":? (cause|Caused by): ", ": ", text), 400)


def _mentions(text: str, name: str) -> bool:
    words = {normalized(word) for word in re.findall(r"[A-Za-z0-9][\w.-]*", text)}
    return normalized(name) in words or normalized(name) in {w.rstrip("-") for w in words}


def _remove_unused(current: Path) -> None:
    """Remove environments that no run has used for a while."""
    for mark in current.parent.glob(f"*/{MARK}"):
        folder = mark.parent
        if folder == current or time.time() - mark.stat().st_mtime < UNUSED_DAYS * 86_400:
            continue
        with contextlib.suppress(Timeout, OSError), FileLock(f"{folder}.lock", timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def missing_module(error: str, required: Requirements, *, app_packages: bool) -> str:
    """Return what to do about a `ModuleNotFoundError`; empty for another error. error: last line of the traceback."""
    match = re.match(r"ModuleNotFoundError: No module named '([\w.]+)'", error)
    if match is None:
        return ""
    name = match[1].partition(".")[0]
    more = "" if app_packages else ", or switch on 'Use the packages of this app' (app_packages) if it has it"
    known = join_examples(list(required.names), limit=8)
    return f"Add the package of '{name}' to {REQUIREMENTS}{more}. It requires: {known or 'nothing'}."
