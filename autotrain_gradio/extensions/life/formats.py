"""Detect and parse the export formats, by the content of the files.

A: LiFE JSON, one document per recording, beside its WAV. B: the same JSON, with the audio in another folder. C: Praat
TextGrids, D: tables of tiers (both in `tier_exports`). E: `dataset.json` with base64 audio, of an earlier version of
the speech task, F: `data.csv` with a folder of audio (both in `dataset_exports`). The first one found is parsed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.files.archives import extract
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import dataset_exports, tier_exports
from autotrain_gradio.extensions.life.catalog import LATEST
from autotrain_gradio.extensions.life.documents import Recording, is_document, parse_recording
from autotrain_gradio.extensions.life.draft_store import StoreWriter
from autotrain_gradio.extensions.life.export_files import (
    SLICE_SUFFIX,
    AudioIndex,
    DetectedFiles,
    delimiter_of,
    load_json,
    plain_columns,
)

FORMAT_TITLES = {
    "A": "LiFE JSON with audio",
    "B": "LiFE JSON and a folder of audio",
    "C": "TextGrids from LiFE",
    "D": "tables of tiers from LiFE",
    "E": "dataset.json with embedded audio",
    "F": "data.csv and a folder of audio",
}
MAPPING_FILES = ("projectlist.json", "project_script_mapping.json", "script_dataset_mapping.json")


ARCHIVE_ERRORS = {
    "archive-damaged": ("is damaged", "Create it again, and check that the upload was complete."),
    "archive-encrypted": ("is encrypted", "Create it again without a password."),
    "archive-escape": ("contains a path outside its folder", "Export the project again."),
    "archive-special-member": ("contains a link or a device file", "Add the files themselves."),
    "archive-duplicate-member": ("contains two files of the same name", "Export the project again."),
    "archive-method": ("has an unsupported compression method", "Create an ordinary zip."),
    "archive-too-deep": ("has too many nested folders", "Use fewer folders."),
    "archive-bomb": ("has an extreme compression ratio (zip bomb) and was rejected", "Create the archive again."),
}
"""Codes of errors whose message would name a member of the archive, which may contain the name of a person."""


def unpack(archive: Path, folder: Path, limits: Limits, progress: Progress) -> None:
    """Extract an archive with `archives.extract`; error messages name no member.

    Raises:
        DataError: it cannot be opened.
    """
    folder.mkdir(parents=True)
    try:
        extract(archive, folder, limits, progress)
    except DataError as error:
        if error.code not in ARCHIVE_ERRORS:
            raise
        what, hint = ARCHIVE_ERRORS[error.code]
        raise DataError(f"The archive {what}.", hint, "data.path", error.code) from None


MARKERS = {
    ".json": (b'"audioFilename"', b'"tier_name"', b'"audio"'),
    ".csv": (b"tier_name",),
    ".tsv": (b"tier_name",),
    ".textgrid": (b"sentence-", "sentence-".encode("utf-16-le"), "sentence-".encode("utf-16-be")),
}
"""Extension → byte strings, of which an export of that format contains one in its head."""
HEAD_BYTES = MIB
TIER_NAME = re.compile(rb'"sentence-[^"\n]+-transcription"')
BASE64 = re.compile(r"(data:[\w/+.-]+;base64,)?[A-Za-z0-9+/]{200}")


def is_export(tree: Tree) -> bool:
    """Whether a file certainly belongs to an export: a document, a table of tiers, tier names, audio as base64.

    A `data.csv` with a folder of audio is an ordinary table. Stops at the first match.
    """
    files = [f for f in tree.files if f.path == tree.only] if tree.only else tree.files
    return any(_is_of_export(tree.root / f.path, f) for f in files if f.suffix in MARKERS)


def _is_of_export(path: Path, entry: Entry) -> bool:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not any(marker in head for marker in MARKERS[entry.suffix]):
        return False
    if entry.suffix == ".textgrid":
        return bool(TIER_NAME.search(head.replace(b"\x00", b"")))
    found = detect(Tree(path.parent, (Entry(path.name, entry.size, entry.mtime_ns),)))
    if found.datasets:  # or a table that names its files
        first = load_json(path)[0]["audio"]
        return isinstance(first, str) and bool(BASE64.match(first))
    return found.format in {"A", "D"}


def detect(tree: Tree) -> DetectedFiles:
    """Sort the files by format, by their content."""
    found = DetectedFiles()
    for entry in tree.files:
        if entry.suffix == ".textgrid":
            found.textgrids.append(entry)
        elif entry.suffix in {".csv", ".tsv"}:
            how, _ = encoding.detect_encoding(tree.root / entry.path, "")
            with (tree.root / entry.path).open(encoding=how, errors="replace") as file:
                first = file.readline(1000)
            if tier_exports.is_header(first):
                found.tables.append(entry)
            elif plain_columns(next(csv.reader([first], delimiter=delimiter_of(entry)), [])):
                found.plain.append(entry)
        elif entry.suffix == ".json":
            try:
                _sort_json(found, entry, load_json(tree.root / entry.path))
            except (ValueError, RecursionError):
                found.unreadable += 1
    return found


def _sort_json(found: DetectedFiles, entry: Entry, value: Any) -> None:
    first = value[0] if isinstance(value, list) and value else value
    if entry.name.lower() in MAPPING_FILES:
        found.mappings[entry.name.lower()] = value
    elif is_document(first):
        found.documents.append(entry)
    elif tier_exports.parse_json_rows(value):
        found.tables.append(entry)
    elif isinstance(value, list) and isinstance(first, dict) and {"audio", "transcription"} <= set(first):
        found.datasets.append(entry)


def read_export(tree: Tree, writer: StoreWriter, name: str, progress: Progress) -> None:
    """Parse all recordings of a folder into the store.

    name: name of the project where the data has none.

    Raises:
        DataError: no format is detected.
    """
    found = detect(tree)
    letter = found.format
    if not letter:
        raise _unknown_format_error(tree, found)
    audio = AudioIndex(tree)
    writer.format = letter
    if letter == "A":
        near = _read_documents(tree, found, audio, writer, progress)
        writer.format = "A" if near else "B"
    elif letter in "CD":
        skipped = 0
        files = found.textgrids if letter == "C" else found.tables
        for number, entry in enumerate(files):
            progress("Parsing transcripts", number / len(files))
            try:
                segments = tier_exports.read_segments(tree.root / entry.path)
            except ValueError:
                skipped += 1
                continue
            where = audio.find(entry.stem, entry.folder)
            group = writer.names.group(name, SLICE_SUFFIX.sub("", entry.stem))
            writer.add(Recording(name, group, {LATEST: segments}), where[0] if where else None)
        writer.findings += _tier_findings(letter, skipped)
    elif letter == "E":
        dataset_exports.read_datasets(tree, found, writer, name, progress)
    else:
        dataset_exports.read_tables(tree, found, audio, writer, name, progress)
    if found.unreadable:
        writer.findings.append(
            Finding(
                "warning",
                "life-json-unreadable",
                f"Skipped {pluralize(found.unreadable, 'JSON file')} that could not be parsed.",
                "Export the project again, and upload all of its files.",
            )
        )


def _read_documents(
    tree: Tree, found: DetectedFiles, audio: AudioIndex, writer: StoreWriter, progress: Progress
) -> bool:
    """Parse formats A and B; return whether all audio is beside its document."""
    seen: set[tuple[str, str]] = set()
    twice, near = 0, True
    for number, entry in enumerate(found.documents):
        progress("Parsing recordings", number / len(found.documents))
        for document in _documents_in(tree.root / entry.path):
            own = (str(document.get("projectname")), str(document.get("audioId") or document["audioFilename"]))
            if own in seen:
                twice += 1
                continue
            seen.add(own)
            where = audio.find(document["audioFilename"], entry.folder)
            near = near and (where is None or where[1])
            writer.add(parse_recording(document, writer.names), where[0] if where else None)
    if twice:
        text = f"Skipped {pluralize(twice, 'duplicate recording')}; the first one is used."
        writer.findings.append(Finding("warning", "life-twice", text))
    if found.textgrids or found.tables:
        text = "The export also contains TextGrids or tables of tiers; the JSON is used, which is more exact."
        writer.findings.append(Finding("info", "life-other-forms", text))
    return near


def _documents_in(path: Path) -> Iterator[Mapping[str, Any]]:
    value = load_json(path)
    yield from (d for d in (value if isinstance(value, list) else [value]) if is_document(d))


def _tier_findings(letter: str, skipped: int) -> list[Finding]:
    findings = [
        Finding(
            "warning",
            "life-prefer-json",
            f"{FORMAT_TITLES[letter][:1].upper()}{FORMAT_TITLES[letter][1:]} are less exact than LiFE JSON: times are"
            " rounded to 0.01 s,"
            " gaps are filled with a silence tag, and texts of a script that some segments lack may be shifted.",
            "Export the project as JSON with audio if possible.",
        )
    ]
    if skipped:
        findings.append(
            Finding(
                "warning",
                "life-tiers-unreadable",
                f"Skipped {pluralize(skipped, 'transcript file')} that could not be parsed.",
                "Export the project again.",
            )
        )
    return findings


def _unknown_format_error(tree: Tree, found: DetectedFiles) -> DataError:
    broken = f"; {pluralize(found.unreadable, 'JSON file')} could not be parsed" if found.unreadable else ""
    return DataError(
        f"No LiFE export format was detected. Files: {tree.describe()}{broken}.",
        "In LiFE, download the transcriptions of a project as JSON with the audio, and upload the zip.",
        "data.path",
        "life-unknown-form",
    )
