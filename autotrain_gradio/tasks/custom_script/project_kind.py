"""Column of the files of a project: their sizes, and panels with the script, its arguments and its packages."""

from __future__ import annotations

from pathlib import PurePosixPath

import pyarrow as pa

from autotrain_gradio.core import panels
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.text_format import format_bytes
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.rows import Cells, Context, Rows
from autotrain_gradio.tasks.custom_script.code_panel import code_lines
from autotrain_gradio.tasks.custom_script.project import parse_source
from autotrain_gradio.tasks.custom_script.project_layout import locate, read_requirements

SHOWN_LINES = 40
SHOWN_FILES = 100


def inspect(cells: pa.ChunkedArray, context: Context) -> Cells:
    """Take all files, with their sizes."""
    sizes = [context.fingerprint[path][0] for path in cells.to_pylist()]
    return Cells(cells, {}, {"bytes": sizes})


def profile(rows: Rows, role: str, context: Context) -> list[Panel]:
    """Show the files, the first lines of the script, its arguments and the packages."""
    paths, sizes = rows.cells[role].to_list(), rows.cells[role].facts["bytes"]
    only = paths[0] if len(paths) == 1 else None
    project = locate(paths, context.request, only)
    if project is None:  # `read` has refused it
        return []
    tree = Tree(context.root, tuple(Entry(p, s, 0) for p, s in zip(paths, sizes, strict=True)))
    source = tree.read(project.path)
    facts, _ = parse_source(source, project.script)
    files = [[str(project.inside(p)), format_bytes(s)] for p, s in zip(paths, sizes, strict=True)]
    files.sort(key=lambda row: (row[0] != project.script, "/" in row[0], row[0]))
    more = f"The first {SHOWN_FILES} of {len(files):,}." if len(files) > SHOWN_FILES else ""
    found = [panels.table("Files", ["File", "Size"], files[:SHOWN_FILES], note=more, id="project-files")]
    if facts is None:
        return found
    shown = facts.lines[:SHOWN_LINES]
    note = f"The first {SHOWN_LINES} of {len(facts.lines):,} lines." if len(facts.lines) > SHOWN_LINES else ""
    title = PurePosixPath(project.script).name
    found.append(code_lines(title, shown, note=note, id="script-source"))
    if facts.arguments:
        columns = ["Argument", "Default", "Description"]
        note = "Of the script's argparse parser; set them under Arguments in the next step."
        found.append(panels.table("Arguments", columns, [list(a) for a in facts.arguments], note=note))
    required = read_requirements(tree, project)
    if required.lines:
        places = [f"{path}, line {number}" for path, number, _ in required.lines]
        lines = [list(row) for row in zip(required.shown(), places, strict=True)]
        found.append(panels.table("Packages", ["Requirement", "Where"], lines, id="script-packages"))
    return found
