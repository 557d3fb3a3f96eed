"""The first step of a check: fetch the files, or let the source that recognizes them take them over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from autotrain_gradio.core.errors import DataError, Finding, did_you_mean
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.data.declarations import Source
from autotrain_gradio.data.files.tree import Tree, scan
from autotrain_gradio.data.layouts.table_with_files import referenced_files
from autotrain_gradio.data.pipeline import takeover
from autotrain_gradio.data.pipeline.check_result import State
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress
from autotrain_gradio.data.split_names import TABLES
from autotrain_gradio.data.tables.types import Sheet

SKIPPED = {
    "hidden": "hidden",
    "clutter": "left by the operating system (__MACOSX, Thumbs.db …)",
    "special": "broken links or devices",
    "unreadable-name": "with names that are not valid UTF-8",
}


def fetch(state: State, progress: Progress) -> Tree:
    """Return the files of the data; add their source and a finding about skipped files to the state.

    Where another source recognizes what was fetched, it takes the place of the first one: the request of the state
    names it from then on (see `takeover`).
    """
    given, state.request = state.request, takeover.resolve_request(state.draft, state.request)
    source = state.request.source(state.draft)
    if state.request is not given:
        state.findings.append(takeover.finding(source))
    fetched, tree = _fetch(state, source, progress)
    other = takeover.find(tree, state.request, source)
    if other is not None:
        state.request = takeover.take_over(other, tree, fetched, state.request, state.draft, source, progress)
        state.findings.append(takeover.finding(other))
        fetched, tree = _fetch(state, other, progress)
    state.findings += [*fetched.findings, *_skipped_files(state, tree, fetched)]
    return tree


def _fetch(state: State, source: Source, progress: Progress) -> tuple[Fetched, Tree]:
    request = state.request
    state.source = {"name": source.name, "title": source.title, "path": request.spec.path, "revision": ""}
    fetched = source.load().fetch(request, state.draft, progress)
    if not isinstance(fetched, Fetched):
        fetched = Fetched(Path(fetched))
    state.source["revision"] = fetched.revision
    keep, parsed = fetched.files, dict[str, Sheet]()
    if keep is None and fetched.root.is_file():
        keep = referenced_files(fetched.root, request, parsed)
    limit = request.limits.archive_members
    tree = scan(fetched.root, limit=limit, splits=fetched.splits, own=fetched.own, keep=keep)
    tree.parsed.update(parsed)
    return fetched, _chosen(tree, request)


def _chosen(tree: Tree, request: Request) -> Tree:
    """Return the files, of the tables only those that the user chose."""
    asked = request.spec.options.get(TABLES)
    names = [asked] if isinstance(asked, str) else [str(name) for name in asked or []]
    for name in names:
        if name not in tree.by_path:
            known = [f.path for f in tree.with_suffix(TABLE_SUFFIXES)]
            hint = did_you_mean(name, known)
            raise DataError(f"The table '{name}' does not exist.", hint, f"data.options.{TABLES}", "table-unknown")
    return replace(tree, chosen=frozenset(names)) if names else tree


def _skipped_files(state: State, tree: Tree, fetched: Fetched) -> list[Finding]:
    skipped = Counter(tree.skipped)
    skipped.update(fetched.note.get("skipped", fetched.note.get("passed_over", {})))  # the key of earlier versions
    if not skipped:
        return []
    shown = ", ".join(f"{count:,} {SKIPPED.get(reason, reason)}" for reason, count in sorted(skipped.items()))
    serious = {"special", "unreadable-name"} & set(skipped)
    where = str(state.request.spec.path)
    return [Finding("warning" if serious else "info", "passed-over", f"Skipped files: {shown}.", where=where)]
