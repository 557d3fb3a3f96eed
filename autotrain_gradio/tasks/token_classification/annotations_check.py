"""The check that combines texts and annotations: tags and spans become entities, at borders of words.

Afterwards the column `entities` has a list of `{"start", "end", "label"}` for each row, in the order of the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import datasets

from autotrain_gradio.core.errors import DataError, Finding, Fix, did_you_mean
from autotrain_gradio.core.text_format import count_with_verb, pluralize
from autotrain_gradio.data.kinds.label import unused_mapping
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import canonical, canonical_mapping, short
from autotrain_gradio.tasks.token_classification import offsets
from autotrain_gradio.tasks.token_classification.annotation_cells import FORM, TAGS
from autotrain_gradio.tasks.token_classification.cell_lists import Span
from autotrain_gradio.tasks.token_classification.tags import OUTSIDE, SCHEMES, TagSet, tag_set
from autotrain_gradio.tasks.token_classification.text_cells import TOKENS
from autotrain_gradio.tasks.token_classification.words import snap, word_borders

TEXT, ENTITIES = "text", "entities"
Found = dict[int, list[Span]]
"""Row → its spans, in characters of its text."""
FEATURE = datasets.List(
    {"start": datasets.Value("int32"), "end": datasets.Value("int32"), "label": datasets.Value("string")}
)
ONE_TOKEN = 0.9
"""Share of rows with one token beyond which rows are tokens, not sentences."""
SPACES = re.compile(r"\S+")
SKIPPED = {"tokens-tags-lengths": "another number of tags than tokens"}
_SCHEME_TITLES = {
    "IOB1": "IOB1 (I-PER, and B-PER only next to another entity of the type)",
    "BIOES": "BIOES (B-PER I-PER E-PER, S-PER)",
    "BILOU": "BILOU (B-PER I-PER L-PER, U-PER)",
}


@dataclass
class Problems:
    """Rows with spans that cannot be used as they are: code → rows, and of each row an example; spans in all."""

    rows: dict[str, list[int]] = field(default_factory=dict)
    examples: dict[str, dict[int, str]] = field(default_factory=dict)
    spans: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, row: int, example: str) -> None:
        """Count a span."""
        self.spans[code] += 1
        if row not in self.examples.setdefault(code, {}):
            self.rows.setdefault(code, []).append(row)
            self.examples[code][row] = f": {example}"


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Replace the parsed annotations by entities; rows that do not fit are dropped."""
    cells, texts = rows.cells[ENTITIES], rows.cells[TEXT].values.to_pylist()
    tagged = cells.facts[FORM] == TAGS
    if tagged:
        found = yield from _of_tags(rows, texts, request)
    else:
        found = yield from _of_spans(rows, texts, request)
    mapping, problems = canonical_mapping(request.spec.labels), Problems()
    seen: set[str] = set()
    values: list[list[dict[str, Any]]] = [[] for _ in texts]
    for row, spans in found.items():
        seen.update(span.label for span in spans)
        named = [span._replace(label=new) for span in spans if (new := _mapped(span.label, mapping))]
        if tagged and texts[row].isascii():  # its tokens are between spaces
            values[row] = [{"start": s.start, "end": s.end, "label": s.label} for s in named]
        elif named:
            values[row] = _at_words(row, texts[row], named, problems)
    yield from unused_mapping(mapping, {canonical(name) for name in seen})
    yield from _reports(rows, problems)
    cells.values, cells.feature = values, FEATURE


def _mapped(label: str, mapping: dict[str, str | None]) -> str | None:
    """Return the type that the spec maps a type to; None: its entities are excluded."""
    return mapping.get(canonical(label), label)


