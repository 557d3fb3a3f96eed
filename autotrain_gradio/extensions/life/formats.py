"""The forms in which a LiFE's data comes as files, recognised by what is in them.

A: LiFE's JSON, one document a recording, beside its WAV. B: the same JSON, and the audio in another folder. C: Praat
TextGrids, D: tables of tiers (both in `tiers`). E: `dataset.json` with the audio as base64, of an earlier version of
the speech task. F: `data.csv` with a folder of audio. The first of these that is there is read.
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
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.files.archives import extract
from autotrain_gradio.data.files.tree import Entry, Tree
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life import tiers
from autotrain_gradio.extensions.life.choices import LATEST
from autotrain_gradio.extensions.life.documents import Recording, Segment, is_document, recording
from autotrain_gradio.extensions.life.store import Writer

TITLES = {
    "A": "LiFE JSON with its audio",
    "B": "LiFE JSON and a folder of audio",
    "C": "TextGrids from LiFE",
    "D": "tables of tiers from LiFE",
    "E": "dataset.json with the audio inside",
    "F": "data.csv and a folder of audio",
}
AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".mp4", ".aac", ".wma", ".webm", ".aiff")
SUFFIX = {"WAV": ".wav", "FLAC": ".flac", "MP3": ".mp3", "OGG": ".ogg", "OPUS": ".opus", "AIFF": ".aiff"}
ANY_SCRIPT = "transcription"
"""Name of the script where the data has but one text, and does not say in which script."""
MAPPINGS = ("projectlist.json", "project_script_mapping.json", "script_dataset_mapping.json")
SLICE = re.compile(r"-slice\d+")
"""LiFE numbers the slices of a recording so: they are of one recording."""


CLOSED = {
    "archive-damaged": ("is damaged", "Pack it again, and look whether the upload was complete."),
    "archive-encrypted": ("is encrypted", "Pack the files again without a password."),
    "archive-escape": ("holds a file that would be written outside its folder", "Export the project again."),
    "archive-special-member": ("holds a link or a device", "Pack the files themselves."),
    "archive-duplicate-member": ("holds two files of the same name", "Export the project again."),
    "archive-method": ("is packed in an unusual way", "Pack the files as an ordinary zip."),
    "archive-too-deep": ("has too many folders in folders", "Pack fewer folders."),
    "archive-bomb": ("would grow beyond all measure: it is refused as a trap", "Pack the files yourself."),
}
"""Codes of errors whose message names a member of the archive; its name may be that of a person."""


def unpack(archive: Path, folder: Path, limits: Limits, progress: Progress) -> None:
    """Unpack an archive as `archives.extract` does; what is said of an error names no member.

    Raises:
        DataError: it cannot be opened.
    """
    folder.mkdir(parents=True)
    try:
        extract(archive, folder, limits, progress)
    except DataError as error:
        if error.code not in CLOSED:
            raise
        what, hint = CLOSED[error.code]
        raise DataError(f"The archive {what}.", hint, "data.path", error.code) from None


class Audio:
    """Finds audio by the name that the data gives it: in the folder of who names it, else anywhere."""

    def __init__(self, tree: Tree) -> None:
        self._root = tree.root
        self._names: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        for entry in tree.with_suffix(AUDIO_SUFFIXES):
            self._names.setdefault(entry.name.lower(), []).append(entry.path)
            self._stems.setdefault(entry.stem.lower(), []).append(entry.path)

    def find(self, name: Any, folder: str) -> tuple[Path, bool] | None:
        """Return the file of that name and whether it lies in the folder; None where none or several could be meant."""
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
"""Extension → of which one is near the beginning of such a file of an export."""
HEAD_BYTES = 1 << 20
TIER_NAME = re.compile(rb'"sentence-[^"\n]+-transcription"')
BASE64 = re.compile(r"(data:[\w/+.-]+;base64,)?[A-Za-z0-9+/]{200}")


def is_export(tree: Tree) -> bool:
    """Whether a file can only be of an export: a document, a table of tiers, tier names, audio as base64.

    A `data.csv` with a folder of audio is an ordinary table. Stops at the first such file.
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
    found = look(Tree(path.parent, (Entry(path.name, entry.size, entry.mtime_ns),)))
    if found.datasets:  # or a table that names its files
        first = _load(path)[0]["audio"]
        return isinstance(first, str) and bool(BASE64.match(first))
    return found.form in {"A", "D"}


@dataclass
class Found:
    """The files of each form. `documents`: with the number of documents in each; `mappings`: name → value."""

    documents: list[Entry] = field(default_factory=list)
    textgrids: list[Entry] = field(default_factory=list)
    tables: list[Entry] = field(default_factory=list)
    datasets: list[Entry] = field(default_factory=list)
    mappings: dict[str, Any] = field(default_factory=dict)
    plain: list[Entry] = field(default_factory=list)
    unreadable: int = 0

    @property
    def form(self) -> str:
        """Return the letter of the first form that is there (A stands for B too), or ''."""
        groups = {"A": self.documents, "C": self.textgrids, "D": self.tables, "E": self.datasets, "F": self.plain}
        return next((letter for letter, files in groups.items() if files), "")


