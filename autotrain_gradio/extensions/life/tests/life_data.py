"""Documents, sounds and exports of an invented LiFE for the tests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 10
tiers? <exists>
size = {size}
item []:
{tiers}"""
TIER = """    item [{number}]:
        class = "IntervalTier"
        name = "{name}"
        xmin = 0
        xmax = 10
        intervals: size = {size}
{intervals}"""
PEOPLE = ("Rameshwar", "sunitadevi", "Balkrishna", "phoolmati")
"""Two annotators and two speakers; none of these names may be found again."""
MODEL_KEY = "@model##acme/whisper-tiny##Rameshwar"
RATE = 8000


def wav(seconds: float = 10.0, seed: int = 1) -> bytes:
    """Return a quiet noise as WAV."""
    noise = np.random.default_rng(seed).normal(0, 0.05, int(seconds * RATE)).astype(np.float32)
    file = io.BytesIO()
    soundfile.write(file, noise, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def boundary(start: Any, end: Any, speaker: Any = "", **texts: Any) -> dict[str, Any]:
    """Return a boundary of a textGrid."""
    return {"start": start, "end": end, "speakerId": speaker, "sentenceId": "S1", "transcription": texts}


def grid(*boundaries: dict[str, Any]) -> dict[str, Any]:
    """Return a textGrid whose boundary ids look like times, and are none."""
    return {"discourse": {}, "sentence": {f"{999 - n}00{n}": b for n, b in enumerate(boundaries)}, "word": {}}


def document(number: int = 1, *, project: str = "Bhojpuri", **more: Any) -> dict[str, Any]:
    """Return a recording's document; names of people are in every field that can hold one."""
    found = {
        "projectname": project,
        "username": PEOPLE[0],
        "audioId": f"A2024030110150{number}",
        "audioFilename": f"A2024030110150{number}_{PEOPLE[2]}.wav",
        "lifesourceid": PEOPLE[2],
        "speakerId": PEOPLE[2],
        "updatedBy": PEOPLE[1],
        "transcriptionFLAG": 1,
        "audiodeleteFLAG": 0,
        "additionalInfo": {},
        "audioMetadata": {"audioDuration": 10.0},
        "textGrid": grid(
            boundary(0.5, 2.0, Devanagari="पानी बहुत है", IPA="paːniː"),
            boundary(2.5, 4.0, PEOPLE[3], Devanagari="आम मीठा है", IPA=""),
        ),
        PEOPLE[1]: {"textGrid": grid(boundary(0.5, 2.0, Devanagari="पानी है")), "audioCompleteFLAG": 1},
        MODEL_KEY: {"textGrid": grid(boundary(0.5, 2.0, Devanagari="पाणी")), "updatedBy": PEOPLE[0]},
    }
    return {**found, **more}


def files(*documents: Mapping[str, Any], audio: str = "", seconds: float = 10.0) -> dict[str, bytes]:
    """Return name → content of a form A export; `audio`: folder of the sounds (form B)."""
    found = {}
    for number, one in enumerate(documents):
        name = str(one["audioFilename"])
        found[name.rpartition(".")[0] + ".json"] = json.dumps(one, ensure_ascii=False).encode()
        found[f"{audio}{name}"] = wav(seconds, number)
    return found


def textgrid(**tiers_: list[tuple[float, float, str]]) -> str:
    """Return a TextGrid in its long form; `__` in a name stands for a hyphen."""
    found = []
    for number, (name, rows) in enumerate(tiers_.items(), 1):
        intervals = "".join(
            f'        intervals [{n}]:\n            xmin = {a}\n            xmax = {b}\n            text = "{t}"\n'
            for n, (a, b, t) in enumerate(rows, 1)
        )
        name = name.replace("__", "-")
        found.append(TIER.format(number=number, name=name, size=len(rows), intervals=intervals))
    return TEXTGRID.format(size=len(found), tiers="".join(found))


def zipped(path: Path, contents: Mapping[str, bytes | str]) -> Path:
    """Write a zip and return it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def plant(folder: Path, contents: Mapping[str, bytes | str]) -> Path:
    """Write files below a folder and return it."""
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
    return folder


def holds_a_name(folder: Path) -> list[str]:
    """Return the files below a folder that hold a person's name, in their own names or contents."""
    words = [w for p in PEOPLE for w in (p.encode(), p.lower().encode(), p.encode("utf-16-le"))]
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if any(w in str(path.relative_to(folder)).encode() for w in words)
        or (path.is_file() and any(w in path.read_bytes() for w in words))
    ]
