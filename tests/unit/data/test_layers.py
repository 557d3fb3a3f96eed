"""The data package names nothing of the page, neither by import nor by a dotted path in a string."""

from __future__ import annotations

import ast
from pathlib import Path

import autotrain_gradio.data


def test_no_string_holds_a_dotted_path_of_the_page() -> None:
    files = sorted(Path(autotrain_gradio.data.__path__[0]).rglob("*.py"))
    assert len(files) > 50
    found = [
        f"{file.name}:{node.lineno}: {node.value[:80]}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "autotrain_gradio.ui" in node.value
    ]
    assert not found
