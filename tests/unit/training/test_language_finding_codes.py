"""The codes of findings of language models are an interface: no code of the golden file may disappear."""

from __future__ import annotations

from pathlib import Path

import autotrain_gradio.training
from tests.finding_codes import literal_codes, string_literals

FOLDER = Path(autotrain_gradio.training.__file__).parent
MODULES = sorted([*FOLDER.glob("language_*.py"), *FOLDER.glob("chat_*.py"), *FOLDER.glob("preference_*.py")])
GOLDEN = Path(__file__).with_name("language_finding_codes.txt")
"""One code a line, sorted. A new code is added there with the code that reports it."""


def test_the_golden_file_has_the_codes_of_the_modules() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").split()
    assert golden == sorted(set(golden))
    assert set(golden) - set().union(*map(string_literals, MODULES)) == set()
    assert set().union(*map(literal_codes, MODULES)) - set(golden) == set()
