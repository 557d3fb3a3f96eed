"""Exports that are datasets: `dataset.json` with base64 audio (format E), and `data.csv` with a folder of audio (F)."""

from __future__ import annotations

import base64
import binascii
import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any

from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.data.files import encoding
from autotrain_gradio.data.files.tree import Tree
from autotrain_gradio.data.rows import Progress
from autotrain_gradio.extensions.life.catalog import LATEST
from autotrain_gradio.extensions.life.documents import Recording, Segment
from autotrain_gradio.extensions.life.draft_store import StoreWriter
from autotrain_gradio.extensions.life.export_files import (
    SLICE_SUFFIX,
    AudioIndex,
    DetectedFiles,
    delimiter_of,
    load_json,
    plain_columns,
)

SUFFIX_OF_FORMAT = {"WAV": ".wav", "FLAC": ".flac", "MP3": ".mp3", "OGG": ".ogg", "OPUS": ".opus", "AIFF": ".aiff"}
DEFAULT_SCRIPT = "transcription"
"""Name of the script in formats that have a single text column without a script."""


def read_datasets(tree: Tree, found: DetectedFiles, writer: StoreWriter, name: str, progress: Progress) -> None:
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
        items = load_json(tree.root / entry.path)
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


def read_tables(
    tree: Tree, found: DetectedFiles, audio: AudioIndex, writer: StoreWriter, name: str, progress: Progress
) -> None:
    """Parse format F."""
    for number, entry in enumerate(found.plain):
        progress("Parsing the table", number / len(found.plain))
        # The file is not named in the finding: its name may contain that of a person.
        how, findings = encoding.detect_encoding(tree.root / entry.path, "a table of transcripts")
        writer.findings += findings
        with (tree.root / entry.path).open(encoding=how, errors="replace", newline="") as file:
            rows = _rows(csv.reader(file, delimiter=delimiter_of(entry)))
            columns = plain_columns(next(rows, []))
            if columns is None:  # beyond the beginning by which the file was detected
                raise _damaged("its first row does not name audio and transcription")
            for row in rows:
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
        raise _damaged(str(error)) from None


def _damaged(why: str) -> DataError:
    message = f"The table is not valid CSV: {why}."
    return DataError(message, "Save it again as CSV.", "data.path", "life-table-damaged")
