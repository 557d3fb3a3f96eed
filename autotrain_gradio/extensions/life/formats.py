"""Detect and parse the export formats, by the content of the files.

A: LiFE JSON, one document per recording, beside its WAV. B: the same JSON, with the audio in another folder. C: Praat
TextGrids, D: tables of tiers (both in `tier_exports`). E: `dataset.json` with base64 audio, of an earlier version of
the speech task. F: `data.csv` with a folder of audio. The first of these that is found is parsed.
"""

from __future__ import annotations

import base64
import binascii
import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.settings import Limits
from autotrain_gradio.core.text_format import MIB, pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.files.archives import extract
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import tier_exports
from autotrain_gradio.extensions.life.catalog import LATEST
from autotrain_gradio.extensions.life.documents import Recording, Segment, is_document, parse_recording
from autotrain_gradio.extensions.life.draft_store import StoreWriter

FORMAT_TITLES = {
    "A": "LiFE JSON with audio",
    "B": "LiFE JSON and a folder of audio",
    "C": "TextGrids from LiFE",
    "D": "tables of tiers from LiFE",
    "E": "dataset.json with embedded audio",
    "F": "data.csv and a folder of audio",
}
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".webm", ".aiff")
SUFFIX_OF_FORMAT = {"WAV": ".wav", "FLAC": ".flac", "MP3": ".mp3", "OGG": ".ogg", "OPUS": ".opus", "AIFF": ".aiff"}
DEFAULT_SCRIPT = "transcription"
"""Name of the script in formats that have a single text column without a script."""
MAPPING_FILES = ("projectlist.json", "project_script_mapping.json", "script_dataset_mapping.json")
SLICE_SUFFIX = re.compile(r"-slice\d+")
"""Suffix that LiFE gives to the slices of one recording."""


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


class AudioIndex:
    """Finds audio files by name: first in the folder of the file that names them, else anywhere."""

    def __init__(self, tree: Tree) -> None:
        self._root = tree.root
        self._names: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        for entry in tree.with_suffix(AUDIO_SUFFIXES):
            self._names.setdefault(entry.name.lower(), []).append(entry.path)
            self._stems.setdefault(entry.stem.lower(), []).append(entry.path)

    def find(self, name: Any, folder: str) -> tuple[Path, bool] | None:
        """Return the file and whether it is in the folder; None for no match, or several."""
        bare = str(name).replace("\\", "/").rpartition("/")[2].lower()
        found = self._names.get(bare) or self._stems.get(bare) or self._stems.get(bare.rpartition(".")[0]) or []
        near = [p for p in found if p.rpartition("/")[0] == folder]
        chosen = near if len(near) == 1 else found
        return (self._root / chosen[0], bool(near)) if len(chosen) == 1 else None


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
        first = _load(path)[0]["audio"]
        return isinstance(first, str) and bool(BASE64.match(first))
    return found.format in {"A", "D"}


@dataclass
class DetectedFiles:
    """The files of each format. mappings: file name → JSON value; unreadable: number of invalid JSON files."""

    documents: list[Entry] = field(default_factory=list)
    textgrids: list[Entry] = field(default_factory=list)
    tables: list[Entry] = field(default_factory=list)
    datasets: list[Entry] = field(default_factory=list)
    mappings: dict[str, Any] = field(default_factory=dict)
    plain: list[Entry] = field(default_factory=list)
    unreadable: int = 0

    @property
    def format(self) -> str:
        """Letter of the first detected format (A includes B), or ''."""
        groups = {"A": self.documents, "C": self.textgrids, "D": self.tables, "E": self.datasets, "F": self.plain}
        return next((letter for letter, files in groups.items() if files), "")


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
            elif _plain_columns(next(csv.reader([first]), [])):
                found.plain.append(entry)
        elif entry.suffix == ".json":
            try:
                _sort_json(found, entry, _load(tree.root / entry.path))
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
        _read_datasets(tree, found, writer, name, progress)
    else:
        _read_tables(tree, found, audio, writer, name, progress)
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
    value = _load(path)
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


