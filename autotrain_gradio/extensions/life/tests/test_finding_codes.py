"""The codes of findings are an interface: no code of the golden file may disappear."""

from __future__ import annotations

from pathlib import Path

from tests.finding_codes import literal_codes, string_literals

FOLDER = Path(__file__).parent
GOLDEN = FOLDER / "finding_codes.txt"
"""One code a line, sorted. A new code is added there with the code that reports it."""


def test_no_code_of_the_golden_file_disappears() -> None:
    golden = set(GOLDEN.read_text(encoding="utf-8").split())
    assert len(golden) > 40
    assert golden - string_literals(FOLDER.parent) == set()


def test_every_literal_code_is_in_the_golden_file() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").split()
    assert golden == sorted(set(golden))
    assert literal_codes(FOLDER.parent) - set(golden) == set()
