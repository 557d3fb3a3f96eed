"""Turn rows of the data into utterances: durations, labels, and counts of excluded rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import DataError
from autotrain_gradio.core.text_format import format_count, inflect
from autotrain_gradio.data.media.audio_files import header, read_audio
from autotrain_gradio.tasks.automatic_speech_recognition.models import Recognizer
from autotrain_gradio.training.audio import SPEEDS, Speech, Utterance
from autotrain_gradio.training.vocabulary import clean, frames_needed

BATCH = 256
QUIET = 0.02
"""RMS of a window of 0.1 s, relative to the loudest one, below which it is silence."""
MARGIN = 0.2
"""Seconds of silence that remain at both ends of trimmed clips."""
LONGEST_SEARCHED = 4.0
"""Clips longer than this multiple of max_duration are not trimmed."""
REASONS = {
    "too-long": "longer than {longest:g} s",
    "text-empty": "without a symbol of the vocabulary",
    "text-too-long": "whose transcript has more labels than the limit",
    "text-too-fast": "whose transcript is too long for its audio (CTC needs a frame for each symbol)",
}


def collect(
    rows: Any,
    recognizer: Recognizer,
    params: Any,
    *,
    training: bool,
    should_continue: Callable[[int], bool] = lambda done: True,
) -> tuple[Speech, Counter[str]]:
    """Return the utterances of a split, and the number of excluded rows by reason (`REASONS`).

    rows: a `datasets.Dataset` with `audio` and `text`, and perhaps `audio_seconds`, `start`, `end`, `speaker`.
    training: use speed perturbation, if set; otherwise sort by length, so that little padding is needed.
    should_continue: called after each batch with the number of processed rows; False cancels.

    Raises:
        DataError: a file cannot be read.
    """
    limit, fastest = longest(recognizer, params, training)
    most = min(x for x in (params.max_seq_length, recognizer.longest, 1 << 30) if x)
    dropped: Counter[str] = Counter({"trimmed": 0})
    found: list[Utterance] = []
    lengths: dict[str, float] = {}
    # Cells may contain whole files: they are loaded one by one, and only where necessary.
    audio, others = rows["audio"], rows.remove_columns(["audio"])
    for begin in range(0, len(rows), BATCH):
        if not should_continue(begin):
            break
        batch = others[begin : begin + BATCH]
        for place, written in enumerate(batch["text"]):
            start, end = (_time(batch.get(name), place) for name in ("start", "end"))
            seconds = _time(batch.get("audio_seconds"), place)
            if seconds is None:
                seconds = _seconds(audio[begin + place], start, end, lengths)
            if seconds > limit and params.too_long == "trim" and seconds <= LONGEST_SEARCHED * limit:
                start, end, seconds = _without_silence(audio[begin + place], start, end, recognizer.rate)
                dropped["trimmed"] += seconds <= limit
            reference = clean(written)
            text = recognizer.normalizer(reference)
            labels = tuple(recognizer.encode(text))
            reason = _exclusion_reason(recognizer, text, labels, seconds, limit, most, fastest)
            if reason:
                dropped[reason] += 1
                continue
            speaker = batch["speaker"][place] if "speaker" in batch else None
            found.append(Utterance(begin + place, start, end, seconds, text, reference, labels, speaker))
    if not training:
        found.sort(key=lambda u: -u.seconds)
    speeds = SPEEDS if training and params.speed_perturbation else ()
    return Speech(audio, found, recognizer.rate, speeds=speeds, seed=params.seed), +dropped


def longest(recognizer: Recognizer, params: Any, training: bool) -> tuple[float, float]:
    """Return the maximum duration of an utterance in seconds, and the largest speed factor."""
    varied = training and params.speed_perturbation
    window = getattr(recognizer.extractor, "n_samples", None)  # the fixed input length of Whisper
    limits = [params.max_duration]
    if window:
        limits.append(window / recognizer.rate * (min(SPEEDS) if varied else 1.0))
    return min(limits), max(SPEEDS) if varied else 1.0


def exclusion_messages(dropped: Counter[str], of: int, longest: float) -> list[str]:
    """Return messages about excluded and trimmed clips."""
    messages = [
        f"{dropped[code]:,} of {of:,} clips {reason.format(longest=longest)} {inflect(dropped[code], 'was')} excluded."
        for code, reason in REASONS.items()
        if dropped[code]
    ]
    if dropped["trimmed"]:
        messages.append(format_count("{n} {fits} after silence at {its} ends was trimmed.", dropped["trimmed"], "clip"))
    return messages


def require_utterances(speech: Speech, dropped: Counter[str], of: int, longest: float) -> None:
    """Check that there is an utterance to train on.

    Raises:
        DataError: there is none; the message says why.
    """
    if len(speech):
        return
    reasons = " ".join(exclusion_messages(dropped, of, longest))
    hint = "Raise max_duration or max_seq_length, or cut the recordings into utterances."
    raise DataError(f"All clips were excluded, so there is no training data. {reasons}", hint, "data", "nothing-left")


def _time(column: list[float | None] | None, place: int) -> float | None:
    return None if column is None else column[place]


def _seconds(cell: dict[str, Any], start: float | None, end: float | None, known: dict[str, float]) -> float:
    if end is not None:
        return end - (start or 0.0)
    path = cell["path"] if cell.get("bytes") is None else None
    if path is None or path not in known:
        whole = header(cell["bytes"] if path is None else path).seconds
        if whole is None:  # not in the header: decode the file
            whole = len(read_audio(cell, None, None, 8000)) / 8000
        if path is None:
            return whole - (start or 0.0)
        known[path] = whole
    return known[path] - (start or 0.0)


def _without_silence(
    cell: dict[str, Any], start: float | None, end: float | None, rate: int
) -> tuple[float | None, float | None, float]:
    """Return start, end and duration of a clip without the silence at its ends."""
    audio = read_audio(cell, start, end, rate)
    size = rate // 10
    blocks = audio[: len(audio) // size * size].reshape(-1, size)
    loud = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1)) if len(blocks) else np.zeros(0)
    spoken = np.flatnonzero(loud > QUIET * loud.max()) if len(loud) and loud.max() > 0 else np.zeros(0, np.int64)
    seconds = len(audio) / rate
    if not len(spoken):
        return start, end, seconds
    first = max(0.0, spoken[0] * 0.1 - MARGIN)
    last = min(seconds, (spoken[-1] + 1) * 0.1 + MARGIN)
    return (start or 0.0) + first, (start or 0.0) + last, last - first


def _exclusion_reason(
    recognizer: Recognizer, text: str, labels: tuple[int, ...], seconds: float, limit: float, most: int, fastest: float
) -> str:
    if seconds > limit + 1e-6:
        return "too-long"
    if not text or not labels:
        return "text-empty"
    if len(labels) > most:
        return "text-too-long"
    if recognizer.frames is not None and frames_needed(labels) > recognizer.frames(seconds / fastest):
        return "text-too-fast"
    return ""
