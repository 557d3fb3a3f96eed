"""The check of entity types: whether there are any, rare ones, those of validation alone, and unequal annotations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import format_count, join_examples, pluralize
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import quoted, short, spelling
from autotrain_gradio.tasks.token_classification.annotation_cells import counts_of
from autotrain_gradio.tasks.token_classification.annotations_check import ENTITIES, TEXT

FEW = 5
"""Entities of a type below which it is hard to learn."""
WHERE = f"data.columns.{ENTITIES}"


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report what a model cannot learn from these entities."""
    trained, validated = (counts_of(rows, ENTITIES, split) for split in ("train", "validation"))
    if not trained:
        message = f"None of the {pluralize(rows.count('train'), 'training row')} has an entity: all tags are O."
        if validated:
            message += f" Only validation rows have: {join_examples(sorted(map(quoted, validated)))}."
        yield Finding("error", "no-entities", message, "Choose another column of annotations, or annotate rows.", WHERE)
        return
    if len(trained) > request.limits.classes:
        message = f"There are {len(trained):,} types of entities; at most {request.limits.classes:,} can be trained."
        yield Finding("error", "too-many-classes", message, "The labels look like texts. Choose another column.", WHERE)
        return
    if unknown := sorted(validated.keys() - trained.keys()):
        text = "{n} of the validation rows {has} no training rows"
        message = f"{format_count(text, len(unknown), 'type')}: {join_examples([short(n) for n in unknown])}."
        message += " The model does not learn them; their entities count as missed in the evaluation."
        hint = "Add training rows with these types, or correct the labels."
        yield Finding("warning", "entity-type-not-trained", message, hint, "data.labels")
    few = sorted(f"{quoted(n)} ({c})" for n, c in trained.items() if c < FEW)
    if few:
        message = f"{pluralize(len(few), 'type')} with fewer than {FEW} entities to train on: {join_examples(few)}."
        yield Finding("warning", "few-entities", message, "Annotate more of them, or exclude the type.", "data.labels")
    yield from _spellings(rows, sorted({*trained, *validated}))
    yield from _unequal(rows)
    empty = [i for i in rows.indices("train").tolist() if not rows.cells[ENTITIES].values[i]]
    if 2 * len(empty) > rows.count("train"):
        text = "{n} of the training rows {has} no entity"
        message = f"{format_count(text, len(empty), 'row')} ({len(empty) / rows.count('train'):.0%})."
        hint = "If they were not annotated, exclude them: a model learns that they hold none."
        yield Finding("info", "rows-without-entities", message, hint, WHERE)


def _spellings(rows: Rows, names: list[str]) -> Iterator[Finding]:
    """Report types that differ by case or separators alone."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike[spelling(name)].append(name)
    counts = counts_of(rows, ENTITIES, "train") + counts_of(rows, ENTITIES, "validation")
    for group in alike.values():
        if len(group) > 1:
            group.sort(key=lambda n: -counts[n])
            shown = " and ".join(f"{quoted(n)} ({counts[n]:,})" for n in group)
            message, hint = f"Types that may be the same: {shown}.", "Merge them if they are."
            fix = Fix(f"Merge into {quoted(group[0])}", {"labels": dict.fromkeys(group[1:], group[0])})
            yield Finding("warning", "label-spelling", message, hint, "data.labels", fix)


def _unequal(rows: Rows) -> Iterator[Finding]:
    """Report texts that occur more than once with different entities."""
    content = rows.cells[TEXT].content()
    values, first, differ = rows.cells[ENTITIES].values, dict[int, int](), list[int]()
    for row in rows.indices().tolist():
        if content[row] >= 0:
            other = first.setdefault(int(content[row]), row)
            if values[other] != values[row]:
                differ.append(row)
    text = "{n} {has} a text that occurs elsewhere with other entities"
    hint = "Annotate equal texts in the same way: a model cannot learn both."
    show = {row: f" = {rows.locations[first[int(content[row])]]}" for row in differ[:5]}
    yield from rows.findings("warning", "same-text-other-entities", text, differ, hint, show.__getitem__)
