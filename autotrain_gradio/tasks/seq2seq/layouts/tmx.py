"""Translation memories in TMX (LISA, "TMX 1.4b Specification"): units with a segment for each language."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data import split_names
from autotrain_gradio.data.files.encoding import decode
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.layouts.table import concat_splits
from autotrain_gradio.data.locations import location_numbers
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import LOCATION, Progress, RawTables, Recognized, Rejected
from autotrain_gradio.data.tables.table_limits import require_bytes, require_rows

SUFFIX = ".tmx"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
DOCTYPE = re.compile(r"<!DOCTYPE\s+tmx(\s+SYSTEM\s+(\"[^\"]*\"|'[^']*'))?\s*>", re.IGNORECASE)
"""The declaration that most files have; the parser does not fetch the named file."""
SKIPPED = ("bpt", "ept", "it", "ph", "ut")
"""Elements inside a segment that hold codes of the document's format, not text."""


def recognize(tree: Tree, request: Request) -> Recognized | Rejected:
    """Return whether there are TMX files."""
    files = [entry.path for entry in tree.tables((SUFFIX,))]
    if not files:
        return Rejected("there is no .tmx file")
    return Recognized(0.9, f"{join_examples(files)} is a translation memory")


def read(tree: Tree, request: Request, draft: Path, progress: Progress) -> RawTables:
    """Make a row of each translation unit, with a column for each language.

    Raises:
        DataError: a file is damaged, or has no unit.
    """
    entries = tree.tables((SUFFIX,))
    raw = RawTables({}, file_names=[entry.path for entry in entries], files_read=[entry.path for entry in entries])
    names, found = split_names.of_entries(entries, tree, request.spec)
    raw.findings += found
    splits: dict[str, list[pa.Table]] = {}
    for number, entry in enumerate(entries):
        progress(f"Reading {entry.path}", number / len(entries))
        require_bytes(entry.size, entry.path, request.limits.table_bytes)
        text, found = decode(tree.read(entry.path), entry.path, request.spec.encoding)
        raw.findings += found
        units = parse(text, entry.path)
        require_rows(len(units), entry.path, request.limits)
        counts = Counter(language for unit in units for language in unit)
        columns = {n: pa.array([unit.get(n) for unit in units], pa.string()) for n, _ in counts.most_common()}
        rows = location_numbers(number, np.arange(1, len(units) + 1))
        splits.setdefault(names[entry.path], []).append(pa.table({**columns, LOCATION: pa.array(rows)}))
    raw.splits = concat_splits(splits)
    return raw


def parse(text: str, name: str) -> list[dict[str, str]]:
    """Return the units of a file: language → text; of a language's several variants the first.

    Raises:
        DataError: it is no TMX file, or damaged.
    """
    # Nothing may be defined in the file: entities are how XML becomes a bomb, or reads other files.
    bare = DOCTYPE.sub("", text, count=1)
    if re.search(r"<!(DOCTYPE|ENTITY)", bare, re.IGNORECASE):
        raise _damaged(name, "it defines entities, which no translation memory needs")
    try:
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", bare))
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _damaged(name, f"it is not valid XML ({error})") from None
    if root.tag != "tmx":
        raise _damaged(name, f"its first element is '{root.tag[:40]}'")
    units = []
    for unit in root.iter("tu"):
        found: dict[str, str] = {}
        for variant in unit.iter("tuv"):
            language, segment = variant.get(LANGUAGE) or variant.get("lang") or "", variant.find("seg")
            if language and segment is not None:
                found.setdefault(language.lower(), _text(segment))
        units.append(found)
    if not any(len(unit) > 1 for unit in units):
        message = f"The translation memory has {pluralize(len(units), 'unit')}, and none with two languages."
        raise DataError(message, "Export it with source and target.", name, "tmx-no-pairs")
    return units


def _damaged(name: str, why: str) -> DataError:
    return DataError(f"The TMX file cannot be read: {why}.", "Export it again.", name, "tmx-damaged")


def _text(segment: ElementTree.Element) -> str:
    """Return the text of a segment without the codes of the document's format."""
    parts = [segment.text or ""]
    for element in segment:
        parts += ["" if element.tag in SKIPPED else _text(element), element.tail or ""]
    return "".join(parts)
