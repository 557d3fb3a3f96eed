"""Documents: text files, Markdown, PDF and Word files; a row for each, or for passages of a few long ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from autotrain_gradio.core.errors import DataError, Finding, Fix
from autotrain_gradio.core.file_types import TABLE_SUFFIXES
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import count_with_verb, join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.catalog import RENDERED_TEXT
from autotrain_gradio.data.files.encoding import decode_together
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.layouts.document_readers import read_docx, read_pdf
from autotrain_gradio.data.locations import report_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes

Reader = Callable[[Path, str, Limits], tuple[str, list[Finding]]]
"""Returns the text of a document and findings about it."""
TEXTS = (".txt", ".md", ".markdown")
READERS: dict[str, Reader] = {".docx": read_docx, ".pdf": read_pdf}
SUFFIXES = (*TEXTS, *READERS)
RELATIVES = (".doc", ".odt", ".rtf", ".epub", ".html")
"""Documents that are not read; a finding names them."""
TEXT, DOCUMENT = "text", "document"
OPTION = "passages"
FEW = 10
"""Documents from which each is one row; fewer are divided into passages."""
PASSAGES = 40
"""Least number of passages that fewer documents are divided into, if these are long enough."""
BLANK_LINE = re.compile(r"\n[ \t]*\n")
SHORTEST, LONGEST = 1_000, 20_000
"""Characters of a passage at whose next paragraph the next one begins."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are documents, and hardly anything else."""
    if not any(c.kind.name == RENDERED_TEXT.name for c in request.columns):
        return Rejected("this task does not train on documents")
    files = tree.tables(SUFFIXES)
    if not files:
        return Rejected(f"no document was found ({' '.join(SUFFIXES)})")
    others = [e for e in tree.tables(TABLE_SUFFIXES) if e.suffix not in SUFFIXES]
    reason = f"{join_examples([e.path for e in files])} {'is a document' if len(files) == 1 else 'are documents'}"
    return Recognized(0.3 if others else 0.75, reason)


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each document; of fewer than `FEW` documents rows of their passages."""
    entries = tree.tables(SUFFIXES)
    raw = RawTables({}, files_read=[e.path for e in entries])
    splits, raw.findings = split_names.of_entries(entries, tree, request.spec)
    texts = _texts(entries, tree, request, raw, progress)
    divided = _divided(request, len(texts), sum(map(len, texts.values())))
    rows: dict[str, list[tuple[str, str, str]]] = {}
    for path, text in texts.items():
        parts = passages(text, divided) if divided else [text]
        places = [path] if len(parts) == 1 else [f"{path}, row {k}" for k in range(1, len(parts) + 1)]
        rows.setdefault(splits[path], []).extend((part, path, place) for part, place in zip(parts, places, strict=True))
    if divided and (count := sum(map(len, rows.values()))) > len(texts):
        message = f"{count_with_verb(len(texts), 'document', 'was')} divided between paragraphs into "
        message += f"{pluralize(count, 'passage')}, so that some can be used for validation."
        fix = Fix("Keep each document whole", {"options": {OPTION: False}})
        raw.findings.append(Finding("info", "document-passages", message, "", f"data.options.{OPTION}", fix))
    for split, found in rows.items():
        columns = dict(zip((TEXT, DOCUMENT, LOCATION), zip(*found, strict=True), strict=True))
        raw.splits[split] = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    if not raw.splits:
        message = "No document has a text."
        raise DataError.from_findings([*raw.findings, Finding("error", "documents-empty", message, "Add others.")])
    others = [e.path for e in tree.with_suffix(RELATIVES) if e.path not in raw.files_read]
    text, hint = "{n} {is} of a format that is not read", "Save them as PDF, Word (.docx) or text files."
    raw.findings += report_examples("warning", "documents-not-read", text, others, "document", hint)
    return raw


def _divided(request: Request, documents: int, characters: int) -> int:
    """Return the characters of a passage; 0: documents stay whole.

    Raises:
        DataError: the option is neither true nor false.
    """
    given = request.spec.options.get(OPTION)
    answers = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    answer = None if given is None else answers.get(str(given).strip().lower())
    if given is not None and answer is None:
        message = f"'{given}' is neither true nor false."
        raise DataError(message, "Write true or false.", f"data.options.{OPTION}", "invalid-setting")
    if answer is False or (answer is None and documents >= FEW):
        return 0
    return max(SHORTEST, min(LONGEST, characters // PASSAGES))


def passages(text: str, characters: int) -> list[str]:
    """Divide a text into passages of at least so many characters, except the last one.

    They end with a paragraph, or with a line where no blank line shows paragraphs.
    """
    found, part = [], ""
    for paragraph in re.split(r"(?<=\n)(?=[ \t]*\n)" if BLANK_LINE.search(text) else r"(?<=\n)", text):
        part += paragraph
        if len(part) >= characters:
            found.append(part.strip("\n"))
            part = ""
    if part.strip():
        found.append(part.strip("\n"))
    return found or [text]


def _texts(entries: list[Entry], tree: Tree, request: Request, raw: RawTables, progress: Progress) -> dict[str, str]:
    """Return path → text of the documents that have one; report the others."""
    require_bytes(sum(e.size for e in entries), "The documents", request.limits.table_bytes)
    plain = [e.path for e in entries if e.suffix in TEXTS]
    decoded, found = decode_together([tree.read(path) for path in plain], plain, request.spec.encoding)
    raw.findings += found
    texts = dict(zip(plain, decoded, strict=True))
    errors: list[Finding] = []
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.path}", number / len(entries))
        if entry.suffix in READERS:
            try:
                text, found = READERS[entry.suffix](tree.root / entry.path, entry.path, request.limits)
            except DataError as error:
                errors += error.findings
                continue
            raw.findings += found
            # Half of a character, which a PDF may have and no table can hold, is replaced.
            texts[entry.path] = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if errors and not any(text.strip() for text in texts.values()):
        raise DataError.from_findings(errors)
    raw.findings += [replace(f, level="warning", message=f"{f.message} It was skipped.") for f in errors]
    raw.skipped += Counter(f.code for f in errors)
    binary = [path for path, text in texts.items() if "\0" in text]
    empty = [path for path, text in texts.items() if not text.strip()]
    text, hint = "{n} {is} no text and {was} skipped", "Save them as text files."
    raw.findings += report_examples("warning", "document-binary", text, binary, "document", hint)
    text, hint = "{n} {has} no text and {was} skipped", "Remove them."
    raw.findings += report_examples("warning", "document-empty", text, empty, "document", hint)
    raw.skipped += Counter({"document-binary": len(binary), "document-empty": len(empty)})
    return {e.path: texts[e.path] for e in entries if e.path in texts.keys() - {*binary, *empty}}
