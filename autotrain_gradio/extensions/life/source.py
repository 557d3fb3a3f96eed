"""The source `life`: fetches the selected data, and answers the requests of the picker.

`data.path` is the name of an uploaded export, a file or folder of this computer, the URL of a server, or `sample`.
`data.options` holds the selection (`projects`, `script`, `dataset`: an annotation layer) and the filter of segments
(`silence_tag`, `min_segment`, `max_segment`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotrain_gradio.core.assets import sample_folder
from autotrain_gradio.core.errors import DataError, Finding
from autotrain_gradio.core.file_types import ARCHIVE_SUFFIXES
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.files.archives import is_archive
from autotrain_gradio.data.files.tree import Tree, scan
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress, sub_progress
from autotrain_gradio.extensions.life import catalog, formats, server_import
from autotrain_gradio.extensions.life.catalog import SAMPLE, Selection
from autotrain_gradio.extensions.life.client import Login
from autotrain_gradio.extensions.life.draft_store import (
    SKIP_REASONS,
    RecordingStore,
    SegmentRow,
    StoreWriter,
    link_or_copy,
)
from autotrain_gradio.extensions.life.selection import as_list, parse_segment_filter, resolve_selection

PREVIEW_CLIPS = 6
PREVIEW_RECORDINGS = 3
"""Number of recordings whose audio is downloaded from a server for a preview."""
PREVIEW_SECONDS = 30.0


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Return `data/media` of the draft: `metadata.jsonl` and the audio files of the selection, unchanged.

    Raises:
        DataError: the selection does not exist, or has no usable segment.
    """
    options, place = request.spec.options, request.spec.path
    login = Login.of({}, os.environ)
    wanted, segment_filter = as_list(options.get("projects")), parse_segment_filter(options)
    store = _opened(draft, place)
    if store is not None and store.index["remote"] and login:
        known = {x for p in store.list_projects() for x in (p.id, p.name)}
        store = store if known.issuperset(wanted) else None
    scratch = draft / "data" / "picking"
    try:
        if store is None:
            store = _import(place, wanted, request, draft, login, sub_progress(progress, 0.0, 0.6))
        selection, findings = resolve_selection(store, options)
        rows = list(store.iter_segments(selection, segment_filter))
        if store.index["remote"] and any(not r.audio_ref for r in rows):
            with server_import.connect(place, login, request, draft) as life:
                scaled = sub_progress(progress, 0.6, 0.3)
                store = server_import.download_audio(
                    life, store, selection, login, draft, scaled, segment_filter=segment_filter
                )
            rows = list(store.iter_segments(selection, segment_filter))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _reject_empty(rows, store, selection)
    found = (
        [Finding.from_dict(f) for f in store.index["findings"]] + findings + _summary_findings(rows, store, selection)
    )
    progress("Collecting segments", 0.95)
    _write_dataset(rows, store, draft)
    return Fetched(draft / "data" / "media", own=True, findings=tuple(found))


def browse(
    question: Mapping[str, Any], request: Request, draft: Path, secrets: Mapping[str, str], progress: Progress
) -> dict[str, Any]:
    """Answer the picker.

    question: `action` and its arguments. `projects` lists the projects of a server; `open` (`projects`: ids) imports
        transcripts into the draft; `preview` (`projects`, `script`, `dataset`) writes audio clips; `download` (same
        arguments) downloads the audio of a selection; `reopen` returns the answer of `open` again. The path is the
        request's `data.path`.
    secrets: `username` and `password`, or `token`.

    Raises:
        DataError: the place cannot be read.
    """
    login = Login.of(secrets, os.environ)
    place, action = request.spec.path, question["action"]
    if action == "projects":
        with server_import.connect(place, login, request, draft) as life:
            projects, findings = server_import.list_projects(life)
        return {"projects": [asdict(p) for p in projects], "findings": [f.to_dict() for f in findings]}
    if action == "open":
        return _describe(_import(place, as_list(question.get("projects")), request, draft, login, progress))
    store = _opened(draft, place)
    if action == "reopen" and store is not None:
        return _describe(store)
    if store is None:
        raise DataError("The draft does not have the opened export.", "Open it again.", "data.path", "life-closed")
    selection = Selection(tuple(as_list(question["projects"])), str(question["script"]), str(question["dataset"]))
    if store.index["remote"]:
        segment_filter = parse_segment_filter(request.spec.options)
        lacking = [r for r in store.iter_segments(selection, segment_filter) if not r.audio_ref]
        ready = {r.audio_ref for r in store.iter_segments(selection, segment_filter)} - {""}
        if lacking and (action == "download" or not ready):
            most = PREVIEW_RECORDINGS if action == "preview" else None
            with server_import.connect(place, login, request, draft) as life:
                store = server_import.download_audio(
                    life, store, selection, login, draft, progress, segment_filter=segment_filter, most=most
                )
    if action == "download":
        return _describe(store)
    return _preview(store, selection, draft)


