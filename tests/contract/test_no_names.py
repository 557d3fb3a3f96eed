"""The core decides nothing by the name of a task, kind, column role or source: a task may bring its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import autotrain_gradio
from autotrain_gradio.data import catalog
from autotrain_gradio.data.declarations import Kind
from autotrain_gradio.tasks.registry import registry

PACKAGE = Path(autotrain_gradio.__file__).parent
PLACES = (
    *("api.py", "backends", "cli", "core", "runs", "service", "worker"),
    *("tasks/base.py", "tasks/extension.py", "tasks/options.py", "tasks/registry.py", "tasks/views.py"),
    *("data/pipeline", "data/request.py", "data/rows.py", "data/source_resolution.py"),
)
ALLOWED = {
    ("data/pipeline/column_mapping.py", "path"): "a field of the struct that a cell of media is",
    ("data/pipeline/materialize.py", "feature"): "a key of what `check.json` says of a column",
    ("backends/dispatcher.py", "hub"): "a section of the spec",
    ("core/inputs/form.py", "number"): "the type of a field of the form",
    ("runs/snapshot.py", "id"): "a field of the record",
    ("runs/snapshot.py", "sample"): "a kind of event",
    ("runs/wire.py", "value"): "a field of a message",
    ("tasks/base.py", "group"): "a key of a parameter's schema",
    ("tasks/options.py", "path"): "a field of `DataSpec`",
    ("ui/column_kinds.py", "id"): "what a column of a table holds, as `data.options.kinds` names it",
}
"""(file, literal) → why this comparison is not about a task, kind, role or source."""


def declared_names() -> set[str]:
    """Return the names of all tasks, kinds, roles and sources."""
    found = {k.name for k in vars(catalog).values() if isinstance(k, Kind)}
    for task in registry():
        found |= {task.name, *(c.role for c in task.columns), *(c.kind.name for c in task.columns)}
        found |= {s.name for s in task.sources}
    return found


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and value of each string that something is compared with."""
    for node in ast.walk(tree):
        parts: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"startswith", "endswith"}:
            parts = list(node.args)
        for part in parts:
            inner = part.elts if isinstance(part, ast.Tuple | ast.List | ast.Set) else [part]
            yield from ((i.lineno, i.value) for i in inner if isinstance(i, ast.Constant) and isinstance(i.value, str))


def files(place: str) -> list[Path]:
    path = PACKAGE / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_compared_with_a_name(place: str) -> None:
    names = declared_names()
    assert len(names) > 20 and files(place)
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {value!r}"
        for path in files(place)
        for line, value in compared(ast.parse(path.read_text(encoding="utf-8")))
        if value in names and (str(path.relative_to(PACKAGE)), value) not in ALLOWED
    ]
    assert not found, "\n".join(found)
