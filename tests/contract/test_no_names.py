"""No name of a task, kind, column role or source stands outside its defining module: a task may bring its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
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
    "tasks/audio.py": "the columns that tasks of audio share",
    "tasks/classification.py": "the columns that tasks of classification share",
    "tasks/conversations.py": "the formats that tasks of language models share",
    "tasks/images.py": "the column that tasks of images share",
    "tasks/regression.py": "the column that tasks of regression share",
    "tasks/preferences.py": "the formats that tasks of preferences share",
    "tasks/tabular.py": "the columns that tasks of tables share",
    "training/class_labels.py": "the labels of tasks of classification, with their column",
    "training/image_*.py": "the training on images, with their column",
    "training/preference_*.py": "the training on these, with their columns",
    "training/tabular/": "the training of these, with their columns",
}
"""Modules that define such names, as patterns of paths; a folder ends with a slash → how."""
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
    ("api/openai_requests.py", "audio"): "parameter of OpenAI's API",
    ("api/openai_requests.py", "prompt"): "parameter of OpenAI's API",
    ("api/openai_requests.py", "text"): "type of a part of a message in OpenAI's API",
    ("api/openai_requests.py", "tools"): "parameter of OpenAI's API",
    ("backends/run_secrets.py", "hub"): "section of the spec",
    ("backends/warm.py", "context"): "field of a call",
    ("cli/main.py", "number"): "type of an option",
    ("core/inputs/audio.py", "upload"): "source of Gradio's component",
    ("core/inputs/image.py", "upload"): "source of Gradio's component",
    ("core/inputs/declarations.py", "audio"): "name of an input kind",
    ("core/inputs/declarations.py", "image"): "name of an input kind",
    ("cli/main.py", "tools"): "name of a command",
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
    ("data/tables/missing_header.py", "answer"): "usual name of a column",
    ("data/tables/missing_header.py", "question"): "usual name of a column",
    ("data/values/multi_select.py", "answers"): "key of a description of a column",
    ("data/rows.py", "target"): "purpose of a column",
    ("runs/publishing.py", "hub"): "section of the spec",
    ("runs/record.py", "hub"): "section of the spec",
    ("runs/record_lines.py", "sample"): "kind of event",
    ("runs/reporter.py", "sample"): "kind of event",
    ("runs/snapshot.py", "id"): "field of the record",
    ("runs/snapshot.py", "sample"): "kind of event",
    ("runs/wire.py", "value"): "field of a message",
    ("service/drafts.py", "question"): "what a picker asks its source",
    ("service/drafts.py", "upload"): "folder of a draft",
    ("service/hub_models.py", "hub"): "folder of the cache of huggingface_hub",
    ("service/summaries.py", "upload"): "folder of a draft",
    ("tasks/base.py", "group"): "key of a parameter's schema",
    ("tasks/extension.py", "target"): "purpose of a column",
    ("tasks/options.py", "path"): "field of `DataSpec`",
    ("training/audio.py", "audio"): "part of the names of a model's inputs in transformers",
    ("training/chat_prediction.py", "answer"): "what a message calls the result",
    ("training/explain_verb.py", "image"): "argument of the verb, which its declaration names",
    ("training/language_evaluation.py", "prompt"): "what a panel calls the text",
    ("training/text.py", "labels"): "column of a batch in transformers",
    ("training/vision.py", "image"): "key of the result of albumentations",
    ("ui/column_kinds.py", "feature"): "key of a column in `check.json`",
    ("ui/column_kinds.py", "id"): "kind of a table's column, as `data.options.kinds` names it",
    ("ui/messages.py", "question"): "tone of a message",
    ("ui/publish.py", "hub"): "section of the spec",
    ("ui/task_form.py", "hub"): "section of the spec",
    ("ui/upload_ledger.py", "path"): "field of the value of a file component",
    ("worker/serve.py", "context"): "field of a call",
    ("worker/verbs/browse.py", "question"): "what a picker asks its source",
    ("tasks/texts.py", "document"): "usual name of a column",
    ("tasks/texts.py", "query"): "usual name of a column",
    ("tasks/texts.py", "question"): "usual name of a column",
}
"""(file, literal) → why this is not about a task, kind, role or source."""


def declared_names() -> set[str]:
    """Return the names of all tasks, kinds, roles and sources."""
    found = {k.name for k in vars(catalog).values() if isinstance(k, Kind)}
    for task in registry():
        found |= {task.name, *(c.role for c in task.columns), *(c.kind.name for c in task.columns)}
        found |= {s.name for s in task.sources}
    return found


def defines(file: str, place: str) -> bool:
    """Whether a file is in a place of `DEFINING`."""
    return fnmatch(file, f"{place}*" if place.endswith("/") else place)


def checked_files(package: Path) -> dict[str, Path]:
    """Return the modules that must not name what others define, by their paths in the package."""
    files = {path.relative_to(package).as_posix(): path for path in sorted(package.rglob("*.py"))}
    return {file: path for file, path in files.items() if not any(defines(file, place) for place in DEFINING)}


def named_elsewhere(package: Path) -> Iterator[tuple[str, int, str, bool]]:
    """Yield file, line and name of each literal that names what another module defines.

    The fourth value: whether something is compared with it.
    """
    names = declared_names()
    for file, path in checked_files(package).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        decisions = {id(node) for node in compared(tree)}
        yield from ((file, n.lineno, n.value, id(n) in decisions) for n in literals(tree) if n.value in names)


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
    files = checked_files(PACKAGE)
    assert len(declared_names()) > 20 and len(files) > 150
    assert {"ui", "service", "training", "core", "data"} <= {file.partition("/")[0] for file in files}
    used = list(named_elsewhere(PACKAGE))
    found = [
        f"{file}:{line}: {name!r}"
        for file, line, name, decides in used
        if (file, name) not in ALLOWED and (decides or name not in KEYS)
    ]
    assert not found, "\n".join(found)
    assert not ALLOWED.keys() - {(file, name) for file, _, name, _ in used}, "these exceptions are not needed any more"


def test_no_text_contains_the_name_of_a_task_or_an_extension() -> None:
    names = {task.name for task in registry()} | {extension.name for extension in registry().extensions}
    found = []
    for file, path in checked_files(PACKAGE).items():
        for node in literals(ast.parse(path.read_text(encoding="utf-8"))):
            words = node.value.lower().replace("_", "-").replace("/", " ").replace(".", " ").split()
            if names & set(words):
                found.append(f"{file}:{node.lineno}: {node.value!r}")
    for path in (*ASSETS.glob("*.css"), *ASSETS.rglob("*.js")):
        found += [f"{path.name}: {name}" for name in names if name in re.findall(r"[\w-]+", path.read_text("utf-8"))]
    assert not found, "\n".join(found)


def test_a_name_is_found_in_a_comparison_and_in_a_literal() -> None:
    tree = ast.parse("'''label'''\nx = y == 'label'\nz = {'target': 1}\nx.startswith('hub')\n")
    assert {n.value for n in literals(tree)} == {"target", "label", "hub"}
    assert {n.value for n in compared(tree)} == {"label", "hub"}


def test_a_planted_name_is_found_outside_the_modules_that_define_names(tmp_path: Path) -> None:
    files = ("tasks/base.py", "tasks/mood/train.py", "data/kinds/mood.py", "training/tabular/mood.py", "ui/mood.py")
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("is_label = kind == 'label'\nkey = {'label': 1}\n")
    expected = [
        ("tasks/base.py", 1, True),
        ("tasks/base.py", 2, False),
        ("ui/mood.py", 1, True),
        ("ui/mood.py", 2, False),
    ]
    assert [(file, line, decides) for file, line, _, decides in named_elsewhere(tmp_path)] == expected


def test_each_pattern_of_defining_modules_matches_one() -> None:
    files = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py")]
    assert [place for place in DEFINING if not any(defines(file, place) for file in files)] == []
