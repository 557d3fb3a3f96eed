"""Transcripts against their audio: too much text for the time, the same audio twice, no letters, several scripts."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.kinds import audio
from autotrain_gradio.data.kinds.audio_panels import tempo_of, text_of
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import quoted

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
SCRIPTS = {"CJK": "Chinese characters", "HIRAGANA": "Japanese", "KATAKANA": "Japanese"}
SHARED = {"MODIFIER", "COMBINING", "SUPERSCRIPT", "SUBSCRIPT", "FULLWIDTH", "HALFWIDTH", "ZERO", ""}
"""First words of the Unicode names of letters that belong to no script."""
PHONETIC = frozenset("βθχɸ")
"""Letters that the International Phonetic Alphabet has from Greek."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Skip rows without a letter in their text; report implausible ones."""
    found, texts = audio.of(rows), text_of(rows)
    if found is None or texts is None:
        return
    yield from _without_letters(rows, texts)
    if rows.count():
        yield from _tempo(rows, texts, found[1].facts["seconds"])
        yield from _scripts(rows, texts)


def _short(text: str) -> str:
    return quoted(" ".join(text.split()))


def _without_letters(rows: Rows, texts: list[Any]) -> Iterator[Finding]:
    """Skip rows whose text is only punctuation and symbols."""
    written = ((i, texts[i]) for i in rows.indices().tolist() if texts[i] is not None)
    bare = [i for i, text in written if not any(unicodedata.category(c)[0] in "LN" for c in text)]
    rows.drop(bare, "text-no-letters")
    text, hint = "{n} {has} no letter or digit and {was} skipped", "Write the transcripts, or remove the rows."
    yield from rows.findings(
        "warning", "text-no-letters", text, bare, hint, lambda i: f" ({_short(texts[i])})", noun="transcript"
    )


def _tempo(rows: Rows, texts: list[Any], seconds: Any) -> Iterator[Finding]:
    """Report rows with far too much text for their duration, or far too little."""
    used, tempo = rows.indices(), tempo_of(texts, seconds)
    lengths = np.array([len((t or "").strip()) for t in texts])
    median = float(np.median(tempo[used])) if len(used) >= ENOUGH else np.nan
    limit = np.fmin(FASTEST, TIMES_MEDIAN * median)
    fast = used[(tempo[used] > limit) & (lengths[used] > SHORT_TEXT)]
    fast = fast[np.argsort(-tempo[fast], kind="stable")]
    text = f"{{n}} {{is}} too long for the audio, over {limit:.0f} characters a second"
    hint = "Text and audio are probably misaligned: correct the times, or the order of the texts."

    def written(row: int) -> str:
        return f" ({lengths[row]} characters in {seconds[row]:.1f} s: {_short(texts[row])})"

    yield from rows.findings("warning", "text-too-long-for-audio", text, fast, hint, written, noun="transcript")
    slow = used[(tempo[used] < median / SLOW) & (seconds[used] > SLOW_SECONDS)]
    slow = slow[np.argsort(tempo[slow], kind="stable")]
    text = "{n} {has} much audio for little text"
    hint = "Listen to them: a part of the speech may be missing from the transcript."
    yield from rows.findings(
        "warning", "audio-too-long-for-text", text, slow, hint, lambda i: f" ({seconds[i]:.1f} s: {_short(texts[i])})"
    )


@lru_cache(maxsize=50_000)
def script(character: str) -> str | None:
    """Return the script of a letter, the first word of its Unicode name (`Latin`); None for shared characters."""
    if unicodedata.category(character) not in {"Lu", "Ll", "Lt", "Lo"} or character in PHONETIC:
        return None
    name = unicodedata.name(character, "").partition(" ")[0]
    return None if name in SHARED else SCRIPTS.get(name, name.capitalize())


def _scripts(rows: Rows, texts: list[Any]) -> Iterator[Finding]:
    """Report transcripts in other scripts than most, and words that mix scripts."""
    of_rows: dict[str, list[int]] = defaultdict(list)
    mixed: dict[int, str] = {}
    for i in rows.indices().tolist():
        counts = Counter(s for c in texts[i] or "" if (s := script(c)) is not None)
        if counts:
            of_rows[counts.most_common(1)[0][0]].append(i)
            if word := _mixed_word(texts[i]):
                mixed[i] = word
    # Japanese is written in three scripts.
    if "Japanese" in of_rows and "Chinese characters" in of_rows:
        of_rows["Japanese"] += of_rows.pop("Chinese characters")
    if len(of_rows) > 1:
        order = sorted(of_rows.items(), key=lambda item: -len(item[1]))
        rare = [i for _, found in order[1:] for i in found]
        counted = join_examples([f"{name} ({pluralize(len(found), 'row')})" for name, found in order])
        text = f"The transcripts are in {len(of_rows)} scripts: {counted}. Not in {order[0][0]}"
        hint = "Keep one script, unless the language is written in several: the model must learn each of them."
        yield from rows.findings("warning", "scripts-mixed", text, rare, hint, lambda i: f" ({_short(texts[i])})")
    text = "{n} {has} words with letters of two scripts"
    hint = "Look for letters that only look alike, such as a Cyrillic 'а' in a Latin word."
    yield from rows.findings(
        "warning", "scripts-mixed-in-words", text, [*mixed], hint, lambda i: f" ('{mixed[i]}')", noun="transcript"
    )


def _mixed_word(text: str) -> str | None:
    """Return the first word whose letters are of two scripts; Japanese words may be."""
    for word in text.split():
        if len({s for c in word if (s := script(c)) is not None} - {"Japanese", "Chinese characters"}) > 1:
            return word
    return None
