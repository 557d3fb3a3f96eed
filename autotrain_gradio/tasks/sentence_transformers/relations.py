"""Check the classes of pairs: numbers that stand for NLI's classes, marks for no agreement, a single class."""

from __future__ import annotations

from collections.abc import Iterator

from autotrain_gradio.core.errors import Finding, Fix
from autotrain_gradio.core.text_format import join_examples
from autotrain_gradio.data.request import Request
from autotrain_gradio.data.rows import Rows
from autotrain_gradio.data.values.labels import quoted

NLI = {"0": "entailment", "1": "neutral", "2": "contradiction"}
"""The numbers of SNLI and MultiNLI → their names."""
NO_AGREEMENT = ("-", "-1", "?")
"""Labels of pairs on which the annotators did not agree, in SNLI and MultiNLI."""


def check(rows: Rows, request: Request) -> Iterator[Finding]:
    """Report classes of pairs that need a name, are none, or are alone."""
    found = rows.classes()
    if found is None:
        return
    role, cells = found
    names = [n for n, c in zip(cells.labels.names, rows.label_counts(cells.labels), strict=True) if c]
    where = f"data.columns.{role}"
    if len(names) < 2:
        message = f"Every pair has the same relation, {quoted(names[0])}: there is nothing to learn."
        hint = "Add pairs of another relation; or leave the column out, to train on the pairs alone."
        yield Finding("error", "one-class", message, hint, where, Fix("Use the pairs alone", {"format": "pair"}))
        return
    marks = [n for n in names if n in NO_AGREEMENT]
    if marks:
        message = f"The relation {join_examples([quoted(m) for m in marks])} usually marks pairs without agreement."
        fix = Fix("Skip these pairs", {"labels": dict.fromkeys(marks)})
        yield Finding("warning", "relation-no-agreement", message, "Skip them, unless it is a class.", where, fix)
    if set(names) - set(marks) == set(NLI):
        listed = ", ".join(f"{number} {name}" for number, name in NLI.items())
        message = f"The relations are numbers. In SNLI and MultiNLI they mean: {listed}."
        fix = Fix("Use these names", {"labels": dict(NLI)})
        yield Finding("info", "relation-numbers", message, "Names make the report readable.", where, fix)