def look(tree: Tree) -> Found:
    """Sort files by what is in them."""
    found = Found()
    for entry in tree.files:
        if entry.suffix == ".textgrid":
            found.textgrids.append(entry)
        elif entry.suffix in {".csv", ".tsv"}:
            how, _ = encoding.detect_encoding(tree.root / entry.path, "")
            with (tree.root / entry.path).open(encoding=how, errors="replace") as file:
                first = file.readline(1000)
            if tiers.is_header(first):
                found.tables.append(entry)
            elif _plain_columns(next(csv.reader([first]), [])):
                found.plain.append(entry)
        elif entry.suffix == ".json":
            try:
                _sort_json(found, entry, _load(tree.root / entry.path))
            except (ValueError, RecursionError):
                found.unreadable += 1
    return found


def _sort_json(found: Found, entry: Entry, value: Any) -> None:
    first = value[0] if isinstance(value, list) and value else value
    if entry.name.lower() in MAPPINGS:
        found.mappings[entry.name.lower()] = value
    elif is_document(first):
        found.documents.append(entry)
    elif tiers.rows_of_json(value):
        found.tables.append(entry)
    elif isinstance(value, list) and isinstance(first, dict) and {"audio", "transcription"} <= set(first):
        found.datasets.append(entry)


def read(tree: Tree, writer: Writer, name: str, progress: Progress) -> None:
    """Give the writer all recordings of a folder.

    name: of the project, where the data names none.

    Raises:
        DataError: no form is recognised.
    """
    found = look(tree)
    form = found.form
    if not form:
        raise _unknown(tree, found)
    audio = Audio(tree)
    writer.format = form
    if form == "A":
        near = _documents(tree, found, audio, writer, progress)
        writer.format = "A" if near else "B"
    elif form in "CD":
        skipped = 0
        files = found.textgrids if form == "C" else found.tables
        for number, entry in enumerate(files):
            progress("Reading the transcripts", number / len(files))
            try:
                segments = tiers.segments_of(tree.root / entry.path)
            except ValueError:
                skipped += 1
                continue
            where = audio.find(entry.stem, entry.folder)
            group = writer.names.group(name, SLICE.sub("", entry.stem))
            writer.add(Recording(name, group, {LATEST: segments}), where[0] if where else None)
        writer.findings += _of_tiers(form, skipped)
    elif form == "E":
        _datasets(tree, found, writer, name, progress)
    else:
        _tables(tree, found, audio, writer, name, progress)
    if found.unreadable:
        writer.findings.append(
            Finding(
                "warning",
                "life-json-unreadable",
                f"{pluralize(found.unreadable, 'JSON file')} cannot be read: not complete, or no JSON.",
                "Export the project again, and pack all files that come out.",
            )
        )


def _documents(tree: Tree, found: Found, audio: Audio, writer: Writer, progress: Progress) -> bool:
    """Read forms A and B; return whether all audio lies beside its document."""
    seen: set[tuple[str, str]] = set()
    twice, near = 0, True
    for number, entry in enumerate(found.documents):
        progress("Reading the recordings", number / len(found.documents))
        for document in _documents_in(tree.root / entry.path):
            own = (str(document.get("projectname")), str(document.get("audioId") or document["audioFilename"]))
            if own in seen:
                twice += 1
                continue
            seen.add(own)
            where = audio.find(document["audioFilename"], entry.folder)
            near = near and (where is None or where[1])
            writer.add(recording(document, writer.names), where[0] if where else None)
    if twice:
        text = f"{pluralize(twice, 'recording')} {'is' if twice == 1 else 'are'} there twice; the first is used."
        writer.findings.append(Finding("warning", "life-twice", text))
    if found.textgrids or found.tables:
        text = "The export holds TextGrids or tables of tiers too; the JSON is used, which is more exact."
        writer.findings.append(Finding("info", "life-other-forms", text))
    return near


def _documents_in(path: Path) -> Iterator[Mapping[str, Any]]:
    value = _load(path)
    yield from (d for d in (value if isinstance(value, list) else [value]) if is_document(d))


