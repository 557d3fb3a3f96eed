"""Texts in another language than English, in which most small models of the Hub were pretrained alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import pick

SAMPLE = 500
"""Texts that are sampled, evenly over all of them, and of each the first characters."""
CHARACTERS = 400
LEAST_LETTERS = 200
"""Fewest letters, and a fourth as many words, by which a language is detected."""
CONFIDENCE = 0.9
"""Least probability of the language. Sentences have 0.99; lists of products, slang and code 0.1 to 0.7."""
ADVICE = (
    "Choose a multilingual model, or one for this language: a model whose card says 'English' has seen little of it."
)
_LANGUAGES = """
af Afrikaans; az Azerbaijani; bs Croatian or Serbian; ca Catalan; cs Czech; cy Welsh; da Danish or Norwegian;
de German; en English; es Spanish; et Estonian; eu Basque; fi Finnish; fr French; ga Irish; gl Galician; ha Hausa;
hr Croatian or Serbian; hu Hungarian; id Indonesian or Malay; ig Igbo; is Icelandic; it Italian; lt Lithuanian;
lv Latvian; mg Malagasy; ms Indonesian or Malay; mt Maltese; nl Dutch; nn Danish or Norwegian;
no Danish or Norwegian; pl Polish; pt Portuguese; ro Romanian; rw Kinyarwanda; sk Slovak; sl Slovenian; so Somali;
sq Albanian; sr Croatian or Serbian; sv Swedish; sw Swahili; tl Tagalog; tr Turkish; uz Uzbek; vi Vietnamese;
xh Xhosa; yo Yoruba; zu Zulu
"""
NAMES = dict(entry.strip().split(" ", 1) for entry in _LANGUAGES.split(";"))
"""Codes of languages in Latin letters (ISO 639) → their names, one for those that are hard to distinguish; a message
shows the code of others."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report texts that are clearly in another script than the Latin one, or in another language than English."""
    used = rows.indices()
    for role, cells in rows.cells.items():
        if len(used) and role in rows.columns and rows.columns[role].kind.texts:
            sample = pick(cells.values, used[:: max(1, len(used) // SAMPLE)]).to_pylist()
            if message := describe_language((t or "")[:CHARACTERS] for t in sample):
                yield Finding("warning", "text-not-english", message, ADVICE, f"data.columns.{role}")


def describe_language(texts: Iterable[str]) -> str:
    """Return a sentence that names the script or the language; "" for English, or where it is not clear."""
    texts = list(texts)
    words = [word for text in texts for word in re.findall(r"[^\W\d_]+", text)]
    letters = sum(map(len, words))
    if letters < LEAST_LETTERS:
        return ""
    scripts = Counter[str]()
    for letter, count in Counter("".join(words)).items():
        scripts[_script(letter)] += count
    script, most = scripts.most_common(1)[0]
    if script != "LATIN":
        name = "Chinese" if script == "CJK" else script.capitalize()
        return f"The texts are not in Latin letters: {most / letters:.0%} of the letters are {name}."
    if len(words) < LEAST_LETTERS // 4:
        return ""
    confidence: dict[str, float] = defaultdict(float)
    for language, probability in rank_languages("\n".join(texts)):
        confidence[NAMES.get(language, repr(language))] += probability
    name, best = max(confidence.items(), key=lambda item: item[1])
    if name == NAMES["en"] or best < CONFIDENCE:
        return ""
    return f"The language of the texts was detected as {name} ({best:.0%} confidence)."


def rank_languages(text: str) -> list[tuple[str, float]]:
    """Return the languages that a text may be in: code (ISO 639) and probability, the most likely first."""
    return [(str(language), float(probability)) for language, probability in _identifier().rank(text)]


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _script(letter: str) -> str:
    """Return the script of a letter by the first word of its Unicode name: LATIN, DEVANAGARI, CJK."""
    return unicodedata.name(letter, "unknown").split(" ", 1)[0]
