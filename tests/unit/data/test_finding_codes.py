"""The codes of findings are an interface: no code of the golden file may disappear from `data/`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import autotrain_gradio.data

PACKAGE = Path(autotrain_gradio.data.__file__).parent
GOLDEN = Path(__file__).with_name("finding_codes.txt")
"""One code a line, sorted. A new code is added there with the code that reports it."""
BUILDERS = {"Finding", "finding", "_report", "_error", "report_examples"}
"""Functions whose second argument is the code of a finding."""


def syntax() -> Iterator[ast.AST]:
    """Yield every node of every module of the data layer."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def literal_codes() -> set[str]:
    """Return the codes given as literals: second argument of `BUILDERS`, fourth argument of an error."""
    found = set()
    for node in syntax():
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        position = 1 if name in BUILDERS else 3 if name.endswith("Error") else None
        if position is None:
            continue
        given = [*node.args[position : position + 1], *(k.value for k in node.keywords if k.arg == "code")]
        found |= {n.value for n in given if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found


def test_no_code_of_the_golden_file_disappears() -> None:
    golden = set(GOLDEN.read_text(encoding="utf-8").split())
    strings = {n.value for n in syntax() if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    assert len(golden) > 190
    assert golden - strings == set()


def test_every_literal_code_is_in_the_golden_file() -> None:
    golden = GOLDEN.read_text(encoding="utf-8").split()
    assert golden == sorted(set(golden))
    assert literal_codes() - set(golden) == set()
