"""Checking the inputs from the field: each folder of `inputs` has a README with its source and what is expected."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autotrain_gradio import data
from autotrain_gradio.tasks.registry import resolve

INPUTS = Path(__file__).parent / "inputs"


@dataclass(frozen=True)
class Checked:
    """The result of a check, and the rows that it wrote."""

    result: dict[str, Any]
    draft: Path

    @property
    def errors(self) -> list[str]:
        """Codes of the errors."""
        return self.codes("error")

    def codes(self, *levels: str) -> list[str]:
        """Return the codes of the findings, of some levels or of all."""
        return [f["code"] for f in self.result["findings"] if not levels or f["level"] in levels]

    def message(self, code: str) -> str:
        """Return the text of the one finding of a code: message, hint and location."""
        found = [f for f in self.result["findings"] if f["code"] == code]
        assert len(found) == 1, (code, self.codes())
        return " ".join(str(found[0].get(key) or "") for key in ("message", "hint", "where"))

    def rows(self, split: str = "") -> list[dict[str, Any]]:
        """Return the rows of one split, or of all."""
        splits = data.load(self.draft)
        return [row for name, rows in splits.items() if split in ("", name) for row in rows]

    def column(self, name: str, split: str = "") -> list[Any]:
        """Return the values of a column."""
        return [row[name] for row in self.rows(split)]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return [label["name"] for label in self.result["labels"]]


CheckCase = Callable[..., Checked]


def check_path(folder: Path, task: str, path: Path, **settings: Any) -> Checked:
    """Check a file or folder with a task of the registry; settings: of the spec's data."""
    draft = folder / "home" / "runs" / "draft"
    draft.mkdir(parents=True)
    spec = resolve({"task": task, "data": {"source": "path", "path": str(path), **settings}})
    return Checked({**data.check(draft, data.Request.of(spec))}, draft)


@pytest.fixture
def check_case(tmp_path: Path) -> CheckCase:
    """Return a function that checks a copy of a case: `check_case("43-ljspeech", "automatic-speech-recognition")`.

    file: a path in the case's folder; empty: the whole folder.
    """

    def check(case: str, task: str, file: str = "", **settings: Any) -> Checked:
        copy = tmp_path / case
        shutil.copytree(INPUTS / case, copy, ignore=shutil.ignore_patterns("README"))
        return check_path(tmp_path, task, copy / file, **settings)

    return check
