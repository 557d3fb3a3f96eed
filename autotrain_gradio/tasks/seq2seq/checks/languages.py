"""The languages of sources and targets: the direction of a translation, mixed languages, and wrongly named columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding
from autotrain_gradio.core.text_format import join_examples, pluralize
from autotrain_gradio.data.checks.text_language import ADVICE
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.arrow_columns import pick
from autotrain_gradio.data.values.labels import quoted
from autotrain_gradio.tasks.seq2seq.checks.pairs import sides, swap
from autotrain_gradio.tasks.seq2seq.language_codes import language_name, language_of_name
from autotrain_gradio.tasks.seq2seq.language_detection import detect_language, language_of_text

SAMPLE = 300
"""Texts of each side that are sampled, evenly over all rows."""
MIXED = 0.05
"""Share of texts in another language from which the languages count as mixed."""
LEAST_MIXED = 3
ENGLISH = "en"


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Detect the language of each side, and of single texts."""
    roles = sides(rows)
    if roles is None:
        return
    used = rows.indices()
    sample = used[:: max(1, len(used) // SAMPLE)]
    texts = [pick(rows.cells[role].values, sample).to_pylist() for role in roles]
    languages = [detect_language(side) for side in texts]
    source, target = languages
    names = [str(rows.cells[role].about.get("name") or "") for role in roles]
    named = [language_of_name(name) if name else None for name in names]
    wrong = [i for i in (0, 1) if languages[i] and named[i] and not _same(str(languages[i]), str(named[i]))]
    for i in wrong:
        message = f"The column '{names[i]}' was detected as {language_name(str(languages[i]))}."
        swapped = len(wrong) == 2 and _same(str(source), str(named[1])) and _same(str(target), str(named[0]))
        hint = "The languages seem to be swapped." if swapped else "Check that the column holds what its name says."
        yield Finding("warning", "language-not-as-named", message, hint, f"column {names[i]}")
    source, target = (named[i] or languages[i] for i in (0, 1))
    if source and target and not _same(source, target):
        one, other = language_name(source), language_name(target)
        message = f"The model will learn to translate from {one} to {other}."
        hint = f"Choose a model that knows both languages. For {other} to {one}, swap the columns."
        fix = swap(rows, *roles, f"Translate from {other} to {one}")
        yield Finding("info", "translation-direction", message, hint, f"data.columns.{roles[0].partition(':')[0]}", fix)
    elif (language := source or target) and language != ENGLISH:
        message = f"The language of the texts was detected as {language_name(language)}."
        yield Finding("warning", "text-not-english", message, ADVICE, f"data.columns.{roles[0].partition(':')[0]}")
    for role, side in zip(roles, texts, strict=True):
        yield from _mixed(rows, role, sample.tolist(), side)


def _same(one: str, other: str) -> bool:
    """Whether two codes are of one language, or of two that are hard to distinguish."""
    groups = ({"no", "nb", "nn", "da"}, {"hr", "bs", "sr"}, {"id", "ms"}, {"zh", "yue"})
    return one == other or any({one, other} <= group for group in groups)


def _mixed(rows: Rows, role: str, numbers: list[int], texts: list[str]) -> Iterator[Finding]:
    """Report texts in another language than most, where a text is long enough to say."""
    found = {row: language for row, text in zip(numbers, texts, strict=True) if (language := language_of_text(text))}
    known = dict(zip(numbers, texts, strict=True))
    counts = Counter(found.values())
    if not counts:
        return
    main = counts.most_common(1)[0][0]
    others = [row for row, language in found.items() if not _same(language, main)]
    if len(others) < max(LEAST_MIXED, MIXED * len(found)):
        return
    listed = join_examples([f"{language_name(code)} ({count:,})" for code, count in counts.most_common()])
    shown = [
        f"{rows.locations[row]} ({language_name(found[row])}: {quoted(' '.join(known[row].split()))})"
        for row in others[:3]
    ]
    title = rows.columns[role].title.lower()
    message = (
        f"The {title}s are in several languages, of {pluralize(len(found), 'text')} that were examined: {listed}. "
        f"Not in {language_name(main)}: {join_examples(shown, len(others))}."
    )
    hint = "Keep one language on each side, or say in the source which one the target is to have."
    yield Finding("warning", "languages-mixed", message, hint, rows.locations[others[0]])