def _of_tags(rows: Rows, texts: list[str], request: Request) -> Generator[Finding, None, Found]:
    """Return row → spans of its tags; rows with another number of tags than tokens are dropped."""
    tags, tokens = rows.cells[ENTITIES].values, rows.cells[TEXT].facts.get(TOKENS)
    units: dict[int, list[tuple[int, int]]] = {}
    differ: list[int] = []
    counts: dict[int, int] = {}
    for row in rows.indices().tolist():
        spans = tokens[row] if tokens is not None and tokens[row] is not None else _units(texts[row], len(tags[row]))
        if len(spans) == len(tags[row]):
            units[row] = spans
        else:
            differ.append(row)
            counts[row] = len(spans)
    rows.drop(differ, "tokens-tags-lengths")
    text = "{n} {has} another number of tags than tokens and {was} skipped"
    hint = "Write one tag for each token."
    yield from rows.findings(
        "warning",
        "tokens-tags-lengths",
        text,
        differ,
        hint,
        lambda row: f" ({pluralize(counts[row], 'token')}, {pluralize(len(tags[row]), 'tag')})",
    )
    single = [row for row, spans in units.items() if len(spans) == 1]
    if len(units) > 1 and len(single) > ONE_TOKEN * len(units):
        message = f"{count_with_verb(len(single), 'row', 'has')} a single token: a model sees no context."
        hint = "Write a sentence in each row. If rows are tokens, add a column sentence_id, or save a CoNLL file."
        yield Finding("warning", "single-tokens", message, hint, f"data.columns.{TEXT}")
    scheme = _scheme_option(request)
    names = tag_set((tags[row] for row in units), scheme)
    repaired, repairs, found = list[int](), 0, Found()
    for row, spans in units.items():
        entities, wrong = names.spans(tags[row])
        repairs += wrong
        if wrong:
            repaired.append(row)
        found[row] = [Span(spans[first][0], spans[last][1], label) for first, last, label in entities]
    yield from _scheme_findings(names, scheme)
    text = f"{{n}} {{has}} sequences of tags that {names.scheme} does not allow ({repairs:,} in all)"
    hint = "An entity was taken to begin, or to end, where its tags do. Correct the tags if that is wrong."
    yield from rows.findings(
        "warning", "tags-repaired", text, repaired, hint, lambda row: f": {' '.join(tags[row])[:60]}"
    )
    return found


def _units(text: str, count: int) -> list[tuple[int, int]]:
    """Return the tokens of a text: split at spaces, or its characters where there are as many tags as these."""
    words = [word.span() for word in SPACES.finditer(text)]
    if len(words) != count:
        for characters in ([(i, i + 1) for i in range(len(text))], [(a, a + 1) for w in words for a in range(*w)]):
            if len(characters) == count:
                return characters
    return words


def _scheme_option(request: Request) -> str:
    scheme = request.spec.options.get("tag_scheme")
    known = {name.lower(): name for name in SCHEMES}
    if scheme is not None and str(scheme).lower() not in known:
        hint = did_you_mean(str(scheme), SCHEMES) or f"One of {', '.join(SCHEMES)}."
        raise DataError(f"'{scheme}' is not a tagging scheme.", hint, "data.options.tag_scheme", "invalid-setting")
    return known[str(scheme).lower()] if scheme is not None else ""


def _scheme_findings(names: TagSet, asked: str) -> Iterator[Finding]:
    where = "data.options.tag_scheme"
    if names.scheme in _SCHEME_TITLES and not asked:
        message = f"The tags are in the scheme {_SCHEME_TITLES[names.scheme]}; they were converted to IOB2."
        yield Finding("info", "tags-scheme", message, where=where)
    elif names.scheme == "plain" and not asked:
        message = "The tags have no prefix (B-, I-): neighbouring tokens with the same tag are one entity."
        fix = Fix("Each token is an entity", {"options": {"tag_scheme": "each"}})
        yield Finding("info", "tags-scheme", message, "Or each token is an entity of its own.", where, fix)
    elif names.scheme == "each" and not asked:
        message = (
            "Each token has a tag without a prefix (B-, I-), as parts of speech have: each is an entity of its own."
        )
        fix = Fix("Join neighbours with the same tag", {"options": {"tag_scheme": "plain"}})
        yield Finding("info", "tags-scheme", message, "Or neighbours with the same tag are one entity.", where, fix)


