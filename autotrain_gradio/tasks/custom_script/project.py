"""The project of a script: which file runs, what it imports, its arguments, its packages. Workers only."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from autotrain_gradio.core.errors import Finding

SCRIPT = "script.py"
REQUIREMENTS = "requirements.txt"
OUTPUT = "output"
"""Folder of a project whose files become the model of the run."""
MAX_SOURCE_BYTES = 5_000_000
IMPORT_NAMES = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "bs4": "beautifulsoup4",
    "dotenv": "python-dotenv",
    "dateutil": "python-dateutil",
    "faiss": "faiss-cpu",
    "OpenSSL": "pyopenssl",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
    "git": "gitpython",
    "docx": "python-docx",
}
"""Names of well-known packages that are imported by another name → that by which pip installs them."""


@dataclass(frozen=True)
class Project:
    """The script, and the folder that it is run in.

    script: path of the file to run, relative to the folder. folder: relative to the data, empty or with a `/` at its
        end.
    """

    script: str
    folder: str = ""

    @property
    def path(self) -> str:
        """Path of the script, relative to the data."""
        return f"{self.folder}{self.script}"

    def inside(self, path: str) -> str | None:
        """Return the path of a file relative to the project's folder; None if it lies elsewhere."""
        return path.removeprefix(self.folder) if path.startswith(self.folder) else None


def asked_script(options: Mapping[str, Any]) -> str:
    """Return the script that the user names in the options of the data; empty: none."""
    return str(options.get("script") or "").strip().removeprefix("./")


def find_project(paths: Sequence[str], *, asked: str = "", only: str | None = None) -> Project | None:
    """Return the project among the files of the data; None if it has no script.

    A zip may hold one folder with everything: the script nearest to the top is used.

    paths: relative to the data. asked: the script that the user names. only: the data is this one file.
    """
    if asked:
        return Project(asked) if asked in paths else None
    if only is not None:
        return Project(only) if only.endswith(".py") else None
    found = sorted((p for p in paths if PurePosixPath(p).name == SCRIPT), key=lambda p: (p.count("/"), p))
    top = [p for p in found if p.count("/") == found[0].count("/")]
    if len(top) != 1 or (top[0] != SCRIPT and any("/" not in p for p in paths if p.endswith(".py"))):
        return None
    return Project(SCRIPT, top[0].removesuffix(SCRIPT))


@dataclass
class ScriptFacts:
    """What the source of a script shows.

    arguments: `(names, default, help)` of each argument of its argparse parsers. imports: name of each top-level module
    → line of its first import. imports inside `try` are not counted.
    """

    lines: list[str]
    arguments: list[tuple[str, str, str]] = field(default_factory=list)
    imports: dict[str, int] = field(default_factory=dict)


def parse_source(source: bytes, path: str) -> tuple[ScriptFacts | None, Finding | None]:
    """Return the facts of a script, or a finding with the line of its syntax error. path: for messages."""
    if len(source) > MAX_SOURCE_BYTES:
        message = f"{path} has {len(source):,} bytes: it is not a script."
        hint = "Move its data to files beside it."
        return None, Finding("error", "script-too-large", message, hint, path)
    if b"\0" in source:
        message = f"{path} is not a text."
        return None, Finding("error", "script-syntax", message, "Save it as UTF-8.", path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes, which are not errors
            tree = ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        text = (getattr(error, "text", None) or "").strip()
        message = f"{path} has a syntax error: {getattr(error, 'msg', None) or error}."
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        hint = f"Correct this line: {text[:100]}" if text else "Correct it."
        hint += f" (The script runs with Python {version}.)"
        return None, Finding("error", "script-syntax", message, hint, f"{path}, line {line}" if line else path)
    except (RecursionError, MemoryError):
        message = f"{path} is nested too deeply to be parsed."
        return None, Finding("error", "script-syntax", message, "Simplify it.", path)
    facts = ScriptFacts(source.decode("utf-8", "replace").splitlines())
    facts.arguments = list(_arguments(tree))
    for node in _walk_required(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        for name in names:
            facts.imports.setdefault(name.partition(".")[0], getattr(node, "lineno", 0))
    return facts, None


def _walk_required(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes outside `try` and functions: imports there may be optional."""
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.Try | ast.FunctionDef | ast.AsyncFunctionDef | ast.If):
            yield child
            yield from _walk_required(child)


def _arguments(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if not isinstance(called, ast.Attribute) or called.attr != "add_argument":
            continue
        assert isinstance(node, ast.Call)
        names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        given = {k.arg: k.value for k in node.keywords}
        if names:
            yield ", ".join(names), _shown(given.get("default")), _shown(given.get("help"))


def _shown(node: ast.expr | None) -> str:
    if node is None:
        return ""
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)[:80]


def missing_imports(facts: ScriptFacts, own: Iterable[str], requirements: Iterable[str]) -> dict[str, int]:
    """Return the packages that a script imports without requiring them → line of the import.

    own: paths of the project's files. requirements: names of the required packages.
    """
    local = {PurePosixPath(p).parts[0].removesuffix(".py") for p in own}
    required = {normalized(name) for name in requirements}
    found = {}
    for name, line in facts.imports.items():
        package = IMPORT_NAMES.get(name, name)
        if name not in sys.stdlib_module_names and name not in local and normalized(package) not in required:
            found[package] = line
    return found


def normalized(name: str) -> str:
    """Return the name of a package as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
