"""Layout: a folder with a script, perhaps with its requirements and other files; a row for each file."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix, UserError
from autotrain_gradio.core.text_format import count_with_verb, format_bytes, join_examples, pluralize
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.tasks.custom_script import PROJECT_FILE
from autotrain_gradio.tasks.custom_script.project import (
    MAX_SOURCE_BYTES,
    OUTPUT,
    REQUIREMENTS,
    SCRIPT,
    Project,
    asked_script,
    find_project,
    missing_imports,
    parse_source,
)
from autotrain_gradio.tasks.custom_script.requirements_file import Requirements, parse_requirements

OPTION = "script"
LARGE_BYTES = 2_000_000_000
"""Size of a project from which a finding says that it is copied."""
MAX_SYNTAX_FILES = 500


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are files; `read` reports a missing script."""
    if not tree.files:
        return Rejected("the folder has no files")
    project = locate([f.path for f in tree.files], request, tree.only)
    return Recognized(1.0, f"{project.path} will be run" if project else "there is no script")


def locate(paths: list[str], request: Request, only: str | None = None) -> Project | None:
    """Return the project of the data; None if it has no script."""
    return find_project(paths, asked=asked_script(request.spec.options), only=only)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each file of the project.

    Raises:
        DataError: there is no script.
    """
    paths = [f.path for f in tree.files]
    project = locate(paths, request, tree.only)
    if project is None:
        raise _missing_script(paths, request)
    own = [p for p in paths if (inner := project.inside(p)) is not None and not inner.startswith(f"{OUTPUT}/")]
    findings = list(_check_script(tree, project, own))
    findings += _left_out(tree, project, own)
    size = sum(tree.by_path[p].size for p in own)
    if size >= LARGE_BYTES:
        message = f"The files have {format_bytes(size)}, and are copied for each run."
        hint = "Leave large data elsewhere, and pass its path as an argument."
        findings.append(Finding("info", "project-large", message, hint))
    columns = {"project_file": own, LOCATION: own}
    table = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    return RawTables({"": table}, {"project_file": PROJECT_FILE.name}, files_read=own, findings=findings)


def read_requirements(tree: Tree, project: Project) -> Requirements:
    """Parse the project's requirements.txt."""

    def content(path: str) -> bytes | None:
        full = f"{project.folder}{path}"
        return tree.read(full) if full in tree.by_path else None

    return parse_requirements(content, REQUIREMENTS)


def _check_script(tree: Tree, project: Project, own: list[str]) -> list[Finding]:
    """Return findings about syntax, requirements and imports."""
    facts, problem = parse_source(tree.read(project.path), project.script)
    if facts is None:
        return [problem] if problem else []
    found = []
    modules = [p for p in own if p.endswith(".py") and p != project.path]
    for path in modules[:MAX_SYNTAX_FILES]:
        if tree.by_path[path].size <= MAX_SOURCE_BYTES:
            problem = parse_source(tree.read(path), str(project.inside(path)))[1]
            if problem is not None:
                hint = f"{problem.hint} It fails if the script imports it."
                found.append(Finding("warning", "module-syntax", problem.message, hint, problem.where))
    required = read_requirements(tree, project)
    found += required.findings
    for index in required.indexes:
        if "***@" in index:
            message = f"{REQUIREMENTS} has the credentials of a package index ({index})."
            hint = "Leave them out of the file: pip and uv read them from .netrc, a keyring or PIP_INDEX_URL."
            found.append(Finding("warning", "requirements-credentials", message, hint, REQUIREMENTS))
        else:
            message = f"Packages may come from another index: {index}."
            found.append(Finding("info", "requirements-index", message, where=REQUIREMENTS))
    missing = missing_imports(facts, [str(project.inside(p)) for p in own], required.names)
    if missing and not required.local:
        place = f"{project.script}, line {min(missing.values())}"
        message = f"{project.script} imports {join_examples(sorted(missing))}, which {REQUIREMENTS} does not require."
        hint = f"Add them to {REQUIREMENTS}, or switch on 'Use the packages of this app' if it has them."
        found.append(Finding("info", "import-not-required", message, hint, place))
    return found


def _left_out(tree: Tree, project: Project, own: list[str]) -> list[Finding]:
    """Report files that are not copied."""
    found = []
    kept = set(own)
    others = [f.path for f in tree.files if f.path not in kept]
    old = [p for p in others if (project.inside(p) or "").startswith(f"{OUTPUT}/")]
    outside = [p for p in others if p not in set(old)]
    if old:
        message = f"{count_with_verb(len(old), 'file', 'is')} in the folder {OUTPUT}/, which begins empty in each run."
        hint = "Move what the script reads to another folder."
        found.append(Finding("warning", "output-not-empty", message, hint, f"{project.folder}{OUTPUT}"))
    if outside and tree.only is None:
        message = f"{count_with_verb(len(outside), 'file', 'is')} outside of '{project.folder}', the folder of the "
        message += f"script, and not copied: {join_examples(outside)}."
        found.append(Finding("warning", "project-outside", message, "Move them beside the script.", project.folder))
    return found


def _missing_script(paths: list[str], request: Request) -> UserError:
    asked = str(request.spec.options.get(OPTION) or "")
    scripts = sorted((p for p in paths if p.endswith(".py")), key=lambda p: (p.count("/"), p))
    if asked:
        message = f"There is no file '{asked}' to run."
        code, where = "script-missing", f"data.options.{OPTION}"
    elif sum(PurePosixPath(p).name == SCRIPT for p in paths) > 1:
        message = f"Several folders have a {SCRIPT}."
        code, where = "script-missing", "data"
    else:
        message = f"There is no {SCRIPT} among {pluralize(len(paths), 'file')}."
        code, where = "script-missing", "data"
    if not scripts:
        return DataError(message, f"Name the Python file to run {SCRIPT}, at the top of the folder.", where, code)
    hint = f"Name the file to run {SCRIPT}, or choose it with the option '{OPTION}'. Found: {join_examples(scripts)}."
    fixes = tuple(
        Fix(f"Run {path}", {"options": {OPTION: path}}, f"{path} can be run instead.") for path in scripts[:5]
    )
    fix, alternatives = (fixes[0], ()) if len(fixes) == 1 else (None, fixes)
    return DataError.from_findings([Finding("error", code, message, hint, where, fix, alternatives)])