def _of_spans(rows: Rows, texts: list[str], request: Request) -> Generator[Finding, None, Found]:
    """Return row → spans, their offsets in characters."""
    spans, used = rows.cells[ENTITIES].values, rows.indices().tolist()
    reading, where = request.spec.options.get("span_offsets"), "data.options.span_offsets"
    if reading is not None and reading not in offsets.TITLES:
        hint = did_you_mean(str(reading), offsets.TITLES) or f"One of {', '.join(offsets.TITLES)}."
        raise DataError(f"'{reading}' is not a way to count offsets.", hint, where, "invalid-setting")
    if reading is None:
        reading, fit, plain = offsets.detect_reading((texts[row], spans[row]) for row in used)
        if reading != offsets.CHARACTERS:
            message = (
                f"The offsets count {offsets.TITLES[reading]}: so {fit:,} spans fit words, as characters {plain:,}."
            )
            fix = Fix("Count characters", {"options": {"span_offsets": offsets.CHARACTERS}})
            yield Finding("warning", "span-offsets", message, "Choose characters if that is wrong.", where, fix)
    found = Found()
    for row in used:
        convert = offsets.converter(reading, texts[row])
        found[row] = [Span(*convert(s.start, s.end), s.label, s.text) for s in spans[row] if s.label != OUTSIDE]
    return found


def _at_words(row: int, text: str, spans: list[Span], problems: Problems) -> list[dict[str, Any]]:
    """Return the entities of a text: at borders of words, without overlaps, in the order of the text."""
    borders, kept = word_borders(text), list[tuple[int, int, str]]()
    for start, end, label, said in spans:
        shown = f"{short(label)} {start} to {end}"
        if start >= end:
            problems.add("spans-empty", row, shown)
        elif start < 0 or end > len(text):
            problems.add("spans-outside", row, f"{shown} of {pluralize(len(text), 'character')}")
        elif (whole := snap(start, end, borders)) is None:
            problems.add("spans-empty", row, shown)
        else:
            if text[whole[0] : whole[1]] != text[start:end].strip():
                inside, words = text[start:end].strip(), text[whole[0] : whole[1]]
                problems.add("spans-misaligned", row, f"'{short(inside)}' in '{short(words)}'")
            elif said is not None and said.strip() != text[start:end].strip():
                problems.add("spans-other-text", row, f"'{short(text[start:end])}' instead of '{short(said)}'")
            kept.append((*whole, label))
    result: list[tuple[int, int, str]] = []
    taken: list[tuple[int, int]] = []
    for start, end, label in sorted(kept, key=lambda s: (s[0] - s[1], s[0])):  # the longest first
        if any(start < last and first < end for first, last in taken):
            problems.add("spans-overlap", row, f"'{short(text[start:end])}' ({short(label)})")
        else:
            taken.append((start, end))
            result.append((start, end, label))
    return [{"start": start, "end": end, "label": label} for start, end, label in sorted(result)]


_REPORTS = (
    (
        "spans-outside",
        "{n} {has} spans outside the text",
        "dropped",
        "Offsets count the characters of the text from 0.",
    ),
    ("spans-empty", "{n} {has} spans without a word", "dropped", "The end is the offset behind the last character."),
    ("spans-overlap", "{n} {has} spans that overlap others", "dropped", "Of overlapping spans the longest is used."),
    (
        "spans-misaligned",
        "{n} {has} spans that begin or end inside a word",
        "extended to whole words",
        "A model tags whole words. Correct the offsets if they are shifted.",
    ),
    (
        "spans-other-text",
        "{n} {has} spans whose offsets name another text than the data says",
        "used as the offsets say",
        "The texts may have been changed after they were annotated.",
    ),
)


def _reports(rows: Rows, problems: Problems) -> Iterator[Finding]:
    for code, text, done, hint in _REPORTS:
        of_row = problems.examples.get(code, {})
        template = f"{text} ({problems.spans[code]:,} in all), which were {done}"
        yield from rows.findings("warning", code, template, problems.rows.get(code, []), hint, of_row.__getitem__)