def recognizes(tree: Tree) -> bool:
    """Whether files that another source fetched certainly are an export."""
    return formats.is_export(tree)


def take_over(tree: Tree, fetched: Fetched, request: Request, draft: Path, source: str, progress: Progress) -> str:
    """Import an export that another source fetched into the draft; return the path under which `fetch` finds it.

    An upload gets a new name, because file names may contain names of people. Other paths stay as they are.

    Raises:
        DataError: it cannot be parsed.
    """
    place = request.spec.path
    if source == "upload":
        place = catalog.name_taken_over_upload(time.strftime("%H:%M:%S"))
    elif _opened(draft, place) is not None:
        return place
    scratch = draft / "data" / "picking"
    try:
        writer = StoreWriter(draft, place, stamp=_stamp(place))
        formats.read_export(tree, writer, _project_name(place), progress)
        writer.finish()
        return place
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


# -- reading


def _import(
    place: str, wanted: Sequence[str], request: Request, draft: Path, login: Login, progress: Progress
) -> RecordingStore:
    """Import the data of a path into the draft."""
    picked = draft / "data" / "picked"
    scratch = draft / "data" / "picking"
    try:
        writer = StoreWriter(draft, place, stamp=_stamp(place))
        if catalog.is_url(place):
            with server_import.connect(place, login, request, draft) as life:
                projects = server_import.select_projects(server_import.list_projects(life)[0], wanted)
                writer.remote = catalog.parse_address(place)
                server_import.import_documents(life, projects, writer, login, progress)
        elif place == SAMPLE:
            source = request.source(draft)
            formats.read_export(_tree(sample_folder(source.sample), request), writer, SAMPLE, progress)
        else:
            files = sorted(picked.iterdir()) if picked.is_dir() else []
            root = _unpack_all(files or [_local(place)], scratch / "raw", request, progress)
            formats.read_export(_tree(root, request), writer, _project_name(place), progress)
        return writer.finish()
    finally:
        # The imported files contain names of people: they are removed.
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(picked, ignore_errors=True)


def _opened(draft: Path, place: str) -> RecordingStore | None:
    """Return the draft's store of a path; None if there is none, or if the files have changed."""
    store = RecordingStore.open(draft, place)
    return None if store is not None and store.index.get("stamp", "") not in ("", _stamp(place)) else store


