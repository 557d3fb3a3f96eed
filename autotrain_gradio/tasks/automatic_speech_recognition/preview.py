"""Speech recognition: preview of clips, normalized transcripts and vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from autotrain_gradio import data
from autotrain_gradio.core import panels
from autotrain_gradio.core.errors import DataError, UserError
from autotrain_gradio.core.panels import Panel
from autotrain_gradio.core.spec import TINY, RunSpec
from autotrain_gradio.data.media.audio_files import read_audio
from autotrain_gradio.tasks.automatic_speech_recognition import ctc, models, transcript_normalizer
from autotrain_gradio.tasks.automatic_speech_recognition.families import Family, family_of
from autotrain_gradio.training import pretrained, vocabulary
from autotrain_gradio.training.audio import SPEEDS, at_speed

SECONDS = 30.0
"""Maximum seconds of a clip in the preview."""
SYMBOLS = 400
RATE = 16_000


def preview(draft: Path, spec: RunSpec, params: Any, context: Mapping[str, Any]) -> list[Panel]:
    """Show a few clips with their normalized transcripts and labels, and the vocabulary. Nothing is downloaded.

    context: `rows`, number of clips (default 4, at most 16).

    Raises:
        DataError: the data was not checked yet.
    """
    rows = data.load(draft)["train"]
    try:
        family, tokenizer, note = _model(spec.model, params)
        normalizer = transcript_normalizer.choose_normalizer(
            params, family, rows["text"], ctc.known(tokenizer) if tokenizer is not None else None
        )
    except UserError as error:
        # Errors of the model are reported by the probe; the transcripts can be shown without it.
        family, tokenizer, note = "ctc", None, f"{error.message} Shown with a new vocabulary."
        normalizer = transcript_normalizer.choose_normalizer(
            params.model_copy(update={"vocabulary": "new"}), "ctc", rows["text"], None
        )
    if normalizer.new is not None:
        encode: Any = ctc.encoder(ctc.ctc_tokenizer({s: i for i, s in enumerate(normalizer.new)}))
        names = dict(enumerate(normalizer.new))
    else:
        assert tokenizer is not None
        encode = ctc.encoder(tokenizer)
        names = {}
    folder = draft / "preview"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.wav"):  # subfolders are of others, such as the clips of a picker
        old.unlink()
    items, table = [], []
    for row in _some(len(rows), min(16, int(context.get("rows", 4))), params.seed):
        one = rows[row]
        text = normalizer(one["text"])
        labels = encode(text)
        tokens = [names.get(i) or _name(tokenizer, i) for i in labels]
        items += _clip(one, row, folder, params, text)
        table.append([f"row {row + 1}", one["text"], text, " ".join(tokens), len(labels)])
    punctuation = "removed" if normalizer.remove_punctuation else "as written"
    how = f"Case: {normalizer.case}. Punctuation: {punctuation}. {note}".strip()
    found = [
        panels.gallery("Training clips", items),
        panels.table("Transcripts and labels", ["", "transcript", "normalized", "labels", "count"], table, note=how),
    ]
    return [*found, _symbols(normalizer, tokenizer)]


def _model(name: str, params: Any) -> tuple[Family, Any, str]:
    """Return the family and the tokenizer of a cached or local model, and a note.

    Raises:
        UserError: it is not downloaded, or not supported.
    """
    if name == TINY:
        return "ctc", None, ""
    if not Path(name).expanduser().is_dir() and models.cached_config(name) is None:
        message = "The model is not downloaded yet."
        raise UserError(message, code="model-not-here")
    family = family_of(pretrained.fetch_config(name), name)
    return family, models.open_tokenizer(name, params.language, local=True), ""


def _some(rows: int, count: int, seed: int) -> list[int]:
    chosen = np.random.default_rng(seed).permutation(rows)[:count]
    return sorted(map(int, chosen))


def _name(tokenizer: Any, label: int) -> str:
    return str(tokenizer.convert_ids_to_tokens([label])[0])


def _clip(one: Mapping[str, Any], row: int, folder: Path, params: Any, text: str) -> list[dict[str, Any]]:
    """Write a clip, and its versions with speed perturbation; return items of a gallery."""
    start = one.get("start") or 0.0
    end = min(one["end"], start + SECONDS) if one.get("end") is not None else start + SECONDS
    try:
        audio = read_audio(one["audio"], start, end, RATE)
    except DataError as error:
        return [{"file": "", "caption": error.message, "group": f"row {row + 1}"}]
    if not params.speed_perturbation:
        soundfile.write(folder / f"{row}.wav", audio, RATE, subtype="PCM_16")
        return [{"file": f"preview/{row}.wav", "caption": text, "detail": f"row {row + 1}"}]
    found = []
    for factor in SPEEDS:
        name = f"{row}.wav" if factor == 1.0 else f"{row}-{factor:g}.wav"
        soundfile.write(folder / name, at_speed(audio, factor, RATE), RATE, subtype="PCM_16")
        caption = text if factor == 1.0 else f"at {factor:g} times the speed"
        found.append({"file": f"preview/{name}", "caption": caption, "group": f"row {row + 1}"})
    return found


def _symbols(normalizer: transcript_normalizer.TranscriptNormalizer, tokenizer: Any) -> Panel:
    """Return the table of the symbols of the transcripts: occurrences, and which are rare or unknown to the model."""
    missing = set(normalizer.coverage.missing) if normalizer.coverage is not None and normalizer.new is None else set()
    excluded = set() if normalizer.new is None else set(normalizer.counts) - set(normalizer.new)
    rows = []
    for symbol, times in sorted(normalizer.counts.items(), key=lambda one: (one[1], one[0])):
        remark = "rare: hard to learn" if times < vocabulary.RARE else ""
        if symbol in missing:
            remark = "unknown to the model"
        elif symbol in excluded:
            remark = "excluded: too rare"
        points = " ".join(f"U+{ord(c):04X}" for c in symbol)
        rows.append([symbol, times, points, remark])
    title = "The new vocabulary" if normalizer.new is not None else "The symbols of the transcripts"
    note = " ".join(normalizer.notes())
    if len(rows) > SYMBOLS:
        note += f" The {SYMBOLS} rarest of {len(rows):,} are shown."
    return panels.table(title, ["symbol", "count", "code points", "remark"], rows[:SYMBOLS], note=note.strip())
