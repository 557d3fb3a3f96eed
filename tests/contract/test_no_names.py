"""No name of a task, kind, column role or source stands outside its defining module: a task may bring its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import autotrain_gradio
from autotrain_gradio.core.assets import ASSETS
from autotrain_gradio.data import catalog
from autotrain_gradio.data.declarations import Kind
from autotrain_gradio.tasks.registry import registry

PACKAGE = Path(autotrain_gradio.__file__).parent
DEFINING = {
    "data/catalog.py": "declares kinds, sources, layouts and checks",
    "data/checks/": "a module for each check, which knows the kinds that it is for",
    "data/kinds/": "a module for each kind",
    "data/layouts/": "a module for each layout, which names the columns that it makes",
    "data/sources/": "a module for each source",
    "extensions/": "a folder for each extension",
    "tasks/*/": "a folder for each task",
    "tasks/classification.py": "the columns that tasks of classification share",
    "tasks/tabular.py": "the columns that tasks of tables share",
    "training/tabular/": "the training of these, with their columns",
}
"""Modules that define such names → how."""
KEYS = {
    "id": "key of records, events, panels and messages",
    "label": "key of predictions and of items of panels; argument of Gradio's components",
    "labels": "key of panels, checks, metrics and of a batch in transformers",
    "number": "type of a value of a form or an option",
    "path": "key of `DataSpec`, of media cells and of records",
    "text": "key of panels and messages; type of a value of a form",
    "value": "key of messages and of items of panels; argument of Gradio's components",
}
"""Common words → what else they mean. They are still not allowed where something is compared with them."""
ALLOWED = {
    ("backends/dispatcher.py", "hub"): "section of the spec",
    ("cli/main.py", "number"): "type of an option",
    ("core/inputs/audio.py", "upload"): "source of Gradio's component",
    ("core/inputs/image.py", "upload"): "source of Gradio's component",
    ("core/inputs/declarations.py", "audio"): "name of an input kind",
    ("core/inputs/declarations.py", "image"): "name of an input kind",
    ("core/inputs/form.py", "features"): "key of a model's form.json",
    ("core/inputs/form.py", "number"): "type of a field of the form",
    ("core/panels/chart_svg.py", "end"): "text-anchor of SVG",
    ("core/panels/chart_svg.py", "start"): "text-anchor of SVG",
    ("core/panels/gallery.py", "group"): "key of an image of a gallery",
    ("core/panels/text.py", "end"): "key of a segment of a text",
    ("core/panels/text.py", "start"): "key of a segment of a text",
    ("core/spec.py", "hub"): "section of the spec",
    ("core/verb_results.py", "text"): "form of an item of a verb",
    ("data/declarations.py", "group"): "purpose of a column",
    ("data/declarations.py", "target"): "purpose of a column",
    ("data/files/arrow_files.py", "path"): "field of the struct that a cell of media is",
    ("data/pipeline/column_mapping.py", "path"): "field of the struct that a cell of media is",
    ("data/pipeline/features.py", "feature"): "attribute of a list's type in datasets",
    ("data/pipeline/materialize.py", "feature"): "key of a column in `check.json`",
    ("data/pipeline/materialize.py", "features"): "key of the manifest",
    ("data/pipeline/split.py", "group"): "purpose of a column",
    ("data/pipeline/takeover.py", "upload"): "folder of a draft",
    ("data/request.py", "upload"): "folder of a draft",
    ("data/rows.py", "target"): "purpose of a column",
    ("runs/publishing.py", "hub"): "section of the spec",
    ("runs/record.py", "hub"): "section of the spec",
    ("runs/record_lines.py", "sample"): "kind of event",
    ("runs/reporter.py", "sample"): "kind of event",
    ("runs/snapshot.py", "id"): "field of the record",
    ("runs/snapshot.py", "sample"): "kind of event",
    ("runs/wire.py", "value"): "field of a message",
    ("service/drafts.py", "upload"): "folder of a draft",
    ("service/summaries.py", "upload"): "folder of a draft",
    ("tasks/base.py", "group"): "key of a parameter's schema",
    ("tasks/extension.py", "target"): "purpose of a column",
    ("tasks/options.py", "path"): "field of `DataSpec`",
    ("training/audio.py", "audio"): "part of the names of a model's inputs in transformers",
    ("training/text.py", "labels"): "column of a batch in transformers",
    ("training/vision.py", "image"): "key of the result of albumentations",
    ("ui/column_kinds.py", "feature"): "key of a column in `check.json`",
    ("ui/column_kinds.py", "id"): "kind of a table's column, as `data.options.kinds` names it",
    ("ui/publish.py", "hub"): "section of the spec",
    ("ui/task_form.py", "hub"): "section of the spec",
    ("ui/upload_ledger.py", "path"): "field of the value of a file component",
}
"""(file, literal) → why this is not about a task, kind, role or source."""


def declared_names() -> set[str]:
    """Return the names of all tasks, kinds, roles and sources."""
    found = {k.name for k in vars(catalog).values() if isinstance(k, Kind)}
    for task in registry():
        found |= {task.name, *(c.role for c in task.columns), *(c.kind.name for c in task.columns)}
        found |= {s.name for s in task.sources}
    return found


def checked_files() -> list[Path]:
    """Return the modules that must not name what others define."""

    def defines(path: Path) -> bool:
        name = path.relative_to(PACKAGE).as_posix()
        folder = name.count("/") > 1 and name.startswith("tasks/")
        return folder or any(name.startswith(place) for place in DEFINING if "*" not in place)

    return [path for path in sorted(PACKAGE.rglob("*.py")) if not defines(path)]


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield the strings of a module, without docstrings."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node


def compared(tree: ast.AST) -> Iterator[ast.Constant]:
    """Yield each string that something is compared with."""
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
            yield from (i for i in inner if isinstance(i, ast.Constant) and isinstance(i.value, str))


def test_no_module_names_what_another_one_defines() -> None:
    names, files = declared_names(), checked_files()
    assert len(names) > 20 and len(files) > 150
    assert {"ui", "service", "training", "core", "data"} <= {p.relative_to(PACKAGE).parts[0] for p in files}
    found, used = [], set()
    for path in files:
        tree, file = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(PACKAGE).as_posix()
        decisions = {id(node) for node in compared(tree)}
        for node in literals(tree):
            name = node.value
            if name not in names:
                continue
            used.add((file, name))
            if (file, name) not in ALLOWED and (id(node) in decisions or name not in KEYS):
                found.append(f"{file}:{node.lineno}: {name!r}")
    assert not found, "\n".join(found)
    assert not ALLOWED.keys() - used, "these exceptions are not needed any more"


def test_no_text_contains_the_name_of_a_task_or_an_extension() -> None:
    names = {task.name for task in registry()} | {extension.name for extension in registry().extensions}
    found = []
    for path in checked_files():
        for node in literals(ast.parse(path.read_text(encoding="utf-8"))):
            words = node.value.lower().replace("_", "-").replace("/", " ").replace(".", " ").split()
            if names & set(words):
                found.append(f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value!r}")
    for path in (*ASSETS.glob("*.css"), *ASSETS.rglob("*.js")):
        found += [f"{path.name}: {name}" for name in names if name in re.findall(r"[\w-]+", path.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_a_name_is_found_in_a_comparison_and_in_a_literal() -> None:
    tree = ast.parse("'''label'''\nx = y == 'label'\nz = {'target': 1}\nx.startswith('hub')\n")
    assert {n.value for n in literals(tree)} == {"target", "label", "hub"}
    assert {n.value for n in compared(tree)} == {"label", "hub"}
