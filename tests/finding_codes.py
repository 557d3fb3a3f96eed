"""The codes of findings in the code of a package: an interface, which golden files hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

BUILDERS = {"Finding", "findings", "_report", "_error", "report_examples"}
"""Functions whose second argument is the code of a finding."""


def syntax(package: Path) -> Iterator[ast.AST]:
    """Yield every node of every module of a package, without its tests; or of a single module."""
    for path in [package] if package.is_file() else sorted(package.rglob("*.py")):
        if "tests" not in path.relative_to(package).parts[:-1]:
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def string_literals(package: Path) -> set[str]:
    """Return all strings in the code of a package."""
    return {n.value for n in syntax(package) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def literal_codes(package: Path) -> set[str]:
    """Return the codes given as literals: second argument of `BUILDERS`, fourth argument of an error."""
    found = set()
    for node in syntax(package):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        position = 1 if name in BUILDERS else 3 if name.endswith("Error") else None
        if position is None:
            continue
        given = [*node.args[position : position + 1], *(k.value for k in node.keywords if k.arg == "code")]
        found |= {n.value for n in given if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found
