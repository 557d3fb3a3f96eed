"""What a machine can do wrong is a message, and no traceback: homes, names of files, locales, ports."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from autotrain_gradio.cli.main import main

LONG = "x" * 5000


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit status and what it says on stderr."""
    code = main(list(arguments))
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: p.write_text("x") and p, "a file is in its place"),
        (lambda p: p.write_text("x") and p / "below", "a file is in its place"),
        (lambda p: p.symlink_to(p) or p, "links lead in a circle"),
        (lambda p: p / LONG, "its path is too long"),
        (lambda p: Path("/proc/nowhere"), "does not exist and cannot be created"),
    ],
    ids=["a file", "below a file", "a loop", "too long", "not to be created"],
)
@pytest.mark.parametrize("arguments", [["runs"], ["check", "text-classification", "--data-path", "sms"], ["app"]])
def test_a_home_that_cannot_be_used_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    make: object,
    reason: str,
    arguments: list[str],
) -> None:
    home = make(tmp_path / "home")  # type: ignore[operator]
    if arguments == ["runs"] and str(home).startswith("/proc"):
        pytest.skip("a home that does not exist has no runs")
    monkeypatch.setenv("AUTOTRAIN_GRADIO_HOME", str(home))
    code, said = run(capsys, *arguments)
    assert code == 1 and reason in said and "AUTOTRAIN_GRADIO_HOME" in said and len(said) < 700, said


def test_a_home_that_is_read_only_can_be_listed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "runs").mkdir(parents=True)
    real = Path.mkdir

    def refuse(self: Path, *given: object, **more: object) -> None:
        if self.parent == home / "runs":  # the tests may run as root, whom no permission stops
            raise OSError(30, "Read-only file system", str(self))
        real(self, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert run(capsys, "runs") == (0, "")
    code, said = run(capsys, "check", "text-classification", "--data-path", "sms")
    assert code == 1 and "its file system is read-only" in said


@pytest.mark.parametrize("name", [LONG, "/" + "x" * 300 + ".yaml", "~nosuchuser/run.yaml", "/", "/dev/null/run.yaml"])
@pytest.mark.parametrize("command", ["check", "train"])
def test_a_name_that_is_no_file_is_said_in_short(
    home: Path, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    code, said = run(capsys, command, name)
    assert code == 1 and "Name a YAML file" in said and len(said) < 400, said


@pytest.mark.parametrize("arguments", [["show", "\udcff"], ["check", "/tmp/a\udcfe.yaml"], ["runs", "--x=\udcff"]])
def test_an_argument_that_is_not_utf8_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    code, said = run(capsys, *arguments)
    assert code == 2 and "not UTF-8" in said and "\\udcf" in said


def test_a_locale_without_a_character_prints_its_code(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stderr", out)
    assert main(["show", "Größe"]) == 1
    out.flush()
    assert b"Gr\\xf6\\xdfe" in out.buffer.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "variable", "said"),
    [
        (["--port", "99999"], None, "'99999' is not a port"),
        (["--port", "-1"], None, "'-1' is not a port"),
        ([], "abc", "'abc' is not a port"),
        (["--host", "nonsense.invalid"], None, "cannot listen on 'nonsense.invalid'"),
        (["--host", "203.0.113.7"], None, "cannot listen on '203.0.113.7'"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    variable: str | None,
    said: str,
) -> None:
    if variable is not None:
        monkeypatch.setenv("GRADIO_SERVER_PORT", variable)
    code, text = run(capsys, "app", *arguments)
    assert code == 1 and said in text and "in use" not in text, text


def test_a_file_that_cannot_be_written_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: object) -> int:
        os.stat("/" + "x" * 300)
        return 0

    monkeypatch.setattr("autotrain_gradio.cli.main.parse", lambda *given: lambda: fail(given))
    code, text = run(capsys, "runs")
    assert code == 1 and "cannot be used: File name too long" in text and len(text) < 400
