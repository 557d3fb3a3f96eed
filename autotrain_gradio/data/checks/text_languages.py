"""Report texts in several languages, and pairs of two languages: most small models know English alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.data.checks.text_language import NAMES
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import pick

SAMPLE = 300
"""Rows that are sampled, evenly over all of them."""
CHARACTERS = 300
LETTERS = 20
"""Fewest letters of a text by which its language is detected."""
CONFIDENCE = 0.7
SHARE, LEAST = 0.1, 5
"""Share and number of the sampled texts in another language from which it is reported."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Detect the language of each text of a sample; report a mixture within a column, or between the columns."""
    used = rows.indices()
    chosen = used[:: max(1, len(used) // SAMPLE)]
    main: dict[str, str] = {}
    for role, cells in rows.cells.items():
        if role not in rows.columns or not rows.columns[role].kind.texts or not len(chosen):
            continue
        texts = pick(cells.values, chosen).to_pylist()
        found = Counter(name for text in texts if (name := language_of(text or "")))
        if not found:
            continue
        main[role] = found.most_common(1)[0][0]
        total = sum(found.values())
        others = {n: c for n, c in found.most_common()[1:] if c >= LEAST and c >= SHARE * total}
        if others:
            shown = ", ".join(f"{n} {c / total:.0%}" for n, c in {main[role]: found[main[role]], **others}.items())
            message = f"The texts of '{rows.columns[role].title}' are in several languages: {shown} of a sample."
            yield Finding("warning", "languages-mixed", message, ADVICE, f"data.columns.{role}")
    if len(set(main.values())) > 1:
        shown = ", ".join(f"{rows.columns[role].title} {name}" for role, name in main.items())
        message = f"The texts of a row are in different languages: {shown}."
        yield Finding("warning", "languages-differ", message, ADVICE, "data.columns")


ADVICE = "Choose a multilingual model: others place the same content in two languages far from each other."


def language_of(text: str) -> str:
    """Return the name of a text's language; "" if it is too short or not clear."""
    text = text[:CHARACTERS]
    if sum(map(str.isalpha, text)) < LETTERS:
        return ""
    language, probability = _identifier().classify(text)
    return NAMES.get(language, language) if probability >= CONFIDENCE else ""


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
