"""The codes of findings are an interface: no code of the golden file may disappear."""

from __future__ import annotations

from pathlib import Path

import autotrain_gradio.tasks.llm_grpo
from tests.finding_codes import literal_codes, string_literals

PACKAGE = Path(autotrain_gradio.tasks.llm_grpo.__file__).parent
GOLDEN = Path(__file__).with_name("finding_codes.txt")
"""One code a line, sorted. A new code is added there with the code that reports it."""


def test_the_golden_file_has_the_codes_of_the_package() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").split()
    assert golden == sorted(set(golden)) and len(golden) > 10
    assert set(golden) - string_literals(PACKAGE) == set()
    assert literal_codes(PACKAGE) - set(golden) == set()