def _read_datasets(tree: Tree, found: DetectedFiles, writer: StoreWriter, name: str, progress: Progress) -> None:
    """Parse format E; base64 is decoded strictly, and must be audio."""
    scripts = _as_lists(found.mappings.get("script_dataset_mapping.json"))
    projects = _as_lists(found.mappings.get("project_script_mapping.json"))
    unclear = False
    scratch = writer.partial.parent / "decoded"
    scratch.mkdir(exist_ok=True)
    for entry in found.datasets:
        of_script = [s for s, files in scripts.items() if entry.name in files]
        script = of_script[0] if len(of_script) == 1 else DEFAULT_SCRIPT
        of_project = [p for p, found_in in projects.items() if not of_script or script in found_in]
        project = of_project[0] if len(of_project) == 1 else name
        unclear = unclear or len(of_script) > 1 or len(of_project) > 1
        items = _load(tree.root / entry.path)
        for number, item in enumerate(items):
            progress("Decoding audio", number / len(items))
            text = item.get("transcription") if isinstance(item, Mapping) else None
            own = Recording(
                project,
                writer.names.group(entry.path, number),
                {LATEST: [Segment(None, None, None, {script: text.strip() if isinstance(text, str) else ""})]},
            )
            data = _decode_base64(item.get("audio")) if isinstance(item, Mapping) else None
            suffix = _audio_suffix(data) if data else ""
            if not data or not suffix:
                own.problem = "audio-missing" if data == b"" else "audio-unreadable"
                writer.add(own, None)
                continue
            file = scratch / f"{number}{suffix}"
            file.write_bytes(data)
            writer.add(own, file)
            file.unlink()
    if unclear:
        text = (
            "The files beside dataset.json list several projects or scripts without assigning the rows to them:"
            " all rows are treated as one project and script."
        )
        writer.findings.append(Finding("warning", "life-mapping-unclear", text))


def _as_lists(value: Any) -> dict[str, list[Any]]:
    """Return a JSON object as name → list; empty for other values."""
    items = value.items() if isinstance(value, dict) else ()
    return {str(k): v if isinstance(v, list) else [v] for k, v in items}


def _decode_base64(text: Any) -> bytes | None:
    """Decode base64; b'' for an empty value, None for invalid base64."""
    if text is None or text == "":
        return b""
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(re.sub(r"^data:[\w/+.-]+;base64,", "", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _audio_suffix(data: bytes) -> str:
    from autotrain_gradio.data.media.audio_files import AudioError, header

    try:
        return SUFFIX_OF_FORMAT.get(header(data).format, ".wav")
    except AudioError:
        return ""


def _read_tables(
    tree: Tree, found: DetectedFiles, audio: AudioIndex, writer: StoreWriter, name: str, progress: Progress
) -> None:
    """Parse format F."""
    for number, entry in enumerate(found.plain):
        progress("Parsing the table", number / len(found.plain))
        delimiter = "\t" if entry.suffix == ".tsv" else ","
        # The file is not named in the finding: its name may contain that of a person.
        how, findings = encoding.detect_encoding(tree.root / entry.path, "a table of transcripts")
        writer.findings += findings
        with (tree.root / entry.path).open(encoding=how, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            columns = _plain_columns(next(reader, []))
            assert columns is not None  # by which the file was recognized
            for row in _rows(reader):
                if not any(cell.strip() for cell in row):
                    continue
                cell, text = (row[i].strip() if i < len(row) else "" for i in columns)
                where = audio.find(cell, entry.folder) if cell else None
                stem = cell.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or cell
                group = writer.names.group(name, SLICE_SUFFIX.sub("", stem))
                segment = Segment(None, None, None, {DEFAULT_SCRIPT: text})
                writer.add(Recording(name, group, {LATEST: [segment]}), where[0] if where else None)


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(
            f"The table is not valid CSV: {error}.", "Save it again as CSV.", "data.path", "life-table-damaged"
        ) from None


def _plain_columns(header: list[str]) -> tuple[int, int] | None:
    names = [h.strip().lower() for h in header]
    return (names.index("audio"), names.index("transcription")) if {"audio", "transcription"} <= set(names) else None


def _load(path: Path) -> Any:
    return json.loads(path.read_bytes().decode("utf-8-sig"))


def _unknown_format_error(tree: Tree, found: DetectedFiles) -> DataError:
    kinds = ", ".join(f"{n:,} {suffix}" for suffix, n in list(tree.count().items())[:5]) or "no files"
    broken = f"; {pluralize(found.unreadable, 'JSON file')} could not be parsed" if found.unreadable else ""
    return DataError(
        f"No LiFE export format was detected. Files: {kinds}{broken}.",
        "In LiFE, download the transcriptions of a project as JSON with the audio, and upload the zip.",
        "data.path",
        "life-unknown-form",
    )
