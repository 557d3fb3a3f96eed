"""Detection of the language of texts, with the detector of the data layer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from autotrain_gradio.data.checks.text_language import CHARACTERS, CONFIDENCE, LEAST_LETTERS, NAMES, rank_languages
from autotrain_gradio.tasks.seq2seq.language_codes import iso_code

LETTERS = 50
"""Fewest letters of a single text whose language is detected."""
DENSE = 10
"""The same for scripts without spaces, in which a character is a word or a syllable."""
CERTAIN = 0.95
"""Least probability of the language of a single text."""
DIALECTS = {"wuu": "zh", "yue": "zh", "arz": "ar", "ary": "ar"}
"""Codes of the detector that count as another language, which is written in nearly the same way."""
SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def detect_language(texts: Iterable[str | None]) -> str | None:
    """Return the ISO 639 code of the language of texts together; None if it is not clear."""
    parts = [(text or "")[:CHARACTERS] for text in texts]
    return _language("\n".join(parts), LEAST_LETTERS, CONFIDENCE)


def language_of_text(text: str | None) -> str | None:
    """Return the ISO 639 code of the language of one text; None if it is short or not clear."""
    return _language((text or "")[:CHARACTERS], LETTERS, CERTAIN)


def _language(text: str, least: int, confidence: float) -> str | None:
    letters = len(re.findall(r"[^\W\d_]", text))
    if letters < (DENSE if letters and len(SPACELESS.findall(text)) > letters / 2 else least):
        return None
    groups: dict[str, float] = defaultdict(float)
    best: dict[str, str] = {}
    for dialect, probability in rank_languages(text):
        code = DIALECTS.get(dialect, dialect)
        group = NAMES.get(code, code)  # languages that are hard to distinguish count as one
        groups[group] += probability
        best.setdefault(group, code)
    group, probability = max(groups.items(), key=lambda item: item[1])
    return iso_code(best[group]) if probability >= confidence else None
