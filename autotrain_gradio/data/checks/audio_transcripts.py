"""Transcripts against their audio: too much text for the time, the same audio twice, no letters, several scripts."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import count_with_verb, inflect, join_examples, pluralize
from autotrain_gradio.data.kinds import audio
from autotrain_gradio.data.kinds.audio_cells import AudioCells
from autotrain_gradio.data.kinds.audio_panels import tempo_of, text_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows

FASTEST = 30.0
"""Characters per second beyond any speech: fast speech has about 20."""
TIMES_MEDIAN = 3.5
"""How many times the median tempo is too fast, where a script has few characters for much speech."""
SLOW = 6.0
"""How many times slower than the median a row must be to have much audio for little text."""
SLOW_SECONDS = 5.0
ENOUGH = 20
"""Rows from which the median is used."""
SHORT_TEXT = 8
"""Characters up to which a text is never too long."""
SHOWN = 60
ROW = "row"
SCRIPTS = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
SHARED = {"MODIFIER", "COMBINING", "SUPERSCRIPT", "SUBSCRIPT", "FULLWIDTH", "HALFWIDTH", "ZERO", "LATIN"}
PHONETIC = frozenset("βθχɸ")
"""Letters that the International Phonetic Alphabet has from Greek."""


def check(rows: Rows, request: Request) -> list[Finding]:
    """Skip rows without a letter in their text; report implausible and repeated rows."""
    found = audio.of(rows)
    texts = text_of(rows)
    if found is None or texts is None:
        return []
    findings = _no_letters(rows, texts)
    if findings and not rows.count("train"):
        return [*findings, rows.no_rows("Correct what the other findings report.")]
    if not rows.count():
        return []
    seconds = found[1].facts["seconds"]
    return [*findings, *_tempo(rows, texts, seconds), *_same_audio(rows, texts, found[1]), *_scripts(rows, texts)]


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _no_letters(rows: Rows, texts: list[Any]) -> list[Finding]:
    """Skip rows whose text is only punctuation and symbols."""
    bare = [i for i in rows.used() if texts[i] is not None and not any(_is_letter(c) for c in texts[i])]
    if not bare:
        return []
    rows.drop(bare, "text-no-letters")
    shown = [f"{rows.locations[i]} ('{_short(texts[i])}')" for i in bare[:5]]
    return [
        Finding(
            "warning",
            "text-no-letters",
            f"{count_with_verb(len(bare), 'transcript', 'has')} no letter or digit and "
            f"{inflect(len(bare), 'was')} skipped: {join_examples(shown, len(bare))}.",
            "Write the transcripts, or remove the rows.",
            rows.locations[bare[0]] if len(bare) == 1 else pluralize(len(bare), "row"),
        )
    ]


@lru_cache(maxsize=50_000)
def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LN"


def _tempo(rows: Rows, texts: list[Any], seconds: Any) -> list[Finding]:
    """Report rows with far too much text for their duration, or far too little."""
    used = rows.indices()
    tempo = tempo_of(texts, seconds)
    lengths = np.array([0 if t is None else len(t.strip()) for t in texts])
    median = float(np.median(tempo[used]))
    limit = min(FASTEST, TIMES_MEDIAN * median) if len(used) >= ENOUGH else FASTEST
    findings = []
    fast = used[(tempo[used] > limit) & (lengths[used] > SHORT_TEXT)]
    if len(fast):
        fast = fast[np.argsort(-tempo[fast], kind="stable")]
        shown = [
            f"{rows.locations[i]} ({lengths[i]} characters in {seconds[i]:.1f} s: '{_short(texts[i])}')"
            for i in fast[:5].tolist()
        ]
        findings.append(
            Finding(
                "warning",
                "text-too-long-for-audio",
                f"{count_with_verb(len(fast), 'transcript', 'is')} too long for "
                f"the audio, over "
                f"{limit:.0f} characters a second: {join_examples(shown, len(fast))}.",
                "Text and audio are probably not of the same place: correct the times, or the order of the texts.",
                rows.locations[int(fast[0])] if len(fast) == 1 else pluralize(len(fast), "row"),
            )
        )
    slow = used[(tempo[used] < median / SLOW) & (seconds[used] > SLOW_SECONDS)] if len(used) >= ENOUGH else used[:0]
    if len(slow):
        slow = slow[np.argsort(tempo[slow], kind="stable")]
        shown = [f"{rows.locations[i]} ({seconds[i]:.1f} s: '{_short(texts[i])}')" for i in slow[:5].tolist()]
        findings.append(
            Finding(
                "warning",
                "audio-too-long-for-text",
                f"{count_with_verb(len(slow), 'row', 'has')} much audio for little text: "
                f"{join_examples(shown, len(slow))}.",
                "Listen to them: a part of the speech may be missing from the transcript.",
                rows.locations[int(slow[0])] if len(slow) == 1 else pluralize(len(slow), "row"),
            )
        )
    return findings


def _same_audio(rows: Rows, texts: list[Any], cells: AudioCells) -> list[Finding]:
    """Report duplicate audio: with different texts, in training and validation, or otherwise."""
    same: dict[str, list[int]] = defaultdict(list)
    digests = cells.facts["digest"]
    for i in rows.used():
        if digests[i]:
            same[digests[i]].append(i)
    twice = [found for found in same.values() if len(found) > 1]
    if not twice:
        return []
    findings = []
    differ = [v for v in twice if len({" ".join(str(texts[i]).split()).casefold() for i in v}) > 1]
    if differ:
        shown = [" = ".join(f"{rows.locations[i]} ('{_short(str(texts[i]))}')" for i in v[:3]) for v in differ[:5]]
        findings.append(
            Finding(
                "warning",
                "same-audio-other-text",
                f"{count_with_verb(len(differ), 'recording', 'has')} different texts: "
                f"{join_examples(shown, len(differ))}.",
                "Remove the wrong ones: a model cannot learn both.",
                rows.locations[differ[0][0]],
            )
        )
    leaked = [v for v in twice if len({bool(rows.validation[i]) for i in v}) > 1]
    if leaked:
        shown = [" = ".join(rows.locations[i] for i in v[:3]) for v in leaked[:5]]
        findings.append(
            Finding(
                "warning",
                "same-in-train-and-validation",
                f"{pluralize(len(leaked), 'recording')} of the validation rows "
                f"{inflect(len(leaked), 'is')} also in the training rows: "
                f"{join_examples(shown, len(leaked))}. The results will look better than they are.",
                "Remove them from one of the two.",
                rows.locations[leaked[0][0]],
            )
        )
    spare = sum(len(v) - 1 for v in twice if v not in differ)
    if spare:
        shown = [" = ".join(rows.locations[i] for i in v[:3]) for v in twice if v not in differ]
        findings.append(
            Finding(
                "info",
                "duplicates",
                f"{count_with_verb(spare, 'row', 'has')} the audio and the text of another one: "
                f"{join_examples(shown)}.",
            )
        )
    return findings


@lru_cache(maxsize=50_000)
def script(sign: str) -> str | None:
    """Return the script of a letter, the first word of its Unicode name (`LATIN`); None for shared characters."""
    if unicodedata.category(sign) not in {"Lu", "Ll", "Lt", "Lo"} or sign in PHONETIC:
        return None
    name = unicodedata.name(sign, "").partition(" ")[0]
    if not name or (name in SHARED and name != "LATIN"):
        return None
    return SCRIPTS.get(name, name.capitalize())


def _scripts(rows: Rows, texts: list[Any]) -> list[Finding]:
    """Tell of transcripts in other scripts than most, and of words that mix scripts."""
    of_rows: dict[str, list[int]] = defaultdict(list)
    inside: list[int] = []
    for i in rows.used():
        counts = Counter(s for c in texts[i] or "" if (s := script(c)) is not None)
        if counts:
            of_rows[counts.most_common(1)[0][0]].append(i)
            if _mixed(texts[i]):
                inside.append(i)
    # Japanese is written in three scripts.
    if "Japanese" in of_rows and "Chinese characters" in of_rows:
        of_rows["Japanese"] += of_rows.pop("Chinese characters")
    findings = []
    if len(of_rows) > 1:
        order = sorted(of_rows.items(), key=lambda item: -len(item[1]))
        rare = [i for _, found in order[1:] for i in found]
        shown = [f"{rows.locations[i]} ('{_short(texts[i])}')" for i in rare[:5]]
        findings.append(
            Finding(
                "warning",
                "scripts-mixed",
                f"The transcripts are in {len(of_rows)} scripts: "
                f"{join_examples([f'{name} ({pluralize(len(found), ROW)})' for name, found in order])}. "
                f"Not in {order[0][0]}: {join_examples(shown, len(rare))}.",
                "Keep one script, unless the language is written in several: the model must learn each of them.",
                pluralize(len(rare), "row"),
            )
        )
    if inside:
        shown = [f"{rows.locations[i]} ('{_mixed(texts[i])}')" for i in inside[:5]]
        findings.append(
            Finding(
                "warning",
                "scripts-mixed-in-words",
                f"{count_with_verb(len(inside), 'transcript', 'has')} words with letters of "
                f"two scripts: {join_examples(shown, len(inside))}.",
                "Look for letters that only look alike, such as a Cyrillic 'а' in a Latin word.",
                rows.locations[inside[0]],
            )
        )
    return findings


def _mixed(text: str) -> str | None:
    """Return the first word whose letters are of two scripts; Japanese words may be."""
    for word in text.split():
        found = {s for c in word if (s := script(c)) is not None} - {"Japanese", "Chinese characters"}
        if len(found) > 1:
            return word
    return None