def _stamp(place: str) -> str:
    """Return a digest of the sizes and times of the files of a local path; empty for other paths."""
    path = Path(place)
    if not path.is_absolute() or not path.exists():
        return ""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    facts = [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _local(place: str) -> Path:
    path = Path(place)
    if not path.is_absolute() or not path.exists():
        raise DataError(
            f"The folder or file '{place}' does not exist."
            if path.is_absolute()
            else "The draft does not have the export.",
            "Check the spelling." if path.is_absolute() else "Upload it again.",
            "data.path",
            "path-missing",
        )
    return path


def _unpack_all(files: Sequence[Path], raw: Path, request: Request, progress: Progress) -> Path:
    """Extract each archive into its own folder, and link other files beside; a single folder is returned as is."""
    if len(files) == 1 and files[0].is_dir():
        return files[0]
    raw.mkdir(parents=True)
    loose = raw / "files"
    for number, file in enumerate(files):
        if is_archive(file):
            part = sub_progress(progress, number / len(files), 1 / len(files))
            formats.unpack(file, raw / str(number), request.limits, part)
        else:
            loose.mkdir(exist_ok=True)
            link_or_copy(file, loose / file.name)
    return raw


def _tree(root: Path, request: Request) -> Tree:
    return scan(root, limit=request.limits.archive_members)


def _project_name(place: str) -> str:
    """Return the name of the project, derived from the export's, for data without project names."""
    if place.startswith(catalog.UPLOAD_PREFIX):
        place = place.removeprefix(catalog.UPLOAD_PREFIX).partition(catalog.OPENED_AT)[0].partition(" and ")[0]
        place = place if place.lower().endswith(ARCHIVE_SUFFIXES) else ""
    name = Path(place).name
    suffix = next((s for s in (*ARCHIVE_SUFFIXES, ".json", ".csv", ".tsv") if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)].removesuffix("_textgrids") or "LiFE project"


def _describe(store: RecordingStore) -> dict[str, Any]:
    names = ("projects", "layers", "catalogue", "findings", "remote")
    return {**{n: store.index[n] for n in names}, "format": formats.FORMAT_TITLES[store.index["format"]]}


def _format_skipped(skipped: Counter[str]) -> str:
    return ", ".join(f"{n:,} {SKIP_REASONS[why]}" for why, n in skipped.most_common())


def _reject_empty(rows: Sequence[SegmentRow], store: RecordingStore, selection: Selection) -> None:
    if rows:
        return
    total = sum(store.skipped.values())
    why = f": {_format_skipped(store.skipped)}" if total else ""
    raise DataError(
        f"None of {pluralize(total, 'segment')} in {selection.script} is usable{why}.",
        "Select another script, dataset or project, or export with the audio.",
        "data.options",
        "life-nothing-left",
    )


def _summary_findings(rows: Sequence[SegmentRow], store: RecordingStore, selection: Selection) -> list[Finding]:
    layer = next(x for x in store.index["layers"] if x["id"] == selection.dataset)
    names = {p.id: p.name for p in store.list_projects()}
    speakers = {s for r in rows for s in (r.speaker or "").split("+")} - {""}
    counts = catalog.format_counts(len(rows), sum(r.seconds for r in rows) / 3600, len(speakers))
    text = f"{', '.join(names[p] for p in selection.projects)}, {selection.script}, {layer['title']}: {counts}."
    found = [Finding("info", "life-picked", text)]
    if store.skipped:
        total = pluralize(sum(store.skipped.values()), "segment")
        found.append(Finding("warning", "life-left-out", f"{total} skipped: {_format_skipped(store.skipped)}."))
    without = set(selection.projects) - {r.project for r in rows}
    if without:
        text = f"No segments come from {', '.join(names[p] for p in selection.projects if p in without)}."
        found.append(Finding("warning", "life-not-covered", text, where="data.options.projects"))
    if layer["machine"]:
        found.append(
            Finding(
                "warning",
                "life-machine-output",
                "The transcripts are output of a model: training on them reproduces its errors.",
                "Select transcripts that people wrote or corrected, such as 'latest'.",
                "data.options.dataset",
            )
        )
    return found


def _write_dataset(rows: Sequence[SegmentRow], store: RecordingStore, draft: Path) -> None:
    """Write `data/media`; audio files are hard links to the store."""
    media = draft / "data" / "media"
    partial = media.with_name("media.partial")
    for folder in (partial, media, draft / "data" / "upload"):
        shutil.rmtree(folder, ignore_errors=True)
    (draft / "data" / "upload.json").unlink(missing_ok=True)
    (partial / "audio").mkdir(parents=True)
    parts, speakers = any(r.start is not None for r in rows), any(r.speaker for r in rows)
    names = {p.id: p.name for p in store.list_projects()}
    taken: set[str] = set()
    with (partial / "metadata.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            if row.audio_ref not in taken:
                taken.add(row.audio_ref)
                link_or_copy(store.folder / row.audio_ref, partial / row.audio_ref)
            line: dict[str, Any] = {"file_name": row.audio_ref}
            line |= {"start": row.start, "end": row.end} if parts else {}
            line["text"] = row.text
            line |= {"speaker": row.speaker} if speakers else {}
            line |= {"recording": row.recording_id, "project": names[row.project]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    partial.rename(media)


def _preview(store: RecordingStore, selection: Selection, draft: Path) -> dict[str, Any]:
    """Write clips of a few segments, evenly spaced, and count the skipped ones."""
    import soundfile

    from autotrain_gradio.data.media.audio_files import AudioError, read_audio

    rows = list(store.iter_segments(selection))
    playable = [r for r in rows if r.audio_ref]
    step = max(1, len(playable) // PREVIEW_CLIPS)
    folder = draft / "preview" / "life"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shown = []
    for row in playable[::step][:PREVIEW_CLIPS]:
        begin = row.start or 0.0
        end = min(row.end if row.end is not None else begin + PREVIEW_SECONDS, begin + PREVIEW_SECONDS)
        try:
            samples = read_audio({"path": str(store.folder / row.audio_ref), "bytes": None}, begin, end)
        except AudioError:
            continue  # readable header, damaged samples: the check reports it
        name = f"{row.segment_id}-{os.urandom(4).hex()}.wav"
        soundfile.write(folder / name, samples, 16_000, subtype="PCM_16")
        shown.append(
            {
                "file": f"preview/life/{name}",
                "text": row.text,
                "detail": ", ".join(x for x in (row.speaker, row.recording_id, f"{row.seconds:.1f} s") if x),
            }
        )
    return {"rows": shown, "segments": len(rows), "left_out": _format_skipped(store.skipped)}
