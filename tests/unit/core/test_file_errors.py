"""Errors of files that the system refuses: one wording, wherever they happen."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from autotrain_gradio.cli import commands
from autotrain_gradio.core.errors import UserError
from autotrain_gradio.core.file_errors import NAME_CHARACTERS, unusable_file
from autotrain_gradio.core.home import unusable
from autotrain_gradio.runs.failure import findings_of

LONG = "x" * 5000


def test_a_file_is_named_with_the_reason_of_the_system() -> None:
    error = unusable_file(PermissionError(errno.EACCES, "Permission denied", "a.csv"))
    assert str(error.message) == "'a.csv' cannot be used: Permission denied." and error.code == "file-unusable"
    message = unusable_file(ValueError("embedded null byte"), "nul\0").message
    assert message == "'nul\0' cannot be used: embedded null byte."


def test_a_long_name_is_truncated_in_every_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    error = OSError(errno.ENAMETOOLONG, "File name too long", LONG)
    shown = f"'{'x' * (NAME_CHARACTERS - 1)}…' cannot be used: "
    with pytest.raises(UserError) as caught:
        commands._read_spec(LONG)
    for message in (
        unusable_file(error).message,
        findings_of(error, tmp_path)[0].message,
        unusable(Path(LONG), error).message,
        caught.value.message,
    ):
        assert shown in message
    assert caught.value.code == "no-file"
