"""JSON of annotation tools that is not a table: Label Studio's export, and texts with spans as spaCy reads them.

Label Studio: `[{"data": {"text": …}, "annotations": [{"result": [{"value": {"start", "end", "labels"}}]}]}]`.
spaCy: `[["text", {"entities": [[0, 5, "PER"]]}]]`, one such list a line, or `{"classes": […], "annotations": [[…]]}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import inflect, join_examples
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes, require_json
from autotrain_gradio.tasks.token_classification.cell_lists import spans_of

SUFFIXES = (".json", ".jsonl", ".ndjson")
HEAD = 20_000
"""Bytes by which the format is recognized."""
PAIR = re.compile(r'\s*\[\s*(\[\s*)?"(?:[^"\\]|\\.)*"\s*,\s*[{\[]')
SPAN_TYPE = pa.list_(
    pa.struct([("start", pa.int64()), ("end", pa.int64()), ("label", pa.string()), ("text", pa.string())])
)
SKIPPED = {
    "not-annotated": ("{n} {is} not annotated and {was} skipped", "Annotate the tasks to use them."),
    "annotation-damaged": ("{n} {is} not a text with spans and {was} skipped", 'Write ["text", {"entities": […]}].'),
}


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are exports of Label Studio, or texts with spans as spaCy reads them."""
    found = _entries(tree)
    if not found:
        return Rejected("no JSON has tasks of Label Studio, or lists of a text and its entities")
    return Recognized(0.9, f"{join_examples([e.path for e in found])} {inflect(len(found), 'holds')} annotated texts")


def _entries(tree: Tree) -> list[Entry]:
    return [e for e in tree.tables(SUFFIXES) if _fits(_head(tree, e))]


def _head(tree: Tree, entry: Entry) -> str:
    try:
        with (tree.root / entry.path).open("rb") as file:
            return file.read(HEAD).decode("utf-8-sig", "replace")
    except OSError:
        return ""  # the layout that reads the file reports it


def _fits(head: str) -> bool:
    if PAIR.match(head):
        return True
    if re.match(r"\s*\{\s*\"(classes|annotations)\"\s*:", head):
        return re.search(r'"annotations"\s*:\s*\[\s*\[\s*"', head) is not None
    return re.match(r"\s*\[?\s*\{", head) is not None and all(
        re.search(rf'"{key}"\s*:\s*[{{\[]', head) for key in ("data", "(annotations|completions)")
    )


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Return a row for each text: the text and its spans.

    Raises:
        DataError: a file is damaged or too large.
    """
    entries = _entries(tree)
    names, findings = split_names.of_entries(entries, tree, request.spec)
    raw = RawTables({}, files_read=[e.path for e in entries], findings=findings)
    rows: dict[str, list[tuple[str, str, Any]]] = {}
    left: dict[str, list[str]] = {code: [] for code in SKIPPED}
    several: list[str] = []
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.name}", number / len(entries))
        require_bytes(entry.size, entry.path, request.limits.table_bytes)
        text, found = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        raw.findings += found
        require_json(text, entry.path, request.limits)
        for row, item in enumerate(_items(text, entry.path), 1):
            where = f"{entry.path}, row {row}"
            made = _label_studio(item, where, several) if isinstance(item, Mapping) else _pair(item)
            if isinstance(made, str):
                left[made].append(where)
            else:
                spans, wrong = spans_of(made[1]) or ([], 1)
                value = [s._asdict() for s in spans] if spans or not wrong else None
                rows.setdefault(names[entry.path], []).append((where, made[0], value))
    for code, (text, hint) in SKIPPED.items():
        raw.skipped.update({code: len(left[code])} if left[code] else {})
        raw.findings += report_examples("warning", code, text, left[code], "text", hint)
    text, hint = "{n} {has} several annotations; the first was used", "Export one annotation for each task."
    raw.findings += report_examples("warning", "several-annotations", text, several, "task", hint)
    for split, found_rows in rows.items():
        columns = {
            "text": pa.array([r[1] for r in found_rows], pa.string()),
            "entities": pa.array([r[2] for r in found_rows], SPAN_TYPE),
            LOCATION: pa.array([r[0] for r in found_rows], pa.string()),
        }
        raw.splits[split] = pa.table(columns)
    if not rows:
        raise DataError("No text is annotated.", "Annotate texts, and export them again.", "data", "no-rows")
    return raw


def _items(text: str, name: str) -> Iterator[Any]:
    """Yield the items of a list, or of one value a line.

    Raises:
        DataError: it is not JSON.
    """
    try:
        value = json.loads(text.lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            message = f"The file is not JSON: {error.msg}."
            raise DataError(message, "Export it again.", f"{name}, line {error.lineno}", "json-damaged") from None
        value = [_line(line, f"{name}, line {n}") for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    except RecursionError:
        raise DataError("The file is nested too deeply.", "Export it again.", name, "json-damaged") from None
    if isinstance(value, Mapping) and isinstance(value.get("annotations"), list) and "data" not in value:
        value = [item for item in value["annotations"] if item is not None]
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        value = [value]  # one line of JSON lines
    yield from value if isinstance(value, list) else [value]


def _line(line: str, where: str) -> Any:
    try:
        return json.loads(line.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise DataError("The line is not JSON.", "Each line must be one value.", where, "json-damaged") from None


def _pair(item: Any) -> tuple[str, Any] | str:
    """Return the text and the spans of a list of both, or the code of a problem."""
    if isinstance(item, list) and len(item) == 2 and isinstance(item[0], str) and isinstance(item[1], dict | list):
        return item[0], item[1]
    return "annotation-damaged"


def _label_studio(task: Mapping[str, Any], where: str, several: list[str]) -> tuple[str, Any] | str:
    """Return the text of a task and the regions of its first annotation, or the code of a problem."""
    found = task.get("annotations", task.get("completions"))
    done = [a for a in found or () if isinstance(a, Mapping) and not (a.get("was_cancelled") or a.get("skipped"))]
    if not done:
        return "not-annotated"
    if len(done) > 1:
        several.append(where)
    regions = [r for r in done[0].get("result") or () if isinstance(r, Mapping) and isinstance(r.get("value"), Mapping)]
    regions = [r for r in regions if "start" in r["value"] and r["value"].get(str(r.get("type") or "labels"))]
    data = task.get("data")
    texts = {k: v for k, v in data.items() if isinstance(v, str)} if isinstance(data, Mapping) else {}
    if not texts:
        return "annotation-damaged"
    text = texts.get("text") or max(texts.values(), key=len)
    spans = [{**r["value"], "labels": r["value"][str(r.get("type") or "labels")]} for r in regions]
    return text, spans
