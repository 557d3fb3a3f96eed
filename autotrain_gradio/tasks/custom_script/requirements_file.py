"""Lines of a requirements.txt: packages, options, and their errors. Workers only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement

from autotrain_gradio.core.errors import Finding, did_you_mean
from autotrain_gradio.core.text_format import pluralize

LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index")
OTHER_OPTIONS = ("--pre", "--prefer-binary", "--only-binary", "--no-binary", "--require-hashes", "--trusted-host")
FILE_OPTIONS = ("-r", "--requirement", "-c", "--constraint")
EDITABLE = ("-e", "--editable")
DEPTH = 5
"""Deepest nesting of files that include others."""


@dataclass
class Requirements:
    """The content of a requirements.txt and of the files that it includes.

    lines: `(file, number, text)` without comments, with logins of package indexes (see `shown`).
    names: of the packages → their place. local: whether a package is installed from the project's own files.
    indexes: options that choose another package index.
    """

    lines: list[tuple[str, int, str]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    indexes: list[str] = field(default_factory=list)
    local: bool = False
    findings: list[Finding] = field(default_factory=list)

    def shown(self) -> list[str]:
        """Return the text of the lines without logins: what may be shown and stored."""
        return [without_login(text) for _, _, text in self.lines]


def without_login(text: str) -> str:
    """Replace user names, passwords and tokens of addresses by `***`."""
    return LOGIN.sub("***@", text)


def parse_requirements(read: Callable[[str], bytes | None], path: str) -> Requirements:
    """Parse a file of requirements.

    read: path in the project → content; None if there is no such file. path: of the first file.
    """
    found = Requirements()
    _parse(read, path, found, 0)
    return found


def _parse(read: Callable[[str], bytes | None], path: str, found: Requirements, depth: int) -> None:
    content = read(path)
    if content is None:
        return
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # `pip freeze > requirements.txt` in PowerShell
        text = content.decode("utf-16", "replace")
    else:
        text = content.decode("utf-8-sig", "replace")
    number, joined, first = 0, "", 0
    for line in [*text.splitlines(), ""]:
        number += 1
        first = first if joined else number
        joined += line
        if joined.endswith("\\"):
            joined = joined[:-1] + " "
            continue
        entry, joined = re.sub(r"(^|\s)#.*$", "", joined).strip(), ""
        if entry:
            found.lines.append((path, first, entry))
            _parse_entry(read, path, first, entry, found, depth)


def _parse_entry(
    read: Callable[[str], bytes | None], path: str, line: int, entry: str, found: Requirements, depth: int
) -> None:
    place = f"{path}, line {line}"
    option, _, value = entry.replace("=", " ", 1).partition(" ") if entry.startswith("--") else entry.partition(" ")
    value = value.strip()
    if option in FILE_OPTIONS:
        inner = (PurePosixPath(path).parent / value).as_posix()
        if read(inner) is None:
            message = f"The file '{value}' that {path} includes does not exist."
            found.findings.append(Finding("error", "requirements-file-missing", message, "Add it.", place))
        elif depth >= DEPTH:
            message = f"{path} includes files more than {pluralize(DEPTH, 'level')} deep."
            hint = "Write the packages in one file."
            found.findings.append(Finding("error", "requirements-nested", message, hint, place))
        else:
            _parse(read, inner, found, depth + 1)
    elif option in EDITABLE:
        message = f"'{without_login(entry)[:80]}' installs in editable mode, from a folder removed with the run."
        package = without_login(value) or "./package"
        hint = f"Write '{package}' without {option}, or import the package from the folder of the script."
        found.findings.append(Finding("error", "requirements-editable", message, hint, place))
    elif option in INDEX_OPTIONS:
        found.indexes.append(without_login(entry))
    elif option in OTHER_OPTIONS:
        return
    elif option.startswith("-"):
        message = f"'{option[:60]}' is not an option of a requirements file."
        hint = did_you_mean(option, (*FILE_OPTIONS, *INDEX_OPTIONS, *OTHER_OPTIONS))
        found.findings.append(Finding("error", "requirements-invalid", message, hint, place))
    elif _is_local(entry):
        found.local = True
    elif "://" in entry.partition(" ")[0]:
        found.names.setdefault(without_login(entry), place)
    else:
        text = re.sub(r"\s--hash[= ]\S+", "", entry)
        try:
            found.names.setdefault(Requirement(text).name, place)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0].rstrip(".")
            message = f"'{without_login(text)[:80]}' is not a valid requirement: {reason}."
            hint = "Write a package and perhaps its versions, such as 'numpy>=2.0'."
            found.findings.append(Finding("error", "requirements-invalid", message, hint, place))


def _is_local(entry: str) -> bool:
    return (
        entry.startswith((".", "/", "~", "file:")) or entry.endswith((".whl", ".tar.gz", ".zip")) and "://" not in entry
    )
