"""Check data: fetch, detect layout, read, map columns, inspect, run checks, split, profile, materialize."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, UserError
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.declarations import Column
from autotrain_gradio.data.files.json_files import read_json, write_json
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.kinds.label import unused_mapping
from autotrain_gradio.data.locations import ROW_BITS, Locations
from autotrain_gradio.data.pipeline import check_result, materialize, takeover
from autotrain_gradio.data.pipeline.check_result import TRAIN, CheckResult, State
from autotrain_gradio.data.pipeline.column_mapping import Mapping
from autotrain_gradio.data.pipeline.fetch import fetch
from autotrain_gradio.data.pipeline.format_detection import choose_format
from autotrain_gradio.data.pipeline.layout_detection import recognize
from autotrain_gradio.data.pipeline.split import split
from autotrain_gradio.data.pipeline.unused_files import unused_files
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import (
    LOCATION,
    ROW,
    Cells,
    Context,
    Progress,
    RawTables,
    Rows,
    ignore_progress,
    sub_progress,
)
from autotrain_gradio.data.values.arrow_columns import stacked
from autotrain_gradio.data.values.labels import canonical_mapping

LARGE = 100_000
"""Rows from which findings about a sample are reported first."""
SAMPLE_ROWS = 2_000
"""Rows of that sample."""


def check(
    draft: Path, request: Request, progress: Progress | None = None, found: Callable[[CheckResult], None] | None = None
) -> CheckResult:
    """Read, validate and split the data, and write it for the training.

    Whatever the user can correct is a finding of the result, not an exception. Without error findings,
    `data/manifest.json` and `data/dataset` are written; with one they are removed.

    found: is given the result of a table of `LARGE` rows and more before its rows are written, which takes a while.
    """
    began = time.monotonic()
    draft = Path(draft)
    (draft / "data").mkdir(parents=True, exist_ok=True)
    for stale in (draft / "check.json", draft / "data" / "manifest.json"):
        stale.unlink(missing_ok=True)
    shutil.rmtree(draft / "check", ignore_errors=True)
    state = State(draft, request, _rate_limited(progress or ignore_progress))
    write: Callable[[], Any] | None = None
    try:
        write = _run(state)
    except UserError as error:
        state.findings += error.findings
    result = check_result.result(state, began)
    if write is not None:
        state.progress("Writing the rows for the training", 0.97)
        if found is not None and state.total >= LARGE:
            found(result)
        write()
    write_json(draft / "check.json", result)
    state.progress("Checked", 1.0)
    return result


def _rate_limited(progress: Progress) -> Progress:
    """Report new messages and the end at once, other progress every tenth of a second."""
    reported, last = "", 0.0

    def report(message: str, fraction: float) -> None:
        nonlocal reported, last
        now = time.monotonic()
        if message != reported or fraction >= 1 or now - last >= 0.1:
            reported, last = message, now
            progress(message, fraction)

    return report


def _run(state: State) -> Callable[[], Any] | None:
    """Run all steps but the last; return the function that writes the rows, or None if there are errors."""
    tree = fetch(state, sub_progress(state.progress, 0.0, 0.25))
    request, draft = state.request, state.draft
    layout, module, reason, found = recognize(tree, request)
    state.findings += found
    state.layout = {"name": layout.name, "title": layout.title, "reason": reason}
    raw: RawTables = module.read(tree, request, draft, sub_progress(state.progress, 0.25, 0.05))
    tree.parsed.clear()
    tree.heads.clear()
    _release_memory()
    state.findings += [*raw.findings, *unused_files(tree, raw, request)]
    state.found = {name: table.num_rows for name, table in raw.splits.items()}
    state.total = sum(state.found.values()) + sum(raw.skipped.values())
    state.skipped = raw.skipped
    if state.total and not raw.splits:
        state.findings.append(_no_rows(state.total))
        return None
    files = partial(_files, raw)
    choice = split_names.choose(state.found, request.spec, files)
    if choice.train is None:
        state.findings += choice.findings
        for first in list(raw.splits.values())[:1]:  # so that its columns are shown
            state.choose(choose_format(first, raw, request))
        return None
    names = [choice.train] if choice.validation is None else [choice.train, choice.validation]
    table = stacked([raw.splits[name] for name in names], "splits")
    request = state.choose(choose_format(table, raw, request))
    if no_target := _without_target(state, raw, names[0]):
        choice = split_names.choose(state.found, request.spec, files, no_target)
        table = table if choice.validation else table.slice(0, state.found[names[0]])
    state.findings += [*choice.findings, *state.mapping.findings]
    state.unused = sum(state.found[n] for n in choice.unused)
    if _has_errors(state.mapping.findings):
        return None
    column = table.column(LOCATION)
    locations = Locations(raw.file_names, column.to_numpy()) if raw.file_names else column.to_pylist()
    rows = state.rows = Rows(locations, np.arange(table.num_rows) >= state.found[names[0]])
    if raw.arrow:
        rows.row = table.column(ROW).to_numpy()
    if request.media is None and len(rows) >= LARGE:
        state.progress = _report_sample(state, rows, table, raw, tree)
    contexts = _inspect(state, rows, table, raw, tree)
    _check_and_split(state, rows, choice.validation)
    state.progress("Drawing the overview", 0.95)
    check_result.add_panels(state, rows, contexts)
    if _has_errors(state.findings):
        return None
    facts = {
        "layout": layout.name,
        "source": state.source,
        "format": state.format["name"] if state.format else "",
        "columns": state.mapping.roles,
        "split_how": state.how,
        "dropped": check_result.dropped(state),
    }
    return partial(materialize.write, draft, request, rows, raw, tree, facts)


def _files(raw: RawTables, split: str) -> str:
    """Return the files that the rows of a split come from, for messages."""
    column = raw.splits[split].column(LOCATION)
    if raw.file_names:
        return join_examples([raw.file_names[n] for n in np.unique(column.to_numpy() >> ROW_BITS).tolist()])
    return join_examples(list(dict.fromkeys(str(place).partition(", ")[0] for place in column.to_pylist())))


def _without_target(state: State, raw: RawTables, train: str) -> dict[str, str]:
    """Return split → its target, of the splits that lack the target columns or have no cell in them.

    Where no target is known yet, a split that lacks a column of the training split may lack the target.
    """
    targets = [n for c in state.request.columns if c.is_target for n in state.mapping.roles.get(c.role, [])]
    found = {}
    for name, table in raw.splits.items():
        known = set(table.column_names)
        asked = targets or [n for n in raw.splits[train].column_names if n not in known]
        lacking = [n for n in asked if n not in known or table.column(n).null_count == table.num_rows]
        if lacking and len(lacking) == len(asked) and name != train and table.num_rows:
            found[name] = f"'{lacking[0]}'"
    return found


def _has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


def _report_sample(state: State, rows: Rows, table: pa.Table, raw: RawTables, tree: Tree) -> Progress:
    """Inspect a sample of a large table and report its findings at once; return a progress that repeats them.

    Only columns are inspected: checks of the whole table need all rows.
    """
    chosen = np.arange(SAMPLE_ROWS) * (len(rows) // SAMPLE_ROWS)
    wanted = np.isin(np.arange(len(rows)), chosen)
    few = table.drop_columns([LOCATION]).filter(pa.array(wanted)).combine_chunks()  # `take` would copy all chunks
    columns = [dict(c) for c in state.mapping.columns]
    first = State(state.draft, state.request, ignore_progress, mapping=Mapping(state.mapping.roles, columns))
    _inspect(first, Rows([rows.locations[i] for i in chosen], rows.validation[chosen]), few, raw, tree)
    found = [f for f in (*state.findings, *first.findings) if f.code != "label-mapping-unused"]
    found.sort(key=lambda f: check_result.ORDER[f.level])
    messages = " ".join(f.message for f in found[:3]) or "no findings."
    preview = f"Sample of {pluralize(len(chosen), 'row')}: {messages}"
    progress = state.progress
    progress(preview, 0.3)
    return lambda message, fraction: progress(f"{message}. {preview}" if fraction < 1 else message, fraction)


def _inspect(state: State, rows: Rows, table: pa.Table, raw: RawTables, tree: Tree) -> dict[str, Context]:
    """Inspect every mapped column, targets first: the media of a row without a target need not be opened."""
    request, mapping = state.request, state.mapping
    roles: list[tuple[Column, str, list[str]]] = []
    for column in request.columns:
        names = mapping.roles.get(column.role, [])
        if column.many and not column.join:
            roles += [(column, f"{column.role}:{n}", [n]) for n in names]
        elif names:
            roles.append((column, column.role, names))
    fingerprint = {f.path: (f.size, f.mtime_ns) for f in tree.files}
    stamp = ";".join(f"{p.name} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in raw.arrow)
    contexts: dict[str, Context] = {}
    inspected: dict[str, Cells] = {}
    for number, (column, role, names) in enumerate(sorted(roles, key=lambda r: (r[0].rest, not r[0].is_target))):
        progress = sub_progress(state.progress, 0.3 + number * 0.65 / len(roles), 0.65 / len(roles))
        progress(f"Checking {role.replace(':', ' ')}", 0.0)
        context = contexts[role] = Context(
            request,
            state.draft,
            tree.root,
            ", ".join(names),
            column.title,
            rows.locations,
            rows.needed,
            progress,
            fingerprint,
            stamp,
            raw.names.get(names[0]),
            raw.features.get(names[0]),
            raw.notation,
        )
        module, first = column.kind.load(), table.column(names[0])
        several = {n: table.column(n) for n in names}
        cells = inspected[role] = module.combine(several, context) if len(names) > 1 else module.inspect(first, context)
        rows.columns[role] = column
        state.findings += [f for f in cells.findings if f.code not in raw.redundant_codes]
        for code, indices in cells.dropped_rows().items():
            rows.drop(indices, code)
        if cells.media:
            context.open = _opener(first, cells.values, tree.root)
        _release_memory()
        if cells.about:
            next(c for c in mapping.columns if c["name"] == names[0]).update(cells.about)
            cells.about["name"] = names[0]
    # In the order in which the task declares them, not in which they were inspected.
    rows.cells = {role: inspected[role] for _, role, _ in roles}
    labelled = [cells for cells in rows.cells.values() if cells.names is not None]
    if labelled:
        names = list(dict.fromkeys(name for cells in labelled for name in cells.raw))
        state.findings += unused_mapping(canonical_mapping(request.spec.labels), names)
    left = rows.indices()
    for cells in labelled:
        cells.values = cells.labels.only(left)
        cells.names = cells.labels.names
    return contexts


def _release_memory() -> None:
    """Return memory that Arrow has freed to the system: it would keep several copies of the largest column."""
    pa.default_memory_pool().release_unused()


def _opener(column: pa.ChunkedArray, paths: list[Any], root: Path) -> Callable[[int], bytes]:
    def read(index: int) -> bytes:
        if paths[index] is not None:
            return (root / paths[index]).read_bytes()
        return bytes(column[index]["bytes"].as_buffer())

    return read


def _check_and_split(state: State, rows: Rows, given: str | None) -> None:
    """Run the checks of all rows, split the rows, and run the checks of the two splits."""
    _run_checks(state, rows, after_split=False)
    if not rows.count(TRAIN):
        state.findings.append(_no_rows(len(rows)))
    state.how, found = split(rows, state.request, given)
    state.findings += found
    _run_checks(state, rows, after_split=True)


def _no_rows(total: int) -> Finding:
    message = f"No row is left to train on, of {pluralize(total, 'row')}."
    return Finding("error", "no-rows", message, "Resolve the other findings.", "data")


def _run_checks(state: State, rows: Rows, *, after_split: bool) -> None:
    """Run the checks of this stage until no training row is left."""
    for declared in state.request.checks:
        if declared.after_split == after_split and rows.count(TRAIN):
            state.findings += declared.load().check(rows, state.request)


def ensure(directory: Path, resolved: Any, *, progress: Progress | None = None) -> dict[str, Any]:
    """Validate that the prepared data belongs to the spec, and return its manifest.

    Prepares it when it never was, or when the spec decides otherwise than at the last check.

    Raises:
        DataError: the check finds errors, or files changed since they were checked.
    """
    directory = Path(directory)
    request = takeover.resolve_request(directory, Request.of(resolved))
    manifest = read_json(directory / "data" / "manifest.json")
    if manifest is None or manifest.get("key") != request.key() or not (directory / "data" / "dataset").is_dir():
        result = check(directory, request, progress)
        errors = [Finding.from_dict(f) for f in result["findings"] if f["level"] == "error"]
        if errors:
            raise DataError.from_findings(errors)
        manifest = read_json(directory / "data" / "manifest.json")
    materialize.refuse_changed(directory, manifest)
    return dict(manifest)
