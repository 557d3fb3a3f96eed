"""The source `life`: fetches what was picked, and answers the picker.

`data.path` is the name of an uploaded export, a file or folder of this computer, the address of a server, or
`sample`. `data.options` says what is picked: `projects`, `script`, `dataset` (a layer), and which segments can be
used: `silence_tag`, `min_segment`, `max_segment`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotrain_gradio.core.assets import sample_folder
from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import pluralize
from autotrain_gradio.data.files.archives import is_archive
from autotrain_gradio.data.files.tree import Tree, scan
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Fetched, Progress
from autotrain_gradio.extensions.life import choices, formats, server
from autotrain_gradio.extensions.life.choices import LATEST, SAMPLE, Choice
from autotrain_gradio.extensions.life.client import Login
from autotrain_gradio.extensions.life.store import SKIPPED, Reading, Row, Rules, Writer, link

PREVIEWED = 6
OTHER_SCRIPTS = 6
"""Scripts that are offered beside the one that is taken."""
PREVIEWED_RECORDINGS = 3
"""Recordings of a server whose audio is downloaded to be listened to."""
PREVIEW_SECONDS = 30.0


def fetch(request: Request, draft: Path, progress: Progress) -> Fetched:
    """Return `data/media` of the draft: `metadata.jsonl` and the audio that is picked, as it was recorded.

    Raises:
        DataError: what is picked is not there, or none of its segments can be used.
    """
    options, place = request.spec.options, request.spec.path
    login = Login.of({}, os.environ)
    wanted, rules = _listed(options.get("projects")), _rules(options)
    reading = _opened(draft, place)
    if reading is not None and reading.index["remote"] and login:
        known = {x for p in reading.list_projects() for x in (p.id, p.name)}
        reading = reading if known.issuperset(wanted) else None
    scratch = draft / "data" / "picking"
    try:
        if reading is None:
            reading = _read(place, wanted, request, draft, login, _part(progress, 0.0, 0.6))
        choice, findings = choose(reading, options)
        rows = list(reading.iter_segments(choice, rules))
        if reading.index["remote"] and any(not r.audio_ref for r in rows):
            with server.connect(place, login, request, draft) as life:
                told = _part(progress, 0.6, 0.3)
                reading = server.take(life, reading, choice, login, draft, told, rules=rules)
            rows = list(reading.iter_segments(choice, rules))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _refuse_nothing(rows, reading, choice)
    found = [Finding.from_dict(f) for f in reading.index["findings"]] + findings + _told(rows, reading, choice)
    progress("Gathering the segments", 0.95)
    _write(rows, reading, draft)
    return Fetched(draft / "data" / "media", own=True, findings=tuple(found))


def browse(
    question: Mapping[str, Any], request: Request, draft: Path, secrets: Mapping[str, str], progress: Progress
) -> dict[str, Any]:
    """Answer the picker.

    question: `{"do": "projects"}` lists a server's; `{"do": "open", "projects": [id]}` reads transcripts into the
        draft; `{"do": "preview", "projects", "script", "dataset"}` makes clips to listen to; `{"do": "take", …}` makes
        sure that the audio of a choice is there; `{"do": "again"}` tells once more what `open` has told. The place is
        the request's `data.path`.
    secrets: `username` and `password`, or `token`.

    Raises:
        DataError: the place cannot be read.
    """
    login = Login.of(secrets, os.environ)
    place, do = request.spec.path, question["do"]
    if do == "projects":
        with server.connect(place, login, request, draft) as life:
            projects, findings = server.list_projects(life)
        return {"projects": [asdict(p) for p in projects], "findings": [f.to_dict() for f in findings]}
    if do == "open":
        return _answer(_read(place, _listed(question.get("projects")), request, draft, login, progress))
    reading = _opened(draft, place)
    if do == "again" and reading is not None:
        return _answer(reading)
    if reading is None:
        raise DataError("What was opened is not there any more.", "Open it again.", "data.path", "life-closed")
    choice = Choice(tuple(_listed(question["projects"])), str(question["script"]), str(question["dataset"]))
    if reading.index["remote"]:
        rules = _rules(request.spec.options)
        lacking = [r for r in reading.iter_segments(choice, rules) if not r.audio_ref]
        ready = {r.audio_ref for r in reading.iter_segments(choice, rules)} - {""}
        if lacking and (do == "take" or not ready):
            most = PREVIEWED_RECORDINGS if do == "preview" else None
            with server.connect(place, login, request, draft) as life:
                reading = server.take(life, reading, choice, login, draft, progress, rules=rules, most=most)
    if do == "take":
        return _answer(reading)
    return _preview(reading, choice, draft)


def recognizes(tree: Tree) -> bool:
    """Whether files that another source fetched are an export: any format whose files say so themselves."""
    return formats.is_export(tree)


def take_over(tree: Tree, fetched: Fetched, request: Request, draft: Path, source: str, progress: Progress) -> str:
    """Read an export that another source fetched into the draft; return the place under which `fetch` finds it.

    An upload gets a new name: what its files were called may be a person's name. Everything else keeps its path.

    Raises:
        DataError: it cannot be read.
    """
    place = request.spec.path
    if source == "upload":
        place = choices.recognized(time.strftime("%H:%M:%S"))
    elif _opened(draft, place) is not None:
        return place
    scratch = draft / "data" / "picking"
    try:
        writer = Writer(draft, place, stamp=_stamp(place))
        formats.read(tree, writer, _project_of(place), progress)
        writer.finish()
        return place
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def choose(reading: Reading, options: Mapping[str, Any]) -> tuple[Choice, list[Finding]]:
    """Return what the options pick, and findings about what they leave open.

    Raises:
        DataError: there is no such project, script or layer.
    """
    projects = server.pick(reading.list_projects(), _listed(options.get("projects")))
    ids = [p.id for p in projects]
    scripts = reading.list_scripts(ids)
    usual = choices.default(reading.index["catalogue"], reading.index["layers"], ids)
    if not usual.script:
        raise DataError(
            "Nothing is transcribed in these projects.", "Choose others.", "data.options.projects", "life-no-text"
        )
    findings = []
    script = str(options.get("script") or "")
    if not script:
        script = usual.script
        names = ", ".join(f"{s.script} ({s.segments:,})" for s in scripts[:6])
        text = f"No script was chosen: '{script}' is taken, which has the most segments. There are: {names}."
        findings.append(Finding("info", "life-script-taken", text, "Choose one: --script.", "data.options.script"))
        for other in [s for s in scripts if s.script != script][:OTHER_SCRIPTS]:
            text = f"The script '{other.script}' is not used: {pluralize(other.segments, 'segment')}."
            fix = Fix(f"Use the script '{other.script}'", {"options": {"script": other.script}})
            findings.append(Finding("info", "life-script-other", text, where="data.options.script", fix=fix))
    elif script not in {s.script for s in scripts}:
        raise DataError(
            f"There is no script '{script}'.",
            did_you_mean(script, [s.script for s in scripts]),
            "data.options.script",
            "life-unknown-script",
        )
    layers = reading.list_datasets(ids, script)
    dataset = str(options.get("dataset") or "")
    if not dataset:
        dataset = layers[0].id
        why = "the transcripts as they stand at present" if dataset == LATEST else "'latest' has no text in this script"
        others = ", ".join(d.annotator for d in layers)
        text = f"No dataset was chosen: '{layers[0].annotator}' is taken, {why}. There are: {others}."
        findings.append(Finding("info", "life-dataset-taken", text, "Choose one: --dataset.", "data.options.dataset"))
    else:
        known = {d.annotator: d.id for d in layers} | {d.id: d.id for d in layers}
        if dataset not in known:
            raise DataError(
                f"There is no dataset '{dataset}' in {script}.",
                did_you_mean(dataset, [d.id for d in layers]),
                "data.options.dataset",
                "life-unknown-dataset",
            )
        dataset = known[dataset]
    return Choice(tuple(ids), script, dataset), findings


# -- reading


def _read(
    place: str, wanted: Sequence[str], request: Request, draft: Path, login: Login, progress: Progress
) -> Reading:
    """Read a place into the draft."""
    picked = draft / "data" / "picked"
    scratch = draft / "data" / "picking"
    try:
        writer = Writer(draft, place, stamp=_stamp(place))
        if choices.is_address(place):
            with server.connect(place, login, request, draft) as life:
                projects = server.pick(server.list_projects(life)[0], wanted)
                writer.remote = choices.address(place)
                server.read(life, projects, writer, login, progress)
        elif place == SAMPLE:
            source = request.source(draft)
            formats.read(_tree(sample_folder(source.sample), request), writer, SAMPLE, progress)
        else:
            files = sorted(picked.iterdir()) if picked.is_dir() else []
            root = _gathered(files or [_local(place)], scratch / "raw", request, progress)
            formats.read(_tree(root, request), writer, _project_of(place), progress)
        return writer.finish()
    finally:
        # What came in holds people's names: it does not stay.
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(picked, ignore_errors=True)


def _opened(draft: Path, place: str) -> Reading | None:
    """Return what the draft holds of a place; None where its files have changed since they were read."""
    reading = Reading.open(draft, place)
    return None if reading is not None and reading.index.get("stamp", "") not in ("", _stamp(place)) else reading


def _stamp(place: str) -> str:
    """Return a digest of the sizes and times of the files of a local place; empty for other places."""
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
            f"There is no folder or file '{place}'." if path.is_absolute() else "The export is not there any more.",
            "Check the spelling." if path.is_absolute() else "Give it again.",
            "data.path",
            "path-missing",
        )
    return path


def _gathered(files: Sequence[Path], raw: Path, request: Request, progress: Progress) -> Path:
    """Unpack archives into a folder of their own each, beside the files that are none; one folder stays where it is."""
    if len(files) == 1 and files[0].is_dir():
        return files[0]
    raw.mkdir(parents=True)
    loose = raw / "files"
    for number, file in enumerate(files):
        if is_archive(file):
            part = _part(progress, number / len(files), 1 / len(files))
            formats.unpack(file, raw / str(number), request.limits, part)
        else:
            loose.mkdir(exist_ok=True)
            link(file, loose / file.name)
    return raw


def _tree(root: Path, request: Request) -> Tree:
    return scan(root, limit=request.limits.archive_members)


def _project_of(place: str) -> str:
    """Make the name of a project of that of its export, where the data itself names none."""
    if place.startswith(choices.UPLOADED):
        place = place.removeprefix(choices.UPLOADED).partition(choices.OPENED)[0].partition(" and ")[0]
        place = place if place.lower().endswith(choices.PACKED) else ""
    stem = re.sub(r"\.(zip|tar|tar\.gz|tgz|json|csv|tsv)$", "", Path(place).name, flags=re.IGNORECASE)
    return re.sub(r"_textgrids$", "", stem) or "LiFE project"


def _answer(reading: Reading) -> dict[str, Any]:
    names = ("projects", "layers", "catalogue", "findings", "remote")
    return {**{n: reading.index[n] for n in names}, "form": formats.TITLES[reading.index["format"]]}


# -- what is picked


def _rules(options: Mapping[str, Any]) -> Rules:
    usual = Rules()
    numbers = {"min_segment": usual.shortest, "max_segment": usual.longest}
    for name in numbers:
        if options.get(name) is not None:
            try:
                numbers[name] = float(options[name])
            except (TypeError, ValueError):
                numbers[name] = -1.0
            if not 0 <= numbers[name] < float("inf"):
                raise DataError(
                    f"'{options[name]}' is no length in seconds.",
                    "Give a number such as 0.5.",
                    f"data.options.{name}",
                    "invalid-setting",
                )
    silence = options.get("silence_tag")
    return Rules(usual.silence if silence is None else str(silence), numbers["min_segment"], numbers["max_segment"])


def _listed(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)] if value else []


def _part(progress: Progress, begin: float, share: float) -> Progress:
    return lambda message, fraction: progress(message, begin + share * fraction)


def _left_out(skipped: Counter[str]) -> str:
    return ", ".join(f"{n:,} {SKIPPED[why]}" for why, n in skipped.most_common())


def _refuse_nothing(rows: Sequence[Row], reading: Reading, choice: Choice) -> None:
    if rows:
        return
    total = sum(reading.skipped.values())
    why = f": {_left_out(reading.skipped)}" if total else ""
    raise DataError(
        f"Of {pluralize(total, 'segment')} in {choice.script} none can be used{why}.",
        "Choose another script, dataset or project, or export with the audio.",
        "data.options",
        "life-nothing-left",
    )


def _told(rows: Sequence[Row], reading: Reading, choice: Choice) -> list[Finding]:
    layer = next(x for x in reading.index["layers"] if x["id"] == choice.dataset)
    names = {p.id: p.name for p in reading.list_projects()}
    speakers = {s for r in rows for s in (r.speaker or "").split("+")} - {""}
    said = choices.figures(len(rows), sum(r.seconds for r in rows) / 3600, len(speakers))
    text = f"{', '.join(names[p] for p in choice.projects)}, {choice.script}, {layer['title']}: {said}."
    found = [Finding("info", "life-picked", text)]
    if reading.skipped:
        total = pluralize(sum(reading.skipped.values()), "segment")
        found.append(Finding("warning", "life-left-out", f"{total} left out: {_left_out(reading.skipped)}."))
    without = set(choice.projects) - {r.project for r in rows}
    if without:
        text = f"Nothing comes from {', '.join(names[p] for p in choice.projects if p in without)}."
        found.append(Finding("warning", "life-not-covered", text, where="data.options.projects"))
    if layer["machine"]:
        found.append(
            Finding(
                "warning",
                "life-machine-output",
                "The transcripts are a model's output: its mistakes would be learned as if they were right.",
                "Choose what people have written or corrected, such as 'latest'.",
                "data.options.dataset",
            )
        )
    return found


def _write(rows: Sequence[Row], reading: Reading, draft: Path) -> None:
    """Make `data/media` of the rows; audio is linked from the store, not copied."""
    media = draft / "data" / "media"
    partial = media.with_name("media.partial")
    for folder in (partial, media, draft / "data" / "upload"):
        shutil.rmtree(folder, ignore_errors=True)
    (draft / "data" / "upload.json").unlink(missing_ok=True)
    (partial / "audio").mkdir(parents=True)
    parts, speakers = any(r.start is not None for r in rows), any(r.speaker for r in rows)
    names = {p.id: p.name for p in reading.list_projects()}
    taken: set[str] = set()
    with (partial / "metadata.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            if row.audio_ref not in taken:
                taken.add(row.audio_ref)
                link(reading.folder / row.audio_ref, partial / row.audio_ref)
            line: dict[str, Any] = {"file_name": row.audio_ref}
            line |= {"start": row.start, "end": row.end} if parts else {}
            line["text"] = row.text
            line |= {"speaker": row.speaker} if speakers else {}
            line |= {"recording": row.recording_id, "project": names[row.project]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    partial.rename(media)


def _preview(reading: Reading, choice: Choice, draft: Path) -> dict[str, Any]:
    """Cut a few segments, spread over all, and say what is left out."""
    import soundfile

    from autotrain_gradio.data.media.audio_files import AudioError, read_audio

    rows = list(reading.iter_segments(choice))
    heard = [r for r in rows if r.audio_ref]
    step = max(1, len(heard) // PREVIEWED)
    folder = draft / "preview" / "life"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shown = []
    for row in heard[::step][:PREVIEWED]:
        begin = row.start or 0.0
        end = min(row.end if row.end is not None else begin + PREVIEW_SECONDS, begin + PREVIEW_SECONDS)
        try:
            samples = read_audio({"path": str(reading.folder / row.audio_ref), "bytes": None}, begin, end)
        except AudioError:
            continue  # its header was right, its samples are not: the check tells
        name = f"{row.segment_id}-{os.urandom(4).hex()}.wav"
        soundfile.write(folder / name, samples, 16_000, subtype="PCM_16")
        shown.append(
            {
                "file": f"preview/life/{name}",
                "text": row.text,
                "detail": ", ".join(x for x in (row.speaker, row.recording_id, f"{row.seconds:.1f} s") if x),
            }
        )
    return {"rows": shown, "segments": len(rows), "left_out": _left_out(reading.skipped)}
