"""The codes of findings are an interface: no code of the golden file may disappear."""

from __future__ import annotations

from pathlib import Path

import autotrain_gradio.tasks.custom_script
from tests.finding_codes import literal_codes, string_literals

PACKAGE = Path(autotrain_gradio.tasks.custom_script.__file__).parent
GOLDEN = Path(__file__).with_name("finding_codes.txt")
"""One code a line, sorted. A new code is added there with the code that reports it."""


def test_no_code_of_the_golden_file_disappears() -> None:
    golden = set(GOLDEN.read_text(encoding="utf-8").split())
    assert golden - string_literals(PACKAGE) == set()


def test_every_literal_code_is_in_the_golden_file() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").split()
    assert golden == sorted(set(golden))
    assert literal_codes(PACKAGE) - set(golden) == set()