def _of_tiers(form: str, skipped: int) -> list[Finding]:
    findings = [
        Finding(
            "warning",
            "life-prefer-json",
            f"{TITLES[form][:1].upper()}{TITLES[form][1:]} are less exact than its JSON: times are rounded to 0.01 s,"
            " gaps are filled with a silence tag, and texts of a script that some segments lack may be shifted.",
            "Export the project as JSON with its audio, if you can.",
        )
    ]
    if skipped:
        findings.append(
            Finding(
                "warning",
                "life-tiers-unreadable",
                f"{pluralize(skipped, 'file')} of transcripts cannot be read, and "
                f"{'is' if skipped == 1 else 'are'} left"
                " out.",
                "Export the project again.",
            )
        )
    return findings


def _datasets(tree: Tree, found: Found, writer: Writer, name: str, progress: Progress) -> None:
    """Read form E: the audio is strict base64, and must be audio."""
    scripts = _lists(found.mappings.get("script_dataset_mapping.json"))
    projects = _lists(found.mappings.get("project_script_mapping.json"))
    unclear = False
    scratch = writer.partial.parent / "decoded"
    scratch.mkdir(exist_ok=True)
    for entry in found.datasets:
        of_script = [s for s, files in scripts.items() if entry.name in files]
        script = of_script[0] if len(of_script) == 1 else ANY_SCRIPT
        of_project = [p for p, found_in in projects.items() if not of_script or script in found_in]
        project = of_project[0] if len(of_project) == 1 else name
        unclear = unclear or len(of_script) > 1 or len(of_project) > 1
        items = _load(tree.root / entry.path)
        for number, item in enumerate(items):
            progress("Decoding the audio", number / len(items))
            text = item.get("transcription") if isinstance(item, Mapping) else None
            own = Recording(
                project,
                writer.names.group(entry.path, number),
                {LATEST: [Segment(None, None, None, {script: text.strip() if isinstance(text, str) else ""})]},
            )
            data = _decoded(item.get("audio")) if isinstance(item, Mapping) else None
            suffix = _suffix(data) if data else ""
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
            "The files beside dataset.json name several projects or scripts, and nothing says which row is of which:"
            " all rows are taken for one."
        )
        writer.findings.append(Finding("warning", "life-mapping-unclear", text))


def _lists(value: Any) -> dict[str, list[Any]]:
    """Return a mapping of names to lists, as far as a JSON value is one."""
    items = value.items() if isinstance(value, dict) else ()
    return {str(k): v if isinstance(v, list) else [v] for k, v in items}


def _decoded(text: Any) -> bytes | None:
    """Return what base64 stands for, b'' for nothing, None for what is no base64."""
    if text is None or text == "":
        return b""
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(re.sub(r"^data:[\w/+.-]+;base64,", "", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _suffix(data: bytes) -> str:
    from autotrain_gradio.data.media.audio_files import AudioError, header

    try:
        return SUFFIX.get(header(data).format, ".wav")
    except AudioError:
        return ""


def _tables(tree: Tree, found: Found, audio: Audio, writer: Writer, name: str, progress: Progress) -> None:
    """Read form F."""
    for number, entry in enumerate(found.plain):
        progress("Reading the table", number / len(found.plain))
        delimiter = "\t" if entry.suffix == ".tsv" else ","
        # The name of the file is not told: it may be that of a person.
        how, told = encoding.detect_encoding(tree.root / entry.path, "a table of transcripts")
        writer.findings += told
        with (tree.root / entry.path).open(encoding=how, errors="replace", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter)
            columns = _plain_columns(next(reader, []))
            assert columns is not None  # by which the file was recognised
            for row in _rows(reader):
                if not any(cell.strip() for cell in row):
                    continue
                cell, text = (row[i].strip() if i < len(row) else "" for i in columns)
                where = audio.find(cell, entry.folder) if cell else None
                stem = cell.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or cell
                group = writer.names.group(name, SLICE.sub("", stem))
                segment = Segment(None, None, None, {ANY_SCRIPT: text})
                writer.add(Recording(name, group, {LATEST: [segment]}), where[0] if where else None)


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise DataError(
            f"The table is damaged: {error}.", "Save it again as CSV.", "data.path", "life-table-damaged"
        ) from None


def _plain_columns(header: list[str]) -> tuple[int, int] | None:
    names = [h.strip().lower() for h in header]
    return (names.index("audio"), names.index("transcription")) if {"audio", "transcription"} <= set(names) else None


def _load(path: Path) -> Any:
    return json.loads(path.read_bytes().decode("utf-8-sig"))


def _unknown(tree: Tree, found: Found) -> DataError:
    kinds = ", ".join(f"{n:,} {suffix}" for suffix, n in list(tree.count().items())[:5]) or "no files"
    broken = f"; {pluralize(found.unreadable, 'JSON file')} cannot be read" if found.unreadable else ""
    return DataError(
        f"This is no export of LiFE: none of its forms was found among {kinds}{broken}.",
        "In LiFE, download the transcriptions of a project as JSON, with the audio, and give the zip that comes.",
        "data.path",
        "life-unknown-form",
    )
